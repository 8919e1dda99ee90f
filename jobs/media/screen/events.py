"""The events of a screen, and the JSON in which they are kept. All times are milliseconds on the clock of the
recording's frames, all places shares (0..1) of the picture's width and height, as it is shown (upright)."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Any, Self

MAX_EVENTS = 20_000
MAX_LABEL_CHARACTERS = 200
MAX_TEXT_CHARACTERS = 1_000
MAX_WORDS = 500
MAX_TIME_MS = 24 * 60 * 60 * 1000
PROMPT = re.compile(r"[$>❯»]|>>>|\w+>|\S*[@:~/\\\]]\S*\s?[$>%#❯]|\[[^\]]+\]\s?[$>%#]")
"""What a terminal writes before a command that is typed: `$`, `>>>`, `mysql>`, `anna@desk:~#`."""
UNWANTED = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class ScreenInvalid(ValueError):
    """Content is not a screen's. `field` is a dotted path in it, empty for the whole."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class EventKind(StrEnum):
    CLICK = "click"
    TYPE = "type"
    SCROLL = "scroll"
    WINDOW = "window"  # a window, dialog, menu or page that opens


@dataclass(frozen=True)
class Region:
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Frame:
    """A frame of the video: its presentation time in units of the stream's time base, and the SHA-256 of its planes."""

    pts: int
    frame_sha256: str


@dataclass(frozen=True)
class ScreenEvent:
    """Something that is done, or that opens.

    `at_ms` is when the button goes down, the first letter shows, the scroll begins or the window stands; `end_ms` is
    when typing or scrolling ends. `label` is what the screen writes on the control that is acted on, beside the field
    that is typed into, or as the title of what opens, spelt as on the screen; None when it cannot be read. Of a command
    that is typed in a terminal it is the prompt, such as `$`. `text` is
    what was typed; None when it cannot be read, and always for a field for passwords, keys and the like.
    `region` is the control, or the window. `pointer` (x, y) is where the pointer's tip stands.

    `picture_ms` is the moment whose frame shows it best: the last still one before a click, with the control in view
    and not yet pressed; the first still one after typing. `frame` is the frame shown then, the evidence.

    `page_share` (0..1) is how much of the screen changes because of it. `confidence` is 0..1.
    """

    at_ms: int
    kind: EventKind
    region: Region
    confidence: float
    end_ms: int | None = None
    label: str | None = None
    text: str | None = None
    pointer: tuple[float, float] | None = None
    picture_ms: int | None = None
    frame: Frame | None = None
    page_share: float = 0.0

    @property
    def is_command(self) -> bool:
        """Whether it is a command that is typed at a prompt."""
        has_words = any(map(str.isalpha, self.text or ""))
        return self.kind is EventKind.TYPE and has_words and bool(PROMPT.fullmatch(self.label or ""))


@dataclass(frozen=True)
class Screen:
    """All events of a recording, by time; and words that its screen shows (titles, captions), the most frequent first,
    for a recogniser of speech. `note` is a plain sentence on why little was found, such as that nothing moves.
    """

    events: tuple[ScreenEvent, ...] = ()
    words: tuple[str, ...] = ()
    note: str | None = None

    def as_plain(self) -> dict[str, Any]:
        """Return the same as values for JSON; what is None is left out."""
        plain: dict[str, Any] = {
            "events": [_event_as_plain(event) for event in self.events],
            "words": list(self.words),
        }
        return plain if self.note is None else {**plain, "note": self.note}

    @classmethod
    def from_plain(cls, content: Any) -> Self:
        """Return what `as_plain` gave. Raise ScreenInvalid: content comes from orchestrators as well.

        Fields that are not known are passed over, so that later fields may be added.
        """
        if not isinstance(content, dict):
            raise ScreenInvalid("", "this is not an object")
        rows, words = content.get("events"), content.get("words", [])
        if not isinstance(rows, list) or len(rows) > MAX_EVENTS:
            raise ScreenInvalid("events", f"events is not a list of at most {MAX_EVENTS}")
        if not isinstance(words, list) or len(words) > MAX_WORDS:
            raise ScreenInvalid("words", f"words is not a list of at most {MAX_WORDS}")
        for number, word in enumerate(words):
            _text(word, f"words.{number}", MAX_LABEL_CHARACTERS)
        events = [_event(row, f"events.{number}") for number, row in enumerate(rows)]
        for number, (event, following) in enumerate(pairwise(events)):
            if following.at_ms < event.at_ms:
                raise ScreenInvalid(f"events.{number + 1}.at_ms", "this event is before the one before it")
        note = None if content.get("note") is None else _text(content["note"], "note", MAX_TEXT_CHARACTERS)
        return cls(tuple(events), tuple(words), note)


def _event_as_plain(event: ScreenEvent) -> dict[str, Any]:
    return {name: value for name, value in asdict(event).items() if value is not None}


def _event(row: Any, path: str) -> ScreenEvent:
    if not isinstance(row, dict):
        raise ScreenInvalid(path, "this is not an object")
    row = {name: value for name, value in row.items() if value is not None}
    if row.get("kind") not in list(EventKind):
        raise ScreenInvalid(f"{path}.kind", f"kind is none of {', '.join(EventKind)}")
    at_ms = _whole(row.get("at_ms"), f"{path}.at_ms", MAX_TIME_MS)
    end_ms = _whole(row.get("end_ms", at_ms), f"{path}.end_ms", MAX_TIME_MS)
    if end_ms < at_ms:
        raise ScreenInvalid(f"{path}.end_ms", "end_ms is before at_ms")
    return ScreenEvent(
        kind=EventKind(row["kind"]),
        region=Region(**_shares(row.get("region"), f"{path}.region", ("x", "y", "width", "height"))),
        confidence=_share(row.get("confidence"), f"{path}.confidence"),
        pointer=_pointer(row.get("pointer"), f"{path}.pointer"),
        frame=_frame(row.get("frame"), f"{path}.frame"),
        page_share=_share(row.get("page_share", 0.0), f"{path}.page_share"),
        at_ms=at_ms,
        end_ms=end_ms if "end_ms" in row else None,
        picture_ms=_whole(row["picture_ms"], f"{path}.picture_ms", MAX_TIME_MS)
        if "picture_ms" in row
        else None,
        label=_text(row["label"], f"{path}.label", MAX_LABEL_CHARACTERS) if "label" in row else None,
        text=_text(row["text"], f"{path}.text", MAX_TEXT_CHARACTERS) if "text" in row else None,
    )


def _whole(value: Any, path: str, limit: int) -> int:
    # In Python a bool is an int, but true is not a number.
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= limit:
        raise ScreenInvalid(path, f"this is not a whole number from 0 to {limit}")
    return value


def _share(value: Any, path: str) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 <= value <= 1:  # NaN is not
        raise ScreenInvalid(path, "this is not a number from 0 to 1")
    return float(value)


def _shares(row: Any, path: str, names: tuple[str, ...]) -> dict[str, float]:
    if not isinstance(row, dict):
        raise ScreenInvalid(path, "this is not an object")
    return {name: _share(row.get(name), f"{path}.{name}") for name in names}


def _pointer(value: Any, path: str) -> tuple[float, float] | None:
    if value is None:
        return None
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise ScreenInvalid(path, "this is not a pair of numbers")
    return _share(value[0], f"{path}.0"), _share(value[1], f"{path}.1")


def _frame(value: Any, path: str) -> Frame | None:
    if value is None:
        return None
    if not isinstance(value, dict) or not re.fullmatch("[0-9a-f]{64}", str(value.get("frame_sha256"))):
        raise ScreenInvalid(path, "this is not a frame with pts and frame_sha256")
    pts = value.get("pts")
    if not isinstance(pts, int) or isinstance(pts, bool) or abs(pts) > 2**53:
        raise ScreenInvalid(f"{path}.pts", "pts is not a whole number up to 2^53")
    return Frame(pts, value["frame_sha256"])


def _text(value: Any, path: str, limit: int) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > limit:
        raise ScreenInvalid(path, f"this is not a text of at most {limit} characters")
    if UNWANTED.search(value):
        raise ScreenInvalid(path, "this holds control characters or lone surrogates")
    return value
