"""What the sample recording says and what happens in it, apart from how it is drawn.

Times inside a line of the script are shares of the line: 0 is when its speech begins, 1 when it ends,
so that the picture follows the voice whatever its speed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

TITLE = "Create and send an invoice"
LEAD_IN_S = 1.0
CUSTOMER = "Blue Harbor Books"


@dataclass(frozen=True)
class Line:
    """One spoken line; `pause_s` is the silence after it in seconds."""

    text: str
    section: str
    step: bool = True
    pause_s: float = 0.75


SCRIPT = (
    Line("In this guide, we will create and send an invoice.", "Introduction", step=False, pause_s=1.1),
    Line("Click New invoice in the top right corner.", "Create the invoice"),
    Line("Type the name of the customer. The address is filled in for you.", "Create the invoice"),
    Line("Open the payment terms menu and choose thirty days.", "Create the invoice", pause_s=1.9),
    Line("Click Add item and describe the work.", "Add the work"),
    Line("Enter the number of hours, then enter the price.", "Add the work", pause_s=0.85),
    Line("Check the total at the bottom of the page.", "Add the work", pause_s=1.8),
    Line("Click Send, and read the message in the window that opens.", "Send the invoice"),
    Line("Turn on the payment reminder.", "Send the invoice"),
    Line("Click Send now. The customer gets the invoice by email.", "Send the invoice", pause_s=1.6),
    Line("That is all. You can see the invoice in your list.", "Closing", step=False, pause_s=2.0),
)


@dataclass(frozen=True)
class State:
    """Everything that decides what the application looks like at one moment."""

    view: str = "list"
    focus: str = ""
    hover: str = ""
    caret: bool = False
    customer: str = ""
    address: bool = False
    menu_open: bool = False
    terms: str = "Due on receipt"
    item: bool = False
    description: str = ""
    hours: str = ""
    price: str = ""
    total_marked: bool = False
    dialog: float = 0.0
    reminder: float = 0.0
    sending: bool = False
    sent: bool = False
    toast: bool = False


@dataclass(frozen=True)
class Event:
    """The pointer reaches `target` at `at` of `line`, presses if it is a `click`, and `changes` are made."""

    line: int
    at: float
    target: str
    changes: tuple[tuple[str, Any], ...] = ()
    click: bool = True
    travel_s: float = 0.75


@dataclass(frozen=True)
class Typing:
    """`text` appears letter by letter in `field` between two moments of `line`."""

    line: int
    begin: float
    end: float
    field: str
    text: str


@dataclass(frozen=True)
class Fade:
    """`field` goes from 0 to 1 (or back) in `length_s` seconds, from a moment of `line` on."""

    line: int
    at: float
    field: str
    rising: bool = True
    length_s: float = 0.25


def _set(**changes: Any) -> tuple[tuple[str, Any], ...]:
    return tuple(changes.items())


EVENTS = (
    Event(0, 0.0, "desk", click=False, travel_s=0.1),
    Event(0, 0.75, "row_2", click=False, travel_s=1.2),
    Event(1, 0.62, "new_invoice", _set(view="editor", focus=""), travel_s=0.9),
    Event(2, 0.14, "customer", _set(focus="customer")),
    Event(2, 0.66, "suggestion", _set(customer=CUSTOMER, address=True, focus=""), travel_s=0.5),
    Event(3, 0.42, "terms", _set(menu_open=True), travel_s=0.9),
    Event(3, 0.90, "option_2", _set(menu_open=False, terms="30 days"), travel_s=0.6),
    Event(4, 0.36, "add_item", _set(item=True, focus="description"), travel_s=0.9),
    Event(4, 0.72, "beside_item", click=False, travel_s=0.5),
    Event(5, 0.24, "hours", _set(focus="hours")),
    Event(5, 0.72, "price", _set(focus="price"), travel_s=0.5),
    Event(6, 0.08, "page", _set(focus=""), travel_s=0.4),
    Event(6, 0.45, "total", _set(total_marked=True), click=False, travel_s=0.7),
    Event(7, 0.20, "send", _set(total_marked=False), travel_s=0.9),
    Event(7, 0.55, "message", click=False, travel_s=0.6),
    Event(7, 1.0, "message_end", click=False, travel_s=1.0),
    Event(8, 0.55, "reminder"),
    Event(9, 0.24, "send_now", _set(sending=True)),
    Event(9, 0.52, "send_now", _set(view="list", sending=False, sent=True, toast=True), click=False),
    Event(10, 0.60, "row_0", click=False, travel_s=1.0),
    Event(10, 0.95, "row_0", _set(toast=False), click=False),
)

TYPING = (
    Typing(2, 0.20, 0.52, "customer", CUSTOMER[:14]),
    Typing(4, 0.50, 1.12, "description", "Shop window design"),
    Typing(5, 0.32, 0.42, "hours", "12"),
    Typing(5, 0.80, 1.05, "price", "85.00"),
)

FADES = (
    Fade(7, 0.22, "dialog"),
    Fade(8, 0.57, "reminder", length_s=0.2),
    Fade(9, 0.48, "dialog", rising=False),
)


@dataclass(frozen=True)
class Span:
    """When a line is spoken, in seconds."""

    start_s: float
    end_s: float

    def at(self, share: float) -> float:
        return self.start_s + share * (self.end_s - self.start_s)


@dataclass(frozen=True)
class Press:
    """A click that is still to be seen: where, and how many seconds ago."""

    x: float
    y: float
    age_s: float


Rect = tuple[int, int, int, int]


def lay_out(lengths_s: Sequence[float]) -> list[Span]:
    """Start and end of each line of the script, from the length of its speech."""
    spans, start = [], LEAD_IN_S
    for line, length in zip(SCRIPT, lengths_s, strict=True):
        spans.append(Span(start, start + length))
        start += length + line.pause_s
    return spans


def state_at(moment_s: float, spans: Sequence[Span], *, hover: str = "") -> State:
    """The application's state at a moment of the recording."""
    values: dict[str, Any] = {field.name: field.default for field in fields(State)}
    typed_at = -1.0
    happened: list[tuple[float, Event | Typing]] = [
        (spans[event.line].at(event.at), event) for event in EVENTS if event.changes
    ]
    happened += [(spans[typing.line].at(typing.begin), typing) for typing in TYPING]
    for since, what in sorted(happened, key=lambda pair: pair[0]):
        if since > moment_s:
            break
        if isinstance(what, Event):
            values.update(what.changes)
        else:
            until = spans[what.line].at(what.end)
            share = min(1.0, (moment_s - since) / (until - since))
            values[what.field] = what.text[: max(1, round(share * len(what.text)))]
            typed_at = max(typed_at, min(moment_s, until))
    for fade in FADES:
        passed = (moment_s - spans[fade.line].at(fade.at)) / fade.length_s
        if passed >= 0:
            share = round(min(1.0, passed), 2)
            values[fade.field] = share if fade.rising else 1.0 - share
    caret = bool(values["focus"]) and (moment_s - typed_at < 0.4 or int(moment_s * 2) % 2 == 0)
    return replace(State(**values), caret=caret, hover=hover)


def pointer_at(moment_s: float, spans: Sequence[Span], targets: dict[str, Rect]) -> tuple[float, float]:
    """Where the tip of the pointer is, in pixels: at rest between events, and eased along a slight bow."""
    x, y = _centre(targets[EVENTS[0].target])
    for event in EVENTS:
        arrival = spans[event.line].at(event.at)
        end_x, end_y = _centre(targets[event.target])
        if moment_s >= arrival:
            x, y = end_x, end_y
            continue
        share = 1 - (arrival - 0.08 - moment_s) / event.travel_s
        if share > 0:
            share = min(1.0, share)
            eased = share**3 * (share * (share * 6 - 15) + 10)
            bow = 0.08 * 4 * eased * (1 - eased)
            x, y = (
                x + (end_x - x) * eased + (end_y - y) * bow,
                y + (end_y - y) * eased - (end_x - x) * bow,
            )
        break
    return x, y


def press_at(
    moment_s: float, spans: Sequence[Span], targets: dict[str, Rect], *, lasts_s: float
) -> Press | None:
    """The click that happened at most `lasts_s` seconds ago, if any."""
    for event in EVENTS:
        age = moment_s - spans[event.line].at(event.at)
        if event.click and 0 <= age < lasts_s:
            return Press(*_centre(targets[event.target]), age)
    return None


def _centre(rect: Rect) -> tuple[float, float]:
    return (rect[0] + rect[2]) / 2, (rect[1] + rect[3]) / 2
