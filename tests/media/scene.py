"""The screens of the invented invoicing application of the sample recording, drawn from a `State`."""

from __future__ import annotations

from functools import lru_cache

from desktop import ACCENT, ACCENT_DARK, LINE, SOFT, WINDOW, empty_window, status_bar
from paint import INK, Rect, box, lines, pointer, ripple, shadow, text
from PIL import Image
from storyboard import CUSTOMER, Press, State

GREY = "#6b7280"
GREEN, RED = "#2b8a3e", "#c92a2a"
CLICK_LASTS_S = 0.5

TARGETS: dict[str, Rect] = {
    "desk": (600, 480, 640, 520),
    "page": (640, 100, 700, 120),
    "new_invoice": (1028, 78, 1168, 114),
    "customer": (256, 170, 676, 206),
    "suggestion": (256, 212, 676, 268),
    "terms": (708, 242, 918, 278),
    "option_0": (712, 286, 914, 320),
    "option_1": (712, 320, 914, 354),
    "option_2": (712, 354, 914, 388),
    "option_3": (712, 388, 914, 422),
    "add_item": (256, 448, 376, 484),
    "beside_item": (520, 470, 560, 500),
    "description": (256, 356, 690, 392),
    "hours": (702, 356, 802, 392),
    "price": (814, 356, 954, 392),
    "total": (860, 624, 1168, 660),
    "save": (952, 78, 1062, 114),
    "send": (1074, 78, 1168, 114),
    "message": (400, 322, 440, 336),
    "message_end": (700, 396, 760, 410),
    "reminder": (792, 452, 836, 476),
    "cancel": (620, 514, 712, 550),
    "send_now": (724, 514, 844, 550),
    **{f"row_{row}": (236, 266 + 48 * row, 1168, 314 + 48 * row) for row in range(8)},
}
"""Places that the pointer goes to, in pixels; buttons, fields and rows are drawn at these same places."""

CAN_HOVER = {
    "list": ("new_invoice", *(f"row_{row}" for row in range(8))),
    "editor": ("add_item", "save", "send", "terms"),
    "menu": ("option_0", "option_1", "option_2", "option_3"),
    "dialog": ("cancel", "send_now"),
}
TERMS = ("Due on receipt", "14 days", "30 days", "60 days")
ROWS = (
    ("1042", "Green Valley Farm", "12 May", "640.00", "Sent"),
    ("1041", "City Music School", "9 May", "1,980.00", "Paid"),
    ("1040", "North Street Bakery", "6 May", "415.50", "Paid"),
    ("1039", "Lakeside Hotel", "2 May", "3,260.00", "Sent"),
    ("1038", "Old Mill Theater", "28 April", "1,250.00", "Overdue"),
    ("1037", "Silver Cinema", "24 April", "870.00", "Paid"),
    ("1036", "Harvest Kitchen", "19 April", "2,105.00", "Paid"),
    ("1035", "Stone Bridge Garage", "15 April", "560.00", "Paid"),
)
MESSAGE = (
    "Dear customer,",
    "",
    "Please find attached invoice 1043 over 1,122.00.",
    "It is due within 30 days. Thank you for your order!",
)


def hover_for(state: State, x: float, y: float) -> str:
    """The name of the button, option or row under the pointer, or an empty text."""
    layer = "dialog" if state.dialog else "menu" if state.menu_open else state.view
    for name in CAN_HOVER[layer]:
        left, top, right, bottom = TARGETS[name]
        if left <= x < right and top <= y < bottom:
            return name
    return ""


def draw_frame(
    state: State, frame: int, *, fps: int, tip: tuple[float, float], press: Press | None
) -> Image.Image:
    """One picture of the recording: the application, the pointer, a click's ring and the status bar."""
    image = _application(state).copy()
    if press is not None:
        ripple(image, press.x, press.y, press.age_s / CLICK_LASTS_S)
    pointer(image, *tip, pressed=press is not None and press.age_s < 0.12)
    status_bar(image, frame, fps=fps)
    return image


@lru_cache(maxsize=8)
def _application(state: State) -> Image.Image:
    image = empty_window().copy()
    if state.view == "list":
        _list_view(image, state)
    else:
        _editor_view(image, state)
    if state.dialog:
        shaded = image.copy()
        box(shaded, WINDOW, "#10131c", radius=12, opacity=0.45)
        _dialog(shaded, state)
        image = Image.blend(image, shaded, state.dialog)
    if state.toast:
        shadow(image, (846, 616, 1176, 662), radius=10, spread=12)
        box(image, (846, 616, 1176, 662), "#22262f", radius=10)
        _tick(image, 868, 639, "#69db7c")
        text(image, (886, 639), f"Invoice 1043 was sent to {CUSTOMER}", size=13, fill="#ffffff")
    return image


def _tick(image: Image.Image, x: int, y: int, colour: str) -> None:
    lines(image, [(x - 5, y), (x - 1, y + 4), (x + 6, y - 5)], colour, width=2.4)


def _button(image: Image.Image, state: State, name: str, words: str, *, main: bool = False) -> None:
    rect, over = TARGETS[name], state.hover == name
    if main:
        box(image, rect, ACCENT_DARK if over else ACCENT, radius=8)
    else:
        box(image, rect, "#eef1f6" if over else "#ffffff", radius=8, outline="#c9cfda")
    middle = ((rect[0] + rect[2]) // 2, (rect[1] + rect[3]) // 2)
    text(image, middle, words, weight=600, fill="#ffffff" if main else "#2b3140", anchor="m")


def _field(image: Image.Image, rect: Rect, value: str, *, focused: bool = False, caret: bool = False) -> None:
    if focused:
        box(image, (rect[0] - 2, rect[1] - 2, rect[2] + 2, rect[3] + 2), "#c5d0ff", radius=9)
    box(image, rect, "#ffffff", radius=7, outline=ACCENT if focused else "#c9cfda")
    middle = (rect[1] + rect[3]) // 2
    width = text(image, (rect[0] + 12, middle), value)
    if focused and caret:
        box(image, (rect[0] + 13 + width, middle - 9, rect[0] + 15 + width, middle + 9), INK)


def _card(image: Image.Image, rect: Rect) -> None:
    box(image, rect, "#ffffff", radius=10, outline=LINE)


def _label(image: Image.Image, x: int, y: int, words: str, *, anchor: str = "l") -> None:
    text(image, (x, y), words, size=12, weight=500, fill=GREY, anchor=anchor)


def _list_view(image: Image.Image, state: State) -> None:
    text(image, (236, 96), "Invoices", size=25, weight=700)
    _field(image, (760, 78, 1014, 114), "")
    text(image, (774, 96), "Search invoices", fill="#9aa1ae")
    _button(image, state, "new_invoice", "+  New invoice", main=True)
    owed, now = ("6,272.00", "15,502.00") if state.sent else ("5,150.00", "14,380.00")
    cards = (("Open", owed, ACCENT), ("Overdue", "1,250.00", RED), ("Billed this month", now, GREEN))
    for index, (words, amount, colour) in enumerate(cards):
        left = 236 + 316 * index
        _card(image, (left, 132, left + 300, 208))
        box(image, (left + 14, 148, left + 18, 192), colour, radius=2)
        _label(image, left + 32, 156, words)
        text(image, (left + 32, 184), amount, size=20, weight=600)
    _card(image, (236, 226, 1168, 664))
    for x, words, anchor in ((260, "Number", "l"), (370, "Customer", "l"), (700, "Date", "l")):
        _label(image, x, 247, words, anchor=anchor)
    _label(image, 960, 247, "Amount", anchor="r")
    _label(image, 1040, 247, "Status")
    new = (("1043", CUSTOMER, "14 May", "1,122.00", "Sent"),) if state.sent else ()
    for index, row in enumerate((*new, *ROWS)[:8]):
        _list_row(image, state, index, row)


def _list_row(image: Image.Image, state: State, index: int, row: tuple[str, str, str, str, str]) -> None:
    left, top, right, bottom = TARGETS[f"row_{index}"]
    middle = (top + bottom) // 2
    if state.sent and index == 0:
        box(image, (left + 1, top, right - 1, bottom), "#e6f6ea")
    elif state.hover == f"row_{index}":
        box(image, (left + 1, top, right - 1, bottom), SOFT)
    box(image, (left + 1, top, right - 1, top + 1), LINE)
    text(image, (260, middle), row[0], fill=ACCENT_DARK, weight=600)
    text(image, (370, middle), row[1])
    text(image, (700, middle), row[2], fill="#4b5260")
    text(image, (960, middle), row[3], weight=600, anchor="r")
    pale, dark = {"Sent": ("#dde4ff", ACCENT_DARK), "Paid": ("#d8f3dc", GREEN)}.get(row[4], ("#ffe3e3", RED))
    box(image, (1034, middle - 12, 1120, middle + 12), pale, radius=12)
    text(image, (1077, middle), row[4], size=12, weight=600, fill=dark, anchor="m")


def _editor_view(image: Image.Image, state: State) -> None:
    text(image, (236, 80), "Invoices   ›   New", size=12, fill=GREY)
    text(image, (236, 104), "New invoice", size=22, weight=700)
    _button(image, state, "save", "Save draft")
    _button(image, state, "send", "Send", main=True)
    _card(image, (236, 132, 1168, 306))
    for x, y, words in (
        (256, 156, "Customer"),
        (256, 226, "Billing address"),
        (708, 156, "Invoice number"),
        (938, 156, "Date"),
        (708, 228, "Payment terms"),
        (938, 228, "Due date"),
    ):
        _label(image, x, y, words)
    focused = state.focus == "customer"
    _field(image, TARGETS["customer"], state.customer, focused=focused, caret=state.caret)
    if not state.customer and not focused:
        text(image, (268, 188), "Choose a customer", fill="#9aa1ae")
    address = ("27 Harbor Street", "Port Haven  04101") if state.address else ("–",)
    for row, words in enumerate(address):
        text(image, (256, 250 + 22 * row), words, fill=INK if state.address else GREY)
    _field(image, (708, 170, 918, 206), "1043")
    _field(image, (938, 170, 1148, 206), "14 May")
    _field(image, TARGETS["terms"], state.terms, focused=state.menu_open)
    lines(image, [(894, 257), (899, 263), (904, 257)], "#4b5260", width=2)
    _field(image, (938, 242, 1148, 278), "13 June" if state.terms == "30 days" else "14 May")
    _items(image, state)
    _totals(image, state)
    if focused and len(state.customer) > 2:
        _suggestion(image, state)
    if state.menu_open:
        _menu(image, state)


def _suggestion(image: Image.Image, state: State) -> None:
    rect = TARGETS["suggestion"]
    shadow(image, rect, radius=8, spread=10, opacity=0.3)
    box(image, rect, "#ffffff", radius=8, outline=LINE)
    box(image, (rect[0] + 4, rect[1] + 4, rect[2] - 4, rect[3] - 4), "#eef1ff", radius=6)
    box(image, (270, 224, 302, 256), "#1098ad", radius=16)
    text(image, (286, 240), "B", weight=700, fill="#ffffff", anchor="m")
    text(image, (316, 231), CUSTOMER, weight=600)
    text(image, (316, 250), "27 Harbor Street, Port Haven", size=12, fill=GREY)


def _menu(image: Image.Image, state: State) -> None:
    rect = (708, 282, 918, 426)
    shadow(image, rect, radius=8, spread=12, opacity=0.35)
    box(image, rect, "#ffffff", radius=8, outline=LINE)
    for index, words in enumerate(TERMS):
        option = TARGETS[f"option_{index}"]
        over = state.hover == f"option_{index}"
        if over:
            box(image, option, ACCENT, radius=6)
        middle = (option[1] + option[3]) // 2
        text(image, (option[0] + 12, middle), words, fill="#ffffff" if over else INK)
        if words == state.terms:
            _tick(image, option[2] - 20, middle, "#ffffff" if over else ACCENT)


def _items(image: Image.Image, state: State) -> None:
    _card(image, (236, 320, 1168, 500))
    for x, words, anchor in ((256, "Description", "l"), (702, "Hours", "l"), (814, "Price", "l")):
        _label(image, x, 340, words, anchor=anchor)
    _label(image, 1148, 340, "Amount", anchor="r")
    if state.item:
        for name, value in (
            ("description", state.description),
            ("hours", state.hours),
            ("price", state.price),
        ):
            _field(image, TARGETS[name], value, focused=state.focus == name, caret=state.caret)
        text(image, (1148, 374), _amounts(state)[0], weight=600, anchor="r")
    else:
        text(image, (256, 374), "This invoice has no items yet.", fill="#9aa1ae")
    box(image, (256, 430, 1148, 431), LINE)
    _button(image, state, "add_item", "+  Add item")


def _amounts(state: State) -> tuple[str, str, str]:
    """Net amount, tax of a tenth, and total, as they are written."""
    net = round(float(state.price or 0) * int(state.hours or 0) * 100)
    tax = net // 10
    return f"{net / 100:,.2f}", f"{tax / 100:,.2f}", f"{(net + tax) / 100:,.2f}"


def _totals(image: Image.Image, state: State) -> None:
    _card(image, (236, 514, 844, 664))
    _label(image, 256, 536, "Note for the customer")
    text(image, (256, 562), "Thank you for your order. Please give the invoice number when you pay.")
    net, tax, total = _amounts(state)
    _card(image, (860, 514, 1168, 664))
    for y, words, amount in ((540, "Subtotal", net), (570, "Tax 10 %", tax)):
        text(image, (880, y), words, fill=GREY)
        text(image, (1148, y), amount, anchor="r")
    box(image, (880, 594, 1148, 595), LINE)
    if state.total_marked:
        box(image, (868, 602, 1160, 656), "#fff3bf", radius=8)
    text(image, (880, 630), "Total", size=17, weight=700)
    text(image, (1148, 630), total, size=22, weight=700, anchor="r")


def _dialog(image: Image.Image, state: State) -> None:
    rect = (360, 130, 864, 568)
    shadow(image, rect, radius=14, spread=26, opacity=0.5)
    box(image, rect, "#ffffff", radius=14)
    text(image, (384, 164), "Send invoice 1043", size=19, weight=700)
    lines(image, [(828, 158), (838, 168)], GREY, width=2)
    lines(image, [(838, 158), (828, 168)], GREY, width=2)
    for y, words, value in ((208, "To", "books@blueharbor.example"), (250, "Subject", "Your invoice 1043")):
        _label(image, 384, y, words)
        _field(image, (454, y - 17, 844, y + 17), value)
    box(image, (384, 284, 844, 430), "#fbfbfd", radius=8, outline=LINE)
    for row, words in enumerate(MESSAGE):
        text(image, (400, 308 + 24 * row), words)
    text(image, (400, 414), "Paperlane Studio", fill=GREY, size=13)
    text(image, (384, 457), "Payment reminder", weight=600)
    text(image, (384, 477), "Ask the customer again three days before the due date", size=12, fill=GREY)
    _switch(image, TARGETS["reminder"], state.reminder)
    box(image, (360, 498, 864, 499), LINE)
    _button(image, state, "cancel", "Cancel")
    _button(image, state, "send_now", "Sending…" if state.sending else "Send now", main=True)


def _switch(image: Image.Image, rect: Rect, share: float) -> None:
    left, top, right, bottom = rect
    box(image, rect, "#c3c9d4", radius=12)
    if share:
        box(image, rect, GREEN, radius=12, opacity=share)
    knob = left + 3 + round((right - left - 24) * share)
    box(image, (knob, top + 3, knob + 18, bottom - 3), "#ffffff", radius=9)
