"""The picture that is suggested for a step, on made-up recordings of which the right one is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from anchors.activity import Activity, Change, watch
from anchors.frames import grab_frame
from anchors.suggest import StepSpan, Suggestion, suggest
from tests.anchors import screens
from tests.anchors.screens import CLICKED_MS, page, record

CLICKED = CLICKED_MS * screens.FPS // 1000


def suggested(video: Path, *spans: tuple[int, int | None]) -> list[Suggestion]:
    activity = watch(video)
    steps = [StepSpan(str(number), start, end) for number, (start, end) in enumerate(spans)]
    found = suggest(activity, steps, duration_ms=activity.last_ms + 100)
    assert [suggestion.block_id for suggestion in found] == [step.block_id for step in steps]
    return found


def shows(video: Path, suggestion: Suggestion, image: Image.Image) -> bool:
    """Return whether the picture at the suggested moment is this one, but for the losses of the codec."""
    shown = np.asarray(grab_frame(video, suggestion.timestamp_ms).image, np.int16)
    return float((np.abs(shown - np.asarray(image, np.int16)) > 60).mean()) < 0.002


def test_a_window_opens_and_the_picture_before_is_taken(tmp_path: Path) -> None:
    frames = [page(screens.window) if number >= CLICKED else page() for number in range(80)]
    video = record(tmp_path / "v.mp4", frames)
    (found,) = suggested(video, (3_000, 7_000))
    assert found.reason == "before_change"
    assert CLICKED_MS - 250 <= found.timestamp_ms < CLICKED_MS
    assert shows(video, found, page())


@pytest.mark.parametrize("begins_ms", [CLICKED_MS - 4_000, CLICKED_MS - 1_000, CLICKED_MS + 900])
def test_the_words_come_up_to_4_s_before_or_1_s_after(begins_ms: int, tmp_path: Path) -> None:
    frames = [page(screens.window) if number >= CLICKED else page() for number in range(80)]
    video = record(tmp_path / "v.mp4", frames)
    (found,) = suggested(video, (begins_ms, None))
    assert CLICKED_MS - 250 <= found.timestamp_ms < CLICKED_MS


def test_no_picture_of_a_fade_is_taken(tmp_path: Path) -> None:
    """The fade lasts a second; the second step's words begin in the middle of it."""
    closed, opened = page(), page(screens.window)
    frames = [screens.blend(closed, opened, min(max(0, n - CLICKED) / 10, 1.0)) for n in range(90)]
    video = record(tmp_path / "v.mp4", frames)
    first, second = suggested(video, (3_000, 4_500), (4_500, 8_000))
    assert first.reason == "before_change" and shows(video, first, closed)
    assert shows(video, second, opened)


def test_no_picture_of_a_spinner_is_taken(tmp_path: Path) -> None:
    """A click empties the page, a spinner turns for three seconds, then the page is there."""
    empty = Image.new("RGB", screens.SIZE, "white")
    frames = [page() for _ in range(CLICKED)]
    for number in range(30):
        frames.append(empty.copy())
        screens.spinner(number)(screens.ImageDraw.Draw(frames[-1]))
    frames += [page(title="Customers")] * 30
    video = record(tmp_path / "v.mp4", frames)
    first, second = suggested(video, (3_000, 5_500), (5_500, 9_500))
    assert shows(video, first, page())
    assert shows(video, second, page(title="Customers"))


def test_a_button_that_waits_is_taken_before_it_waits(tmp_path: Path) -> None:
    """The spinner beside the button turns for two seconds, then a window opens."""
    frames = [page() for _ in range(CLICKED)]
    frames += [page(screens.spinner(number)) for number in range(20)]
    frames += [page(screens.window)] * 30
    video = record(tmp_path / "v.mp4", frames)
    (found,) = suggested(video, (3_000, 8_000))
    assert shows(video, found, page())


def test_what_is_typed_is_shown_complete(tmp_path: Path) -> None:
    text = "Blue Harbor Books"
    frames = [page(screens.typed(text[: max(0, number - 30) // 2])) for number in range(100)]
    video = record(tmp_path / "v.mp4", frames)
    (found,) = suggested(video, (2_500, 9_000))
    assert found.reason == "after_change"
    assert shows(video, found, page(screens.typed(text)))


def test_a_scroll_is_taken_before_it_begins(tmp_path: Path) -> None:
    frames = [page(scrolled=7 * min(max(0, number - CLICKED), 30)) for number in range(100)]
    video = record(tmp_path / "v.mp4", frames)
    (found,) = suggested(video, (3_000, 9_000))
    assert found.reason == "before_change" and shows(video, found, page())


def test_a_menu_is_taken_before_it_closes(tmp_path: Path) -> None:
    """It shows what is chosen."""
    chosen = [page()] * 30 + [page(screens.menu)] * 15 + [page(lambda draw: screens.menu(draw, 2))] * 10
    video = record(tmp_path / "v.mp4", [*chosen, *[page()] * 30])
    (found,) = suggested(video, (2_500, 8_000))
    assert found.reason == "before_change"
    assert shows(video, found, page(lambda draw: screens.menu(draw, 2)))


def test_a_caret_and_a_clock_are_no_changes(tmp_path: Path) -> None:
    frames = [page(screens.caret(number), screens.clock(number)) for number in range(160)]
    activity = watch(record(tmp_path / "v.mp4", frames))
    inside = [change for change in activity.changes if 2_000 < change.start_ms < activity.last_ms - 2_000]
    assert not inside


def test_a_clock_does_not_hide_what_happens(tmp_path: Path) -> None:
    frames = [
        page(*([screens.window] if number >= CLICKED else []), screens.clock(number)) for number in range(80)
    ]
    (found,) = suggested(record(tmp_path / "v.mp4", frames), (3_000, 7_000))
    assert found.reason == "before_change"
    assert CLICKED_MS - 250 <= found.timestamp_ms < CLICKED_MS


def test_a_pointer_that_moves_is_no_action(tmp_path: Path) -> None:
    frames = [page(screens.pointer(100 + 8 * min(number, 40), 200)) for number in range(80)]
    (found,) = suggested(record(tmp_path / "v.mp4", frames), (1_000, 7_000))
    assert found.reason in ("still", "after_change") and found.timestamp_ms >= 4_000


def test_a_video_without_any_change_is_still(tmp_path: Path) -> None:
    found = suggested(record(tmp_path / "v.mp4", [page()] * 60), (1_000, 3_000), (3_000, None))
    assert [suggestion.reason for suggestion in found] == ["still", "still"]
    assert found[0].timestamp_ms != found[1].timestamp_ms


def test_a_video_of_one_frame_gives_that_one(tmp_path: Path) -> None:
    (found,) = suggested(record(tmp_path / "v.mp4", [page()]), (0, None))
    assert found.timestamp_ms == 0


def test_a_film_gives_the_start_of_the_step(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    frames = [Image.fromarray(random.integers(0, 256, (64, 64, 3), np.uint8)) for _ in range(60)]
    (found,) = suggested(record(tmp_path / "v.mp4", frames), (2_000, 4_000))
    assert (found.reason, found.timestamp_ms) == ("step_start", 2_000)


def test_frames_that_come_when_something_happens(tmp_path: Path) -> None:
    """Recorders write no picture while nothing changes."""
    frames = [page(), page(screens.window), page()]
    video = record(tmp_path / "v.mp4", frames, pts=[0, CLICKED_MS, 9_000])
    first, second = suggested(video, (3_000, 7_000), (7_000, None))
    assert CLICKED_MS - 250 <= first.timestamp_ms < CLICKED_MS
    assert 9_000 - 250 <= second.timestamp_ms < 9_000 and shows(video, second, page(screens.window))


TWO_WINDOWS = Activity(
    20_000, [Change(3_900, 4_000, 0.4), Change(9_900, 10_000, 0.4), Change(15_000, 15_200, 0.004)]
)


def test_spans_outside_of_the_video_count_as_its_ends() -> None:
    steps = [StepSpan("a", -9_000, -5_000), StepSpan("b", 10**9, None), StepSpan("c", 10**9, 5)]
    found = suggest(TWO_WINDOWS, steps, duration_ms=20_000)
    assert all(0 <= suggestion.timestamp_ms <= 20_000 for suggestion in found)


def test_no_steps_give_no_moments() -> None:
    assert suggest(TWO_WINDOWS, [], duration_ms=20_000) == []


def test_steps_out_of_order_are_answered_as_they_came() -> None:
    steps = [StepSpan("late", 9_000, 14_000), StepSpan("early", 3_000, 9_000)]
    found = suggest(TWO_WINDOWS, steps, duration_ms=20_000)
    assert [(each.block_id, each.timestamp_ms) for each in found] == [("late", 9_900), ("early", 3_900)]


def test_neighbours_do_not_get_the_same_change() -> None:
    """The second step is about the first window too, as it begins a moment after it opened."""
    steps = [StepSpan("a", 3_000, 4_300), StepSpan("b", 4_300, None)]
    first, second = suggest(TWO_WINDOWS, steps, duration_ms=20_000)
    assert (first.timestamp_ms, second.timestamp_ms) == (3_900, 9_900)


def test_two_hundred_steps_get_as_many_moments() -> None:
    changes = [Change(1_000 * number + 900, 1_000 * number + 1_000, 0.3) for number in range(1_000)]
    steps = [StepSpan(str(number), 5_000 * number, None) for number in range(200)]
    activity = Activity(1_000_000, changes)
    found = suggest(activity, steps, duration_ms=1_000_000)
    times = [suggestion.timestamp_ms for suggestion in found]
    assert len(set(times)) == 200 and times == sorted(times)
    assert found == suggest(activity, steps, duration_ms=1_000_000)
    assert all(0 <= suggestion.score <= 1 for suggestion in found)
