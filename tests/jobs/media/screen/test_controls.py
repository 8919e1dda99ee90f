"""Names of controls, on drawn pictures of desktop programs: what is under the pointer, in which row, beside what."""

from __future__ import annotations

import numpy as np
import pytest
from av.video.frame import VideoFrame
from PIL import Image, ImageDraw

from jobs.media.screen.changes import Part, Step
from jobs.media.screen.controls import control_at, row_lit, unhidden
from jobs.media.screen.fields import _is_same
from jobs.media.screen.labels import Reader
from jobs.media.screen.lines import spelt
from jobs.media.screen.marks import after_tick, is_choice
from jobs.media.screen.sampling import Box, Sample
from jobs.media.screen.scrolls import scrolled
from tests.jobs.media.screen.lettering import font
from tests.jobs.media.screen.stage import ARROW

GREY, LIGHT, DARK = "#d9d9d9", "#ececec", "#4a6984"


class Canvas:
    """A grey window, on which programs in Tk are drawn. A pointer is drawn last."""

    def __init__(self) -> None:
        self.image = Image.new("RGB", (800, 480), GREY)
        self.draw = ImageDraw.Draw(self.image)

    def text(self, x: int, y: int, text: str, *, size: int = 15, ink: str = "black") -> Canvas:
        self.draw.text((x, y), text, fill=ink, font=font(size))
        return self

    def box(self, *box: int, fill: str = "white", outline: str | None = "#828282") -> Canvas:
        self.draw.rectangle(box, fill=fill, outline=outline)
        return self

    def seen(self, pointer: tuple[int, int] | None = None) -> Sample:
        image = self.image.copy()
        if pointer:
            corners = [(pointer[0] + x, pointer[1] + y) for x, y in ARROW]
            ImageDraw.Draw(image).polygon(corners, fill="black", outline="white")
        return Sample(0, VideoFrame.from_ndarray(np.asarray(image), format="rgb24"))


def pointer_box(x: int, y: int) -> Box:
    return Box(x, y, x + 12, y + 19)


@pytest.mark.parametrize("face", [GREY, LIGHT])
def test_letters_under_the_pointer_come_from_an_earlier_picture(face: str) -> None:
    earlier, now = (
        Canvas().box(200, 100, 330, 126, fill=fill).text(222, 103, "Save member") for fill in (GREY, face)
    )
    tip = 250, 105
    clear = [(earlier.seen((500, 300)), pointer_box(500, 300))]
    picture = unhidden(now.seen(tip), clear, pointer_box(*tip), tip)
    hidden = Reader().on_control(now.seen(tip), Box(201, 101, 330, 126), tip)
    assert hidden is not None and hidden.text != "Save member"
    control = control_at(picture, tip, pointer_box(*tip))
    named = Reader().on_control(picture, control, tip)
    assert named is not None and named.text == "Save member"


def test_what_was_elsewhere_is_not_put_under_the_pointer() -> None:
    earlier, now = Canvas().text(222, 103, "Another page, and longer"), Canvas().text(222, 103, "Save member")
    tip = 250, 105
    picture = now.seen(tip)
    assert unhidden(picture, [(earlier.seen(), pointer_box(500, 300))], pointer_box(*tip), tip) is picture


def menu(*, is_lit: bool) -> Canvas:
    drawn = Canvas().box(200, 80, 360, 124, fill=LIGHT)
    if is_lit:
        drawn.box(202, 101, 358, 122, fill=DARK, outline=None)
    drawn.text(210, 82, "Export list", size=13)
    return drawn.text(210, 103, "Licence terms", size=13, ink="white" if is_lit else "black")


@pytest.mark.parametrize("late", [(), ((300, 300),)])
def test_letters_of_a_row_that_lights_up_come_from_before(late: tuple[tuple[int, int], ...]) -> None:
    """`late` is where the pointer is thought to be in a later picture, in which it is where it was clicked."""
    tip = 240, 108
    clear = [(menu(is_lit=True).seen((238, 108)), pointer_box(*place)) for place in late]
    clear.append((menu(is_lit=False).seen((500, 300)), pointer_box(500, 300)))
    picture = unhidden(menu(is_lit=True).seen(tip), clear, pointer_box(*tip), tip)
    named = Reader().on_control(picture, control_at(picture, tip, pointer_box(*tip)), tip)
    assert named is not None and named.text == "Licence terms"


def test_a_field_that_is_wide_is_whole() -> None:
    field = Canvas().box(20, 100, 780, 136)
    control = control_at(field.seen((60, 112)), (60, 112), pointer_box(60, 112))
    assert control == pytest.approx((21, 101, 780, 136), abs=1)


def test_a_field_that_the_pointer_parts_is_whole() -> None:
    field = Canvas().box(200, 100, 420, 118).box(300, 98, 311, 120, fill="black", outline=None)
    control = control_at(field.seen(), (300, 108), Box(300, 98, 312, 121))
    assert control == pytest.approx((201, 101, 420, 118), abs=1)


def test_a_control_is_what_the_pointer_is_on() -> None:
    menu = Canvas().box(150, 150, 400, 260).box(200, 180, 320, 240, fill=GREY)
    menu.box(203, 210, 317, 230, fill=LIGHT, outline=None).text(210, 210, "Roll 62")
    tip = 240, 218
    control = control_at(menu.seen(tip), tip, pointer_box(*tip))
    assert control == pytest.approx((203, 210, 318, 231), abs=1)


def rows(chosen: int | None, names: tuple[str, ...] = ("Address large", "Shipping", "Jar label")) -> Canvas:
    listed = Canvas().box(150, 150, 390, 280)
    for number, name in enumerate(names):
        top = 152 + 17 * number
        if number == chosen:
            listed.box(152, top, 388, top + 16, fill=DARK, outline=None)
        listed.text(154, top - 1, name, size=13, ink="white" if number == chosen else "black")
    return listed


def test_of_a_list_the_row_that_a_click_lights_up_is_named() -> None:
    before, after, tip = rows(None).seen((230, 177)), rows(1).seen((230, 177)), (230, 177)
    row = row_lit(before, after, Box(151, 151, 390, 280), tip, pointer_box(*tip))
    assert row == pytest.approx((151, 169, 390, 186), abs=1)
    named = Reader().on_control(before, row, tip)
    assert named is not None and named.text == "Shipping"


def test_a_row_that_says_something_else_is_not_the_same() -> None:
    before, after, tip = rows(None), rows(1, ("Address large", "Overview of it", "Jar label")), (300, 177)
    control = Box(151, 151, 390, 280)
    assert row_lit(before.seen(tip), after.seen(tip), control, tip, pointer_box(*tip)) is None


def test_of_a_list_without_marks_the_row_beside_the_pointer_is_named() -> None:
    listed = rows(None, ("Address large", "Shipping", "File folder", "Name badge", "Jar label"))
    named = Reader().on_control(listed.seen(), Box(151, 151, 390, 280), (300, 177))
    assert named is not None and named.text == "Shipping"


def test_of_a_card_the_name_is_read_and_not_what_is_said_of_it() -> None:
    card = Canvas().box(150, 150, 390, 230).text(168, 166, "South bed", size=16)
    card.text(168, 195, "Lettuce, three kinds", size=14, ink="#808080")
    named = Reader().on_control(card.seen(), Box(151, 151, 390, 230), (260, 204))
    assert named is not None and named.text == "South bed"


def tabs() -> Canvas:
    drawn = Canvas().box(100, 155, 700, 195, fill="white")
    for number, name in enumerate(("Profile", "Notices", "Security", "Billing")):
        drawn.text(120 + 140 * number, 164, name)
    return drawn


@pytest.mark.parametrize(("is_row", "name"), [(False, "Security"), (True, "Profile")])
def test_of_tabs_on_a_wide_bar_the_one_under_the_pointer_is_named(is_row: bool, name: str) -> None:
    named = Reader().on_control(tabs().seen(), Box(101, 156, 700, 195), (420, 174), is_row=is_row)
    assert named is not None and named.text == name


def test_a_switch_is_named_by_the_first_of_the_lines_right_of_it() -> None:
    row = Canvas().text(160, 120, "Low fuel").text(160, 141, "Below a fifth of the tank", size=13)
    named = Reader().on_control(row.seen(), Box(110, 138, 144, 156), (124, 146))
    assert named is not None and named.text == "Low fuel"


def test_a_switch_that_is_half_hidden_has_the_first_line_left_of_it() -> None:
    row = Canvas().text(160, 112, "Low fuel").text(160, 131, "Below a fifth of the tank", size=13)
    named = Reader().on_control(row.seen(), Box(500, 134, 520, 148), (507, 136))
    assert named is not None and named.text == "Low fuel"


@pytest.mark.parametrize("name", ["Visible in shop", "Free shipping"])
def test_a_box_to_tick_close_to_its_words_has_them_as_name(name: str) -> None:
    tick = Canvas().box(40, 100, 53, 113).text(58, 97, name, size=14)
    named = Reader().on_control(tick.seen(), Box(41, 101, 53, 113), (47, 107))
    assert named is not None and named.text == name


def form() -> Canvas:
    drawn = Canvas().text(120, 102, "Sender:").box(185, 100, 420, 122).text(189, 101, "Marta Olsen")
    return drawn.text(120, 130, "Street:").box(185, 128, 420, 150)


@pytest.mark.parametrize(
    ("field", "label"), [(Box(186, 101, 420, 122), "Sender:"), (Box(186, 129, 420, 150), "Street:")]
)
def test_a_field_is_named_by_its_own_label(field: Box, label: str) -> None:
    named = Reader().of_field(form().seen(), field)
    assert named is not None and named.text == label


def test_a_label_level_with_a_field_is_nearer_than_what_stands_above() -> None:
    page = Canvas().text(204, 76, "Develop").text(110, 102, "Look").box(200, 100, 420, 126)
    named = Reader().of_field(page.seen(), Box(201, 101, 420, 126))
    assert named is not None and named.text == "Look"


def test_what_stands_in_the_field_above_is_no_label() -> None:
    drawn = Canvas().box(185, 100, 420, 122).text(189, 101, "Marta Olsen").box(185, 128, 420, 150)
    assert Reader().of_field(drawn.seen(), Box(186, 129, 420, 150)) is None


def test_a_choice_above_a_field_is_no_label() -> None:
    drawn = Canvas().text(205, 105, "Weekly").box(185, 132, 420, 154).text(20, 133, "Keep versions for")
    drawn.draw.ellipse((188, 109, 200, 121), fill="white", outline="#606060")
    named = Reader().of_field(drawn.seen(), Box(186, 133, 420, 154))
    assert named is not None and spelt(named.text) == "Keep versions for"


def combobox(*, has_arrow: bool = True) -> Canvas:
    drawn = Canvas().text(120, 130, "Format").box(185, 128, 330, 150).text(190, 128, "PDF file")
    drawn.box(331, 128, 350, 150, fill=LIGHT)
    if has_arrow:
        drawn.draw.polygon([(336, 137), (344, 137), (340, 141)], fill="black")
    return drawn


def test_a_closed_list_has_its_label_or_what_is_chosen_as_name() -> None:
    box, tip = Box(186, 129, 330, 150), (230, 140)
    for drawn, name in ((combobox(), "Format"), (combobox(has_arrow=False), "PDF file")):
        named = Reader().on_control(drawn.seen(), box, tip)
        assert named is not None and named.text == name
    alone = combobox().box(110, 120, 180, 155, fill=GREY, outline=None)
    named = Reader().on_control(alone.seen(), box, tip)
    assert named is not None and named.text == "PDF file"


@pytest.mark.parametrize(
    ("mark", "is_list"),
    [
        ([(336, 137), (344, 137), (340, 141)], True),
        ([(312, 138), (313, 137), (317, 141), (321, 137), (322, 138), (317, 143)], True),
        ([(336, 129), (344, 129), (340, 133)], False),
        ([(336, 138), (346, 138), (346, 141), (336, 141)], False),
    ],
)
def test_only_an_arrow_at_the_middle_of_its_side_makes_a_list(
    mark: list[tuple[int, int]], is_list: bool
) -> None:
    drawn = Canvas().box(185, 128, 330, 150).text(190, 128, "Compact rows")
    drawn.draw.polygon(mark, fill="black")
    assert is_choice(drawn.seen(), Box(186, 129, 330, 150), [Box(190, 130, 290, 148)]) is is_list


@pytest.mark.parametrize(("left", "is_list"), [(398, True), (340, False), (None, False)])
def test_a_small_mark_at_the_far_end_makes_a_list(left: int | None, is_list: bool) -> None:
    drawn = Canvas().box(185, 128, 420, 150).text(190, 128, "Pick a day")
    if left:
        drawn.box(left, 133, left + 12, 145, outline="#404040")
    assert is_choice(drawn.seen(), Box(186, 129, 420, 150), [Box(190, 130, 262, 148)]) is is_list


@pytest.mark.parametrize("shape", ["square", "circle", "diamond"])
def test_a_box_to_tick_is_no_letter_of_its_name(shape: str) -> None:
    drawn = Canvas().text(220, 120, "Send invitations")
    if shape == "square":
        drawn.box(200, 124, 211, 135)
        drawn.draw.line((202, 126, 209, 133), fill="black", width=2)
        drawn.draw.line((209, 126, 202, 133), fill="black", width=2)
    elif shape == "circle":
        drawn.draw.ellipse((200, 124, 211, 135), outline="#606060")
    else:
        drawn.draw.polygon([(206, 123), (212, 129), (206, 135), (200, 129)], outline="#606060")
    begin = after_tick(drawn.seen(), Box(198, 120, 330, 140))
    assert begin is not None and 213 <= begin <= 221
    named = Reader().on_control(drawn.seen(), Box(190, 116, 340, 144), (260, 130))
    assert named is not None and named.text == "Send invitations"


def test_the_first_letter_of_a_name_is_no_box_to_tick() -> None:
    for text in ("A tale of two", "1 of four", "Orders"):
        assert after_tick(Canvas().text(200, 120, text).seen(), Box(198, 120, 330, 140)) is None
    apart = Canvas().text(200, 120, "A").text(219, 120, "tale of two").seen()
    assert after_tick(apart, Box(198, 120, 330, 140)) is None


def test_a_mark_that_moves_from_one_row_to_another_is_no_scrolling() -> None:
    upper, lower = Box(152, 152, 389, 169), Box(152, 250, 389, 267)
    changed = np.zeros((480, 800), np.uint8)
    for part in (upper, lower):
        changed[part.top : part.bottom, part.left : part.right] = 255
    pictures = []
    for chosen in (upper, lower):
        drawn = Canvas().box(150, 150, 390, 280)
        drawn.box(chosen.left, chosen.top, chosen.right - 1, chosen.bottom - 1, fill=DARK, outline=None)
        drawn.text(154, chosen.top - 1, "Pictures", size=13, ink="white")
        pictures.append(drawn.seen())
    before, after = pictures
    parts = tuple(Part(part, part.area) for part in (upper, lower))
    assert scrolled(Step(before, after, changed, parts)) is None


@pytest.mark.parametrize(
    ("text", "earlier", "is_same"),
    [
        ("Shut down afterwards", "D Shut down afterward", True),
        ("Fairhaven", "", False),
        ("Fairhaven", "Fairmont Hill", False),
        ("12", "13", False),
    ],
)
def test_what_was_there_before_was_not_typed(text: str, earlier: str, is_same: bool) -> None:
    assert _is_same(text, earlier) is is_same
