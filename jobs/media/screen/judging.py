"""From what changed in a recording to the events: what is clicked, typed, scrolled, and what opens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from jobs.media.screen.changes import Part
from jobs.media.screen.clicks import Click, Clicks
from jobs.media.screen.commands import Command, commands_in
from jobs.media.screen.controls import control_at, row_lit, unhidden
from jobs.media.screen.events import EventKind, ScreenEvent
from jobs.media.screen.fields import SECRET, field_around, typed_in
from jobs.media.screen.labels import Reader
from jobs.media.screen.lines import Text, spelt
from jobs.media.screen.runs import Run
from jobs.media.screen.sampling import Box, Sample
from jobs.media.screen.scrolls import Scroll
from jobs.media.screen.typing import Typing
from jobs.media.screen.windows import Opening, Windows

_WAIT_MS = 2_200  # until it is known whether what changed was typed, or changes all the time
_DUE_TO_CLICK_MS = 2_500
_OWN_WINDOW_SHARE = 0.03  # of the picture, of a window that opens by itself
_NOTICE_SHARE = 0.03  # of the picture; what is smaller and not beside what was clicked is a notice
_BESIDE = 70  # pixels
_SURE = 0.6  # of a label, from which it is given
_TAB_SHARE = 0.6  # of a control's width; what changed under the pointer in less of it is a tab, and no row
_SCROLL_MS = 250
_TICK = 36  # pixels, the size of a box to tick at most, and its distance from its caption
_SHIFT_MS = 1_200  # after a click
_TYPED_INTO_MS = 20_000  # after a click on a field


@dataclass(frozen=True)
class _Noted:
    event: ScreenEvent
    box: Box
    is_field: bool = False
    steps: int = 0


@dataclass(frozen=True)
class _Span:
    """When and where something was typed."""

    start_ms: int
    end_ms: int
    box: Box


class Judge:
    """Takes what is found in a recording as it comes, and judges it a little later."""

    def __init__(self, reader: Reader, going: Callable[[], list[Typing]]) -> None:
        self._reader = reader
        self._going = going
        self._clicks = Clicks()
        self._windows = Windows()
        self._waiting: list[tuple[int, Run | Typing]] = []
        self._typed: list[_Span] = []
        self._noted: list[_Noted] = []

    def add(self, found: Run | Typing | Scroll) -> None:
        if isinstance(found, Scroll):
            self._scroll(found)
            return
        if isinstance(found, Typing) and found.is_plain:
            self._typed = [*self._typed[-8:], _Span(found.before.at_ms, found.end_ms, found.box)]
        end_ms = found.end_ms
        self._waiting.append((end_ms + _WAIT_MS, found))

    def advance(self, at_ms: int | None) -> None:
        """Judge what has waited long enough at a time; all without one."""
        due = [item for item in self._waiting if at_ms is None or item[0] <= at_ms]
        self._waiting = [item for item in self._waiting if item not in due]
        for _, found in sorted(due, key=lambda item: item[0]):
            if isinstance(found, Run):
                self._run(found)
            elif isinstance(found, Typing):
                self._typing(found)

    def events(self) -> tuple[ScreenEvent, ...]:
        """Return the events, by time."""
        events = [
            noted.event for noted in self._noted if not self._is_shift(noted) and not self._is_scrolled(noted)
        ]
        return tuple(sorted(events, key=lambda event: event.at_ms))

    def _is_scrolled(self, noted: _Noted) -> bool:
        """Return whether it is no click and nothing that opened: it changed because of scrolling."""
        return noted.event.kind in (EventKind.CLICK, EventKind.WINDOW) and any(
            other.event.kind is EventKind.SCROLL
            and other.event.at_ms - _SCROLL_MS <= noted.event.at_ms <= (other.event.end_ms or 0) + _SCROLL_MS
            and other.box.grown(20).common(noted.box).area > 0
            and other.steps > 1
            for other in self._noted
        )

    def _is_shift(self, noted: _Noted) -> bool:
        """Return whether it is no scrolling: what was clicked made room for something."""
        event = noted.event
        return (
            event.kind is EventKind.SCROLL
            and noted.steps == 1
            and any(
                other.event.kind is EventKind.CLICK and 0 <= event.at_ms - other.event.at_ms <= _SHIFT_MS
                for other in self._noted
            )
        )

    def _run(self, run: Run) -> None:
        parts = self._unexplained(run)
        if not parts:
            return
        opening = self._windows.seen_in(run)
        typed_ms = max((span.end_ms for span in self._typed), default=None)
        click = self._clicks.judge(run, parts, opening, typed_ms=typed_ms)
        if click:
            self._note_click(click, opening)
        last = self._clicks.last
        is_due = last is not None and 0 <= run.first_ms - last.at_ms <= _DUE_TO_CLICK_MS
        if not opening or not opening.is_window or run.is_cut or (run.is_moving and not click):
            return
        if is_due or (opening.is_framed and opening.area >= _OWN_WINDOW_SHARE):
            self._note_window(run, opening, is_due=is_due)

    def _unexplained(self, run: Run) -> list[tuple[int, Part]]:
        """Return the parts of a run that were not typed."""
        going = [typing for typing in self._going() if typing.is_plain]
        typed = [*self._typed, *(_Span(typing.before.at_ms, typing.end_ms, typing.box) for typing in going)]
        return [
            (at_ms, part)
            for at_ms, part in run.parts
            if not any(
                span.start_ms - 50 <= at_ms <= span.end_ms + 100
                and span.box.grown(40, 12).common(part.box).area >= 0.8 * part.box.area
                for span in typed
            )
        ]

    def _note_click(self, click: Click, opening: Opening | None) -> None:
        place, picture = click.place, click.run.picture
        if place is None:
            return
        readable = unhidden(picture, click.run.clear, place.box, place.tip)
        control = control_at(readable, place.tip, place.box) or click.box or self._clicks.hover_box(place)
        control = row_lit(readable, click.run.settled, control, place.tip, place.box) or control
        is_bar = place.shape is not None and place.shape.is_bar
        if click.tick:
            label = self._reader.beside_tick(readable, click.tick, place.tip)
            if label is None:
                return  # something small changed near the pointer
        elif click.caret and not (control and self._is_first(click.caret, control)):
            return  # it blinks, or moved
        elif is_bar and control:
            label = None
        else:
            is_row = not (control and click.box and click.box.width < _TAB_SHARE * control.width)
            label = self._reader.on_control(readable, control, place.tip, is_row=is_row)
        if click.is_unsure:
            self._clicks.keep(click)
        box = _with_box(label.box, click.run) if label else control or place.box
        is_field = control is not None and control.width > 60 and (is_bar or label is None)
        if control and label is None and control.width > 40:
            label = self._reader.of_field(readable, control)
        label = self._reader.surely(readable, label, control)
        event = ScreenEvent(
            at_ms=click.at_ms,
            kind=EventKind.CLICK,
            region=picture.region(box),
            confidence=_share(click.confidence - (0.1 if label is None else 0.0)),
            label=_label(label),
            pointer=_point(picture, place.tip),
            page_share=round(opening.share, 4) if opening else round(_covered(click.run), 4),
            picture_ms=picture.at_ms,
            frame=picture.frame,
        )
        self._noted.append(_Noted(event, box, is_field))

    def _is_first(self, caret: Box, field: Box) -> bool:
        """Return whether a caret is in a field in which nothing was done last."""
        last = self._last_click()
        done = [*([last.box] if last else []), *(span.box for span in self._typed[-1:])]
        is_there = any(box.common(field.grown(4)).area for box in done)
        return bool(caret.common(field.grown(3)).area) and not is_there

    def _note_window(self, run: Run, opening: Opening, *, is_due: bool) -> None:
        picture = run.settled or run.before
        last = self._last_click()
        if last and last.box.grown(8).common(opening.box).area > 0.7 * opening.box.area:
            return  # the control itself looks another way
        if opening.area < _NOTICE_SHARE and last and not opening.box.grown(_BESIDE).common(last.box).area:
            return  # a notice, which comes and goes by itself
        title = self._reader.title(picture, opening.box, is_framed=opening.is_framed)
        if not opening.is_framed and not (title and title.stands_out):
            return  # some of what was there shows something else
        event = ScreenEvent(
            at_ms=run.first_ms,
            kind=EventKind.WINDOW,
            region=picture.region(opening.box),
            confidence=_share((0.8 if is_due else 0.55) + (0.05 if title else -0.05)),
            label=_label(title),
            picture_ms=picture.at_ms,
            frame=picture.frame,
            page_share=round(opening.share, 4),
        )
        self._noted.append(_Noted(event, opening.box))

    def _typing(self, typing: Typing) -> None:
        clicked = self._clicked_field(typing)
        if not typing.is_plain and not (clicked and clicked.is_field):
            return
        picture = typing.after or typing.before
        field = field_around(typing.before, typing.box) or field_around(picture, typing.box)
        if commands := commands_in(self._reader, typing, field):
            return self._note_commands(commands, typing)
        typed = typed_in(self._reader, typing)
        is_told = typed.text is not None or typed.is_hidden
        if not typed.is_new or not (is_told or typing.is_plain):
            return
        box = field or (clicked.box if clicked else typing.box.grown(6, 4))
        label = self._reader.of_field(typing.before, box)
        name = _typed_into(label, clicked)
        if not (is_told or clicked or name):
            return  # a bar that fills, as of progress
        is_secret = any(SECRET.search(text) for text in (name, label and label.text) if text)
        confidence = 0.92 if typing.is_plain else 0.6
        is_read = typed.text is not None and typed.confidence >= _SURE
        confidence -= (0.0 if field else 0.15) + (0.0 if is_read or typed.is_hidden or is_secret else 0.3)
        event = ScreenEvent(
            at_ms=typing.first_ms,
            end_ms=typing.end_ms,
            kind=EventKind.TYPE,
            region=picture.region(box),
            confidence=_share(confidence),
            label=name,
            text=typed.text if is_read and not is_secret else None,
            picture_ms=picture.at_ms,
            frame=picture.frame,
        )
        if clicked:
            at = self._noted.index(clicked)
            into = replace(clicked.event, label=name, region=event.region)
            self._noted[at] = _Noted(into, box, is_field=True)
        self._noted.append(_Noted(event, box))

    def _note_commands(self, commands: list[Command], typing: Typing) -> None:
        picture = typing.after or typing.before
        ends_ms = [*(command.start_ms for command in commands[1:]), typing.end_ms]
        for command, end_ms in zip(commands, ends_ms, strict=True):
            event = ScreenEvent(
                at_ms=command.start_ms,
                end_ms=max(command.start_ms, end_ms),
                kind=EventKind.TYPE,
                region=picture.region(command.box),
                confidence=_share(0.92 * command.confidence),
                label=command.prompt,
                text=command.text,
                picture_ms=picture.at_ms,
                frame=picture.frame,
            )
            self._noted.append(_Noted(event, command.box))

    def _last_click(self) -> _Noted | None:
        clicks = (noted for noted in reversed(self._noted) if noted.event.kind is EventKind.CLICK)
        return next(clicks, None)

    def _clicked_field(self, typing: Typing) -> _Noted | None:
        """Return the click on the field that is typed into, if it was just before."""
        clicks = [noted for noted in self._noted if noted.event.kind is EventKind.CLICK]
        for noted in reversed(clicks):
            since_ms = typing.before.at_ms - noted.event.at_ms
            if since_ms < -200:
                continue
            is_there = noted.box.grown(12).common(typing.box).area >= 0.8 * typing.box.area
            return noted if is_there and since_ms <= _TYPED_INTO_MS else None
        return None

    def _scroll(self, scroll: Scroll) -> None:
        event = ScreenEvent(
            at_ms=(scroll.before.at_ms + scroll.first_ms) // 2,
            end_ms=scroll.end_ms,
            kind=EventKind.SCROLL,
            region=scroll.after.region(scroll.box),
            confidence=0.85,
            picture_ms=scroll.after.at_ms,
            frame=scroll.after.frame,
            page_share=round(scroll.box.area / scroll.after.bounds.area, 4),
        )
        self._noted.append(_Noted(event, scroll.box, steps=scroll.steps))


def _with_box(row: Box, run: Run) -> Box:
    """Return the box of a caption together with that of the box to tick before it, which changed."""
    for _, part in run.parts:
        box = part.box
        is_level = row.top - 4 <= (box.top + box.bottom) // 2 <= row.bottom + 4
        if max(box.width, box.height) <= _TICK and is_level and -4 <= row.left - box.right <= _TICK:
            return row.joined(box)
    return row


def _typed_into(label: Text | None, clicked: _Noted | None) -> str | None:
    """Return the name of a field: as it was read before the pointer was in the way, if it was."""
    name = _label(label)
    if clicked and (told := clicked.event.label):
        return told if clicked.is_field or not name or name.startswith(told) else name
    return name


def _label(text: Text | None) -> str | None:
    if text is None or text.confidence < _SURE:
        return None
    return spelt(text.text) or None


def _share(value: float) -> float:
    return round(min(1.0, max(0.0, value)), 3)


def _point(sample: Sample, tip: tuple[int, int]) -> tuple[float, float]:
    bounds = sample.bounds
    x, y = (min(max(0, side), most) for side, most in zip(tip, bounds[2:], strict=True))
    return round(x / bounds.right, 4), round(y / bounds.bottom, 4)


def _covered(run: Run) -> float:
    bounds = run.before.bounds
    return min(1.0, sum(part.box.area for _, part in run.parts) / max(1, bounds.area))
