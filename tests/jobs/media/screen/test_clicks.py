"""Clicks, and what opens because of them, in recordings of an invented page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jobs.media.frame_hash import planes_sha256
from jobs.media.probe import decode, open_media, read_packets, video_stream
from jobs.media.screen import EventKind, Screen, ScreenEvent, read_screen
from tests.jobs.media.screen.lettering import font
from tests.jobs.media.screen.stage import Stage

pytestmark = pytest.mark.slow
BUTTON, DIALOG = (90, 70, 230, 106), (240, 130, 560, 330)


def of_kind(screen: Screen, kind: EventKind) -> list[ScreenEvent]:
    return [event for event in screen.events if event.kind is kind]


def deleting(stage: Stage) -> Stage:
    """Somebody moves about, clicks a button, and a dialog opens."""
    width, height = stage.size
    stage.button("delete", BUTTON, "Delete file")
    stage.text("more", (90, 140), "Reports of this month")
    stage.wait(0.8)
    stage.move(width // 2, height // 2)
    stage.wait(0.3)
    stage.move(180, 92)
    stage.press("click", lambda: stage.window("dialog", DIALOG, "Delete the file?"))
    stage.move(320, 300)
    stage.wait(0.8)
    return stage


def test_a_click_that_opens_a_dialog(tmp_path: Path) -> None:
    stage = deleting(Stage())
    screen = read_screen(stage.record(tmp_path / "v.mp4"))
    (click,), (window,) = (of_kind(screen, kind) for kind in (EventKind.CLICK, EventKind.WINDOW))
    assert click.at_ms == pytest.approx(stage.times_ms["click"], abs=150)
    assert (click.label, window.label) == ("Delete file", "Delete the file?")
    assert click.confidence >= 0.7 and window.confidence >= 0.7
    assert click.pointer == pytest.approx((180 / 800, 92 / 480), abs=0.01)
    assert click.region.x == pytest.approx(BUTTON[0] / 800, abs=0.01)
    assert click.region.width == pytest.approx(140 / 800, abs=0.02)
    assert window.region.x == pytest.approx(DIALOG[0] / 800, abs=0.01)
    assert window.region.height == pytest.approx(200 / 480, abs=0.03)
    assert window.page_share == pytest.approx(320 * 200 / (800 * 480), abs=0.05)
    assert "Delete file" in screen.words and "Delete the file?" in screen.words


def test_the_picture_of_a_click_is_from_before_it(tmp_path: Path) -> None:
    stage = deleting(Stage())
    path = stage.record(tmp_path / "v.mp4")
    (click,) = of_kind(read_screen(path), EventKind.CLICK)
    assert click.picture_ms is not None and click.frame is not None
    assert 60 <= stage.times_ms["click"] - click.picture_ms <= 300
    with open_media(path) as container:
        stream = video_stream(container)
        frames = [frame for packet in read_packets(container, [stream]) for frame in decode(stream, packet)]
        hashes = {frame.pts: planes_sha256(frame) for frame in frames}
    assert hashes[click.frame.pts] == click.frame.frame_sha256


@pytest.mark.parametrize(
    "stage",
    [
        pytest.param(Stage(is_dark=True), id="dark"),
        pytest.param(Stage(fps=5), id="5 a second"),
        pytest.param(Stage(fps=30), id="30 a second"),
        pytest.param(Stage(size=(602, 903)), id="portrait, odd size"),
    ],
)
def test_a_click_is_seen_in_other_recordings(stage: Stage, tmp_path: Path) -> None:
    path = deleting(stage).record(tmp_path / "v.mp4", pix_fmt="yuv444p")
    (click,) = of_kind(read_screen(path), EventKind.CLICK)
    assert click.at_ms == pytest.approx(stage.times_ms["click"], abs=300)
    assert click.label == "Delete file"


def test_a_very_large_pointer_is_followed(tmp_path: Path) -> None:
    stage = Stage()
    stage.pointer_scale = 4
    (click,) = of_kind(read_screen(deleting(stage).record(tmp_path / "v.mp4")), EventKind.CLICK)
    assert click.pointer == pytest.approx((180 / 800, 92 / 480), abs=0.015)


def test_a_rotated_recording_gives_places_as_shown(tmp_path: Path) -> None:
    stage = deleting(Stage())
    stage.frames = [image.rotate(90, expand=True) for image in stage.frames]
    path = stage.record(tmp_path / "v.mp4", rotate={"degrees": -90})
    (click,) = of_kind(read_screen(path), EventKind.CLICK)
    assert click.label == "Delete file"
    assert click.pointer == pytest.approx((180 / 800, 92 / 480), abs=0.015)


def test_two_quick_clicks_are_one(tmp_path: Path) -> None:
    stage = Stage()
    stage.button("open", BUTTON, "Open")
    stage.wait(0.5)
    stage.move(300, 300)
    stage.move(160, 90)
    stage.press("click", lambda: None)
    for _ in range(2):
        stage.button("open", BUTTON, "Open", face="#7fa7e8")
        stage.wait(0.13)
        stage.button("open", BUTTON, "Open")
        stage.wait(0.13)
    stage.wait(1)
    assert len(of_kind(read_screen(stage.record(tmp_path / "v.mp4")), EventKind.CLICK)) == 1


def test_what_a_pointer_only_comes_over_is_not_clicked(tmp_path: Path) -> None:
    stage = Stage()
    for number in range(6):
        rect = (90, 60 + 40 * number, 330, 96 + 40 * number)
        stage.hovered(f"row {number}", rect, f"Invoice {number}")
    stage.wait(0.5)
    stage.move(500, 300)
    for number in range(6):
        stage.move(200, 76 + 40 * number, seconds=0.5)
        stage.wait(0.9)
    assert read_screen(stage.record(tmp_path / "v.mp4")).events == ()


def test_what_lights_up_as_the_pointer_comes_is_not_clicked(tmp_path: Path) -> None:
    stage = Stage()
    stage.button("open", BUTTON, "Open")
    stage.wait(0.5)
    stage.move(500, 300)
    stage.move(160, 88)
    stage.wait(0.05)
    stage.button("open", BUTTON, "Open", face="#7fa7e8")
    stage.wait(2)
    assert read_screen(stage.record(tmp_path / "v.mp4")).events == ()


def test_a_notice_far_from_the_pointer_is_no_event(tmp_path: Path) -> None:
    stage = Stage()
    stage.text("page", (90, 60), "Nothing to be done here")
    stage.wait(0.5)
    stage.move(200, 200)
    stage.move(140, 90)
    stage.wait(1.5)
    stage.button("notice", (560, 420, 780, 456), "Backup finished")
    stage.wait(1.5)
    del stage.parts["notice"]
    stage.wait(1)
    assert [
        event for event in read_screen(stage.record(tmp_path / "v.mp4")).events if event.confidence >= 0.5
    ] == []


def test_the_same_recording_reads_the_same_twice(tmp_path: Path) -> None:
    path = deleting(Stage()).record(tmp_path / "v.mp4")
    assert read_screen(path) == read_screen(path)
    assert Screen.from_plain(read_screen(path).as_plain()) == read_screen(path)


def tabs(stage: Stage, names: list[str]) -> Stage:
    """A page with tabs side by side on one ground, a line under the chosen one; each is gone to in turn."""
    lefts = [120 + 110 * number for number in range(len(names))]

    def show(chosen: int) -> None:
        for number, name in enumerate(names):
            stage.parts[f"tab {number}"] = tab(number, name, is_chosen=number == chosen)
        left = lefts[chosen]
        stage.parts["line"] = lambda draw: draw.rectangle((left - 8, 86, left + 70, 89), fill="#30c8a0")
        stage.parts["ground"] = lambda draw: None
        for row in range(4):
            stage.text(f"row {row}", (120, 140 + 44 * row), f"{names[chosen]} number {row + 1} of four")

    def tab(number: int, name: str, *, is_chosen: bool) -> Any:
        def draw_tab(draw: Any) -> None:
            left = lefts[number]
            if left - 12 <= stage.at[0] < left + 80 and 50 <= stage.at[1] < 90:
                draw.rounded_rectangle((left - 12, 52, left + 78, 88), 6, fill=stage.face)
            ink = stage.ink if is_chosen else "#8a8f9c"
            draw.text((left, 60), name, fill=ink, font=font(15))

        return draw_tab

    show(0)
    stage.wait(1)
    for number in range(1, len(names)):
        stage.move(lefts[number] + 22, 70)
        stage.press(names[number], lambda number=number: show(number))
        stage.move(500, 400)
        stage.wait(0.8)
    return stage


@pytest.mark.parametrize("is_dark", [False, True])
def test_of_tabs_side_by_side_the_one_under_the_pointer_is_named(is_dark: bool, tmp_path: Path) -> None:
    names = ["Profile", "Notices", "Security", "Billing"]
    stage = tabs(Stage(is_dark=is_dark), names)
    clicks = of_kind(read_screen(stage.record(tmp_path / "v.mp4")), EventKind.CLICK)
    assert [click.label for click in clicks] == names[1:]


def test_a_switch_has_the_name_above_what_is_said_of_it(tmp_path: Path) -> None:
    stage = Stage()
    switch = (600, 128, 636, 146)
    for row, (name, more) in enumerate(
        [("Weekly digest", "A summary on Monday"), ("Sound", "A tone at the end")]
    ):
        stage.text(f"name {row}", (120, 120 + 70 * row), name)
        stage.text(f"more {row}", (120, 142 + 70 * row), more, size=13)
        stage.button(f"switch {row}", (600, 128 + 70 * row, 636, 146 + 70 * row), "")
    stage.wait(1)
    stage.move(610, 136)
    stage.press("on", lambda: stage.button("switch 0", switch, "", face="#30c8a0"))
    stage.move(400, 400)
    stage.wait(0.8)
    (click,) = of_kind(read_screen(stage.record(tmp_path / "v.mp4")), EventKind.CLICK)
    assert click.label == "Weekly digest"


def test_an_item_of_a_menu_that_the_pointer_creeps_to_is_read_whole(tmp_path: Path) -> None:
    stage, items = Stage(), ("Shortcuts", "Licence terms", "Licence of others")

    def draw_menu(draw: Any) -> None:
        draw.rectangle((120, 86, 300, 160), fill=stage.face, outline="#606060")
        for row, name in enumerate(items):
            top = 90 + 23 * row
            is_lit = top <= stage.at[1] < top + 23
            if is_lit:
                draw.rectangle((122, top, 298, top + 22), fill="#405a78")
            draw.text((130, top + 2), name, fill="white" if is_lit else "black", font=font(15))

    def choose() -> None:
        stage.parts.pop("menu")
        stage.window("dialog", DIALOG, "Terms")

    stage.button("help", (120, 56, 180, 84), "Help")
    stage.text("more", (90, 300), "Reports of this month")
    stage.wait(0.8)
    stage.move(400, 300)
    stage.move(160, 74)
    stage.press("menu", lambda: stage.parts.update(menu=draw_menu))
    for y in range(79, 122, 5):
        stage.move(160, y, seconds=0.1)
    stage.press("item", choose)
    stage.move(500, 400)
    stage.wait(0.8)
    clicks = of_kind(read_screen(stage.record(tmp_path / "v.mp4")), EventKind.CLICK)
    assert [click.label for click in clicks] == ["Help", "Licence terms"]


def ticks(stage: Stage, shown: bool) -> Stage:
    """A box to tick, of which only the tick changes; `shown`: its words are where the pointer is."""

    def tick(is_on: bool) -> Any:
        def draw_tick(draw: Any) -> None:
            draw.rectangle((120, 120, 131, 131), outline="#606060")
            if is_on:
                draw.rectangle((123, 123, 128, 128), fill=stage.ink)

        return draw_tick

    stage.parts["tick"] = tick(False)
    if shown:
        stage.text("words", (138, 116), "Show cut marks")
    stage.text("page", (120, 300), "The page has more than this")
    stage.wait(0.6)
    stage.move(300, 300)
    stage.move(190, 124)
    stage.press("click", lambda: stage.parts.update(tick=tick(True)))
    stage.move(400, 400)
    stage.wait(0.8)
    return stage


@pytest.mark.parametrize("shown", [True, False])
def test_of_a_tick_the_words_that_the_pointer_is_on_are_named(shown: bool, tmp_path: Path) -> None:
    stage = ticks(Stage(), shown)
    clicks = of_kind(read_screen(stage.record(tmp_path / "v.mp4")), EventKind.CLICK)
    assert [click.label for click in clicks] == (["Show cut marks"] if shown else [])


def test_a_caret_that_comes_into_a_field_under_the_pointer_is_a_click(tmp_path: Path) -> None:
    stage, field = Stage(), (150, 110, 420, 138)
    stage.text("label", (90, 114), "Folder")
    stage.field("field", field)
    stage.wait(0.6)
    stage.move(500, 300)
    stage.move(260, 122)
    stage.wait(0.6)
    stage.mark("click")
    for blink in range(6):
        stage.field("field", field, has_caret=blink % 2 == 0)
        stage.wait(0.5)
    (click,) = of_kind(read_screen(stage.record(tmp_path / "v.mp4")), EventKind.CLICK)
    assert click.label == "Folder"
    assert click.at_ms == pytest.approx(stage.times_ms["click"], abs=150)
