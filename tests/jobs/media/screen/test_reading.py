"""Typing, scrolling, and recordings of which little can be said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from jobs.media.probe import UnreadableVideo
from jobs.media.screen import EventKind, judging, read_screen
from jobs.media.screen.events import ScreenEvent
from jobs.media.screen.fields import Typed
from jobs.media.screen.reading import FILM, NOTHING, STILL
from tests.anchors.videos import write_video
from tests.jobs.media.screen.lettering import font
from tests.jobs.media.screen.stage import Stage

pytestmark = pytest.mark.slow
NAME = (120, 100, 420, 132)


def typing(label: str, text: str, *, shown: str | None = None, is_dark: bool = False) -> Stage:
    """Somebody clicks a field and types."""
    stage = Stage(is_dark=is_dark)
    stage.text("label", (120, 74), label)
    stage.field("name", NAME)
    stage.wait(0.5)
    stage.move(500, 300)
    stage.move(300, 116)
    stage.press("click", lambda: stage.field("name", NAME, is_focused=True, has_caret=True))
    stage.type("name", NAME, text, shown=shown)
    stage.move(500, 300)
    stage.wait(0.5)
    return stage


@pytest.mark.parametrize("is_dark", [False, True])
def test_what_is_typed_is_read_with_its_label(is_dark: bool, tmp_path: Path) -> None:
    stage = typing("Customer name", "Harbour Cafe 7", is_dark=is_dark)
    click, typed = read_screen(stage.record(tmp_path / "v.mp4")).events
    assert (click.kind, typed.kind) == (EventKind.CLICK, EventKind.TYPE)
    assert (click.label, typed.label, typed.text) == ("Customer name", "Customer name", "Harbour Cafe 7")
    assert typed.at_ms == pytest.approx(stage.times_ms["name typed"], abs=150)
    assert typed.end_ms == pytest.approx(stage.times_ms["name typed"] + 14 * 150, abs=300)
    assert typed.region.x == pytest.approx(NAME[0] / 800, abs=0.01)
    assert typed.region.width == pytest.approx(300 / 800, abs=0.02)
    assert typed.picture_ms is not None and typed.end_ms is not None
    assert 200 <= typed.picture_ms - typed.end_ms <= 600
    assert typed.confidence >= 0.7


def test_typing_whose_reading_is_unsure_is_doubtful(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    video = typing("Name", "Harbour").record(tmp_path / "v.mp4")
    sure, unsure = (_typed_as(Typed("Harbour", confidence), video, monkeypatch) for confidence in (0.6, 0.59))
    assert (sure.text, unsure.text) == ("Harbour", None)
    assert unsure.confidence == pytest.approx(sure.confidence - 0.3)


def _typed_as(read: Typed, video: Path, monkeypatch: pytest.MonkeyPatch) -> ScreenEvent:
    """Return the typing in a video, of which the recogniser reads this."""
    monkeypatch.setattr(judging, "typed_in", lambda reader, typing: read)
    (typed,) = (event for event in read_screen(video).events if event.kind is EventKind.TYPE)
    return typed


@pytest.mark.parametrize(
    ("label", "shown"), [("Name", "•"), ("Password", None), ("API key", None), ("PIN", None)]
)
def test_what_is_secret_is_never_read_out(label: str, shown: str | None, tmp_path: Path) -> None:
    screen = read_screen(typing(label, "hunter22x", shown=shown).record(tmp_path / "v.mp4"))
    (typed,) = (event for event in screen.events if event.kind is EventKind.TYPE)
    assert (typed.label, typed.text) == (label, None)
    assert not any("hunter" in word for word in screen.words)


def scrolled(offsets: list[int]) -> Stage:
    page = Image.new("RGB", (800, 2400), "white")
    draw = ImageDraw.Draw(page)
    for line in range(80):
        words = f"Entry {line * 37 % 101} of {line} in the list of {line * line % 89} places"
        draw.text((60, 20 + 29 * line), words, fill="black", font=font(15))
    stage = Stage()
    at = [0]
    stage.parts["page"] = lambda draw: draw._image.paste(page.crop((0, at[0], 800, at[0] + 480)))  # type: ignore[attr-defined]
    stage.wait(0.5)
    stage.move(600, 400)
    stage.move(400, 240)
    stage.wait(0.5)
    stage.mark("scroll")
    for offset in offsets:
        at[0] = offset
        stage.wait(0.13)
    stage.mark("end")
    stage.wait(1.5)
    return stage


def test_scrolling_is_one_event_and_no_click(tmp_path: Path) -> None:
    stage = scrolled([60, 120, 200, 290, 350])
    (scroll,) = read_screen(stage.record(tmp_path / "v.mp4")).events
    assert scroll.kind is EventKind.SCROLL and scroll.end_ms is not None
    assert scroll.at_ms == pytest.approx(stage.times_ms["scroll"], abs=150)
    assert scroll.end_ms == pytest.approx(stage.times_ms["end"], abs=250)
    assert scroll.region.height > 0.8


def test_a_still_picture_is_said_to_be_one(tmp_path: Path) -> None:
    stage = Stage(has_pointer=False)
    stage.text("title", (90, 60), "Welcome")
    stage.wait(4)
    screen = read_screen(stage.record(tmp_path / "v.mp4"))
    assert (screen.events, screen.note) == ((), STILL)


def test_a_film_has_no_events_but_a_note(tmp_path: Path) -> None:
    noise = np.random.default_rng(5)
    pictures = [
        np.kron(noise.integers(0, 255, (12, 16, 3), np.uint8), np.ones((20, 20, 1), np.uint8))
        for _ in range(120)
    ]
    path = write_video(tmp_path / "v.mp4", pictures=pictures, pts=[66 * number for number in range(120)])
    screen = read_screen(path)
    assert (screen.events, screen.note) == ((), FILM)


def test_what_turns_and_blinks_by_itself_is_no_event(tmp_path: Path) -> None:
    stage = Stage(has_pointer=False)
    stage.text("title", (90, 60), "Loading")

    def turning(frame: int) -> object:
        def draw_both(draw: ImageDraw.ImageDraw) -> None:
            draw.arc((300, 200, 330, 230), frame * 24, frame * 24 + 200, fill="black", width=5)
            draw.text((700, 20), f"12:00:{frame // 15:02}", fill="black", font=font(14))

        return draw_both

    stage.moving = turning  # type: ignore[assignment]
    stage.wait(9)
    screen = read_screen(stage.record(tmp_path / "v.mp4"))
    assert (screen.events, screen.note) == ((), NOTHING)


@pytest.mark.parametrize("has_frame", [False, True])
def test_a_bar_that_fills_is_not_typed(has_frame: bool, tmp_path: Path) -> None:
    stage = Stage()
    if has_frame:
        stage.parts["frame"] = lambda draw: draw.rectangle((118, 298, 620, 316), outline="#8a8f9c")
    stage.text("title", (90, 60), "Converting 3 files")
    stage.wait(1)
    for width in range(0, 420, 20):
        stage.parts["bar"] = lambda draw, width=width: draw.rectangle(
            (120, 300, 120 + width, 314), fill="#4a7bd0"
        )
        stage.wait(0.07)
    stage.wait(2)
    assert [event.kind for event in read_screen(stage.record(tmp_path / "v.mp4")).events] == []


def test_without_a_pointer_what_opens_is_still_told(tmp_path: Path) -> None:
    stage = Stage(has_pointer=False)
    stage.text("title", (90, 60), "Invoices of this month")
    stage.wait(2)
    stage.mark("window")
    stage.window("dialog", (220, 120, 580, 340), "Delete the file?")
    stage.wait(3)
    (window,) = read_screen(stage.record(tmp_path / "v.mp4")).events
    assert (window.kind, window.label) == (EventKind.WINDOW, "Delete the file?")
    assert window.at_ms == pytest.approx(stage.times_ms["window"], abs=150)


def test_progress_is_told_and_may_stop_the_work(tmp_path: Path) -> None:
    path = scrolled([60, 120]).record(tmp_path / "v.mp4")
    told: list[float] = []
    read_screen(path, on_progress=told.append)
    assert told == sorted(told) and 10 < len(told) <= 200 and told[-1] > 0.9

    def stop(share: float) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        read_screen(path, on_progress=stop)


def test_what_is_no_video_is_refused(tmp_path: Path) -> None:
    (tmp_path / "v.mp4").write_bytes(b"not a video at all" * 20)
    with pytest.raises(UnreadableVideo):
        read_screen(tmp_path / "v.mp4")
