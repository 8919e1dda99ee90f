"""The parts that `read_screen` is made of, each by itself, on drawn pictures."""

from __future__ import annotations

import numpy as np
import pytest
from av.video.frame import VideoFrame
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from jobs.media.screen import fields
from jobs.media.screen.changes import Part, parts_of, step_between
from jobs.media.screen.clicks import Clicks
from jobs.media.screen.fields import SECRET
from jobs.media.screen.frames import new_rectangle
from jobs.media.screen.labels import PRIVATE, Reader
from jobs.media.screen.lines import spelt
from jobs.media.screen.pointer import Place, Pointer
from jobs.media.screen.runs import Run
from jobs.media.screen.sampling import Box, Sample
from jobs.media.screen.shapes import Shape, tip_of
from tests.jobs.media.screen.lettering import font, line
from tests.jobs.media.screen.stage import ARROW


def grey(width: int, height: int, *boxes: tuple[int, int, int, int], level: int = 0) -> NDArray[np.uint8]:
    image = Image.new("L", (width, height), 255)
    for box in boxes:
        ImageDraw.Draw(image).rectangle(box, outline=level)
    return np.array(image)


@pytest.mark.parametrize("size", [3, 6, 9])
def test_dots_are_told_from_letters(size: int) -> None:
    image = Image.new("RGB", (200, 26), "white")
    for place in range(7):
        left = 10 + place * (size + 3)
        ImageDraw.Draw(image).ellipse(
            (left, 13 - size // 2, left + size, 13 - size // 2 + size), fill="black"
        )
    assert fields._is_hidden(np.asarray(image))
    for text in ("illness", "Harbour", "100 000", "aba", "a"):
        assert not fields._is_hidden(line(text, 16))


@pytest.mark.parametrize(
    "text", ["kim@larkpost.example", "pk_live_8Hd2mQ71xZ", "4000 0566 5566 5556", "+1 555 0142 338"]
)
def test_what_is_private_makes_no_hot_word(text: str) -> None:
    assert PRIVATE.search(text) and not PRIVATE.search("Invoice 1043 of 12 May")


def test_a_caret_behind_the_last_letter_is_taken_away() -> None:
    clean = line("Harbour", 16, width=160)
    drawn = clean.copy()
    last = int(np.flatnonzero((clean < 128).any(axis=(0, 2)))[-1])
    drawn[8:34, last + 3] = 0
    assert (fields._without_caret(drawn, 26) == clean).all()
    assert (fields._without_caret(clean, 26) == clean).all()


@pytest.mark.parametrize(
    "label",
    [
        "Password",
        "Current password",
        "PIN",
        "API key",
        "Secret",
        "Access token",
        "CVV",
        "Kennwort",
        "Passwort",
    ],
)
def test_labels_of_secrets_are_known(label: str) -> None:
    assert SECRET.search(label)


@pytest.mark.parametrize(
    "label", ["Name", "Keyboard", "Spinach", "Monkey", "Passenger", "Shipping", "Compass"]
)
def test_other_labels_are_no_secrets(label: str) -> None:
    assert not SECRET.search(label)


@pytest.mark.parametrize(
    ("read", "label"),
    [
        ("Name:", "Name"),
        ("Name *", "Name"),
        ("☐ Send a short survey", "Send a short survey"),
        ("Sort by ▾", "Sort by"),
        ("Amount[", "Amount"),
        ("#4800 - 12 hours ago", "#4800 - 12 hours ago"),
        ("Delete the file?", "Delete the file?"),
        ("»", ""),
    ],
)
def test_marks_around_a_label_are_left_out(read: str, label: str) -> None:
    assert spelt(read) == label


def test_changes_near_one_another_are_one_part() -> None:
    changed: NDArray[np.uint8] = np.zeros((200, 300), np.uint8)
    changed[50:62, 40:48] = changed[52:62, 52:60] = 255
    changed[150:170, 250:280] = 255
    assert parts_of(changed) == (Part(Box(40, 50, 60, 62), 176), Part(Box(250, 150, 280, 170), 600))


def test_a_new_frame_is_found_and_an_old_one_is_not() -> None:
    old = (20, 20, 480, 280)
    before, after = grey(500, 300, old), grey(500, 300, old, (100, 80, 400, 220))
    assert new_rectangle(before, after) == pytest.approx((100, 80, 400, 220), abs=1)
    assert new_rectangle(after, before) is None
    assert new_rectangle(before, before) is None


def test_the_tip_is_that_of_an_arrow_or_the_middle_of_a_bar() -> None:
    arrow = np.tril(np.ones((18, 12), bool))
    assert tip_of(arrow) == (0, 0)
    bar = np.zeros((20, 9), bool)
    bar[:, 4] = bar[0] = bar[-1] = True
    assert tip_of(bar) == (4, 10)


@pytest.mark.parametrize(
    ("places", "is_known"),
    [
        ([(10, 10)], False),
        ([(10, 10), (30, 12)], False),
        ([(10, 10), (10, 300)], False),
        ([(10, 10), (90, 60)], True),
    ],
)
def test_a_shape_is_a_pointer_when_it_was_far_about(places: list[tuple[int, int]], is_known: bool) -> None:
    shape = Shape(np.zeros((18, 12), np.uint8), np.full((18, 12), 255, np.uint8), (0, 0))
    for left, top in places:
        shape.seen(Box(left, top, left + 12, top + 18))
    if len(places) > 1:
        shape.places = max(shape.places, 2)
    assert shape.is_known is is_known


@pytest.mark.parametrize(("size", "is_one"), [(18, True), (26, True), (36, False)])
def test_what_is_much_larger_than_the_pointer_is_none(size: int, is_one: bool) -> None:
    reach = Box(0, 0, 400, 400)
    usual, other = (
        Shape(np.zeros((each, each), np.uint8), np.full((each, each), 255, np.uint8), (0, 0), reach=reach)
        for each in (20, size)
    )
    usual.places, other.places = 40, 3
    pointer = Pointer()
    pointer.shapes = [usual, other]
    assert (other in pointer.known()) is is_one


def drawn(*texts: tuple[int, int, str]) -> Sample:
    image = Image.new("RGB", (800, 480), "white")
    for x, y, text in texts:
        ImageDraw.Draw(image).text((x, y), text, fill="black", font=font(16))
    return Sample(0, VideoFrame.from_ndarray(np.asarray(image), format="rgb24"))


def test_of_names_side_by_side_the_one_under_the_pointer_is_read() -> None:
    tabs = drawn((110, 163, "Alerts"), (200, 166, "Security"))
    named = Reader().on_control(tabs, Box(105, 159, 270, 192), (224, 170))
    assert named is not None and named.text == "Security"


def test_a_switch_is_named_by_what_stands_above_what_is_said_of_it() -> None:
    row = drawn((120, 120, "Weekly digest"), (120, 142, "A summary on Monday"))
    named = Reader().on_control(row, Box(600, 138, 636, 160), (610, 150))
    assert named is not None and named.text == "Weekly digest"


def test_a_caret_that_blinks_just_before_a_click_does_not_hide_it() -> None:
    """The pointer came at 1 s. A button may light up soon after that, and what is clicked changes later."""
    picture = drawn()
    caret, value = Part(Box(120, 20, 124, 42), 26), Part(Box(100, 60, 130, 82), 400)
    parts = [(1_080, caret), (1_260, value)]
    place = Place(Box(180, 70, 192, 89), (180, 70), 1_000)
    run = Run(picture, picture, place, False, (caret,), 1_080, 1_260, parts)
    click = Clicks().judge(run, parts, None, typed_ms=None)
    assert click is not None and click.at_ms == pytest.approx(1_260, abs=50)


def arrow(
    at: tuple[int, int], *, page: tuple[tuple[int, int, str], ...] = (), is_hidden: bool = False
) -> Sample:
    """A page with an arrow as pointer, which may be hidden on a dark bar."""
    image = Image.new("RGB", (800, 480), "white")
    draw = ImageDraw.Draw(image)
    for x, y, text in page:
        draw.text((x, y), text, fill="black", font=font(14))
    draw.polygon([(at[0] + x, at[1] + y) for x, y in ARROW], fill="black")
    if is_hidden:
        draw.rectangle((60, 70, 300, 140), fill="#666666")
    return Sample(0, VideoFrame.from_ndarray(np.asarray(image), format="rgb24"))


def shape_at(sample: Sample, box: Box, *, places: int) -> Shape:
    pixels = sample.grey[box.top : box.bottom, box.left : box.right].copy()
    mask = np.where(pixels < 128, 255, 0).astype(np.uint8)
    reach = Box(0, 0, 400, 400) if places > 1 else box
    return Shape(pixels, mask, (0, 0), places, views=20, last=box, reach=reach)


def arrow_box(x: int, y: int) -> Box:
    return Box(x, y, x + 12, y + 19)


def test_a_pointer_that_was_taken_for_a_letter_is_found_as_it_moves() -> None:
    letter = ((500, 300, "g"),)
    before, after = (arrow(at, page=letter) for at in ((200, 200), (260, 240)))
    pointer, wrong = Pointer(), Box(500, 304, 509, 317)
    pointer.shapes = [shape_at(before, arrow_box(200, 200), places=8), shape_at(before, wrong, places=1)]
    pointer.place = Place(wrong, (500, 304), 0, shape=pointer.shapes[1])
    place = pointer.follow(step_between(before, after), [], [])
    assert place is not None and place.tip == (260, 240)


def test_letters_of_a_new_page_are_not_taken_for_the_pointer() -> None:
    tip, words = (100, 100), tuple((340, 40 * row, "Sum") for row in range(1, 9))
    before, after = arrow(tip), arrow(tip, page=words, is_hidden=True)
    pointer = Pointer()
    pointer.shapes = [shape_at(before, arrow_box(*tip), places=8)]
    pointer.place = Place(arrow_box(*tip), tip, 0, shape=pointer.shapes[0])
    pointer._seen.append((before.grey, arrow_box(*tip)))
    place = pointer.follow(step_between(before, after), [], [])
    assert place is not None and place.tip == tip
