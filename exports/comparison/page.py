"""What changed from one guide to the other, as one HTML file: pictures before and after side by side, changed regions
outlined, words that came and went marked.

As in the HTML export, text becomes markup in `markup.element` alone, the stylesheet is allowed by its hash, and nothing
is loaded. What the page says itself is English; the words of the guides are marked with their languages.
"""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from exports.comparison.alignment import align
from exports.comparison.changes import Change, Region, TooMuchToCompare
from exports.comparison.compare import Comparison, PictureChange, StepPair
from exports.comparison.steps import GuideStep
from exports.comparison.words import Line, Run, Vocabulary, runs
from exports.look import Look
from exports.renderers.compose import PlacedPicture
from exports.renderers.html import head_of, language_of, stylesheet_of
from exports.renderers.markup import Html, element, fragment
from exports.renderers.pictures import exported_bytes, size_of
from exports.snapshot import Document, ReadPicture

MAX_PICTURE_BYTES = 64 * 2**20
"""Of the pictures in the page, which is a third larger: they are written in base64."""

_STYLESHEET = Path(__file__).with_name("page.css")
_LABELS = {
    Change.SAME: "Same",
    Change.WORDS: "Words changed",
    Change.PICTURE: "Picture changed",
    Change.BOTH: "Words and picture changed",
    Change.ADDED: "Added",
    Change.REMOVED: "Removed",
}
_COUNTED = {
    Change.SAME: "the same",
    Change.WORDS: "changed in words",
    Change.PICTURE: "changed in picture",
    Change.BOTH: "changed in both",
    Change.ADDED: "added",
    Change.REMOVED: "removed",
}
# Of the drawing over a picture, whatever the picture's shape.
_UNITS = 10_000


def render_page(comparison: Comparison, old: Document, new: Document, read_picture: ReadPicture) -> bytes:
    """Return the page; the same guides always give the same bytes.

    Raise TooMuchToCompare for pictures of over `MAX_PICTURE_BYTES`, AssetMissing, and RenderFailed for a picture that
    cannot be read.
    """
    page = _Page(comparison, read_picture)
    title = f"What changed: {comparison.new.title}"
    stylesheet = stylesheet_of("en", Look()) + _STYLESHEET.read_text("utf-8")
    changed = [
        (number, step) for number, step in enumerate(comparison.steps, start=1) if step.change != Change.SAME
    ]
    body = element(
        "body",
        element(
            "header", element("h1", title, dir="auto"), *_sides(comparison, old, new), _summary(comparison)
        ),
        page.contents(changed) if changed else "",
        element(
            "main", *page.steps(), element("a", "Changes", class_="back", href="#contents") if changed else ""
        ),
    )
    html = element("html", head_of(title, stylesheet), "\n", body, lang="en", dir="ltr")
    return b"<!DOCTYPE html>\n" + bytes(html) + b"\n"


def _sides(comparison: Comparison, old: Document, new: Document) -> list[Html]:
    """Return a line for each of the two guides."""
    return [
        element(
            "p",
            element("span", word, class_="side"),
            " ",
            element("span", guide.title, lang=language_of(guide), dir="auto"),
            f" · version {document.version} · {_steps(len(guide.steps))}",
            class_="summary",
        )
        for word, guide, document in (("Before", comparison.old, old), ("After", comparison.new, new))
    ]


def _steps(number: int) -> str:
    return "1 step" if number == 1 else f"{number} steps"


def _summary(comparison: Comparison) -> Html:
    """Return how many steps each kind of change has; kinds without any are left out."""
    counts = Counter(step.change for step in comparison.steps)
    items = [
        element("li", element("strong", str(counts[change])), f" {_COUNTED[change]}", class_=change.value)
        for change in Change
        if counts[change]
    ]
    return (
        element("ul", *items, class_="counts", role="list")
        if items
        else element("p", "No steps.", class_="summary")
    )


class _Page:
    def __init__(self, comparison: Comparison, read_picture: ReadPicture) -> None:
        self._steps = comparison.steps
        self._languages = language_of(comparison.old), language_of(comparison.new)
        self._read_picture = read_picture
        self._bytes_left = MAX_PICTURE_BYTES

    def contents(self, changed: Sequence[tuple[int, StepPair]]) -> Html:
        entries = [
            element(
                "li",
                element(
                    "a",
                    element("span", _number(step), class_="number"),
                    " ",
                    element("span", _shown(step).title.text, lang=self._language(step), dir="auto"),
                    " ",
                    element("span", class_=f"dot {step.change.value}", title=_LABELS[step.change]),
                    href=f"#change-{number}",
                ),
            )
            for number, step in changed
        ]
        listed = element("details", element("summary", "Changes"), element("ol", *entries, role="list"))
        return element(
            "nav",
            element("p", "Changes", class_="contents-title"),
            listed,
            id="contents",
            aria_label="Changes",
        )

    def steps(self) -> list[Html]:
        return [self._step(number, step) for number, step in enumerate(self._steps, start=1)]

    def _step(self, number: int, step: StepPair) -> Html:
        words = element("span", *self._title(step), class_="words", lang=self._language(step), dir="auto")
        label = element("span", _LABELS[step.change], class_="label")
        heading = element("h2", element("span", _number(step), class_="number"), " ", words, " ", label)
        is_same = step.change == Change.SAME
        inside = fragment() if is_same else fragment(self._words(step), *self._pictures(step))
        return element("section", heading, inside, id=f"change-{number}", class_=f"step {step.change.value}")

    def _language(self, step: StepPair) -> str:
        return self._languages[0 if step.new is None else 1]

    def _title(self, step: StepPair) -> list[Html | str]:
        if step.old is None or step.new is None or step.old.keys == step.new.keys:
            return [_shown(step).title.text]
        return _marked(runs(step.old.title, step.new.title))

    def _words(self, step: StepPair) -> Html:
        """Return the lines of a step below its title, with what came and went."""
        old, new = step.old, step.new
        if old is None or new is None or old.keys == new.keys:
            lines = [_line(line, [line.text]) for line in _shown(step).lines]
        else:
            lines = list(_changed_lines(old.lines, new.lines))
        return element("div", *lines, class_="text", lang=self._language(step))

    def _pictures(self, step: StepPair) -> list[Html]:
        """Return the pictures of a step: both where they differ or the words do not, else none."""
        if step.change == Change.WORDS:
            return []
        return [self._pair(pair) for pair in step.pictures if not pair.is_same]

    def _pair(self, pair: PictureChange) -> Html:
        # What differs lies at the same place of both, as both show the whole screen.
        figures = [
            self._figure(word, placed, pair.regions if pair.before and pair.after else ())
            for word, placed in (("Before", pair.before), ("After", pair.after))
            if placed
        ]
        return element("div", *figures, class_="pair")

    def _figure(self, word: str, placed: PlacedPicture, regions: Sequence[Region]) -> Html:
        content = exported_bytes(placed, self._read_picture)
        self._bytes_left -= len(content)
        if self._bytes_left < 0:
            raise TooMuchToCompare(f"The pictures that changed have over {MAX_PICTURE_BYTES // 2**20} MiB.")
        width, height = size_of(placed.name, content)
        address = f"data:{placed.picture.mime_type};base64,{base64.b64encode(content).decode()}"
        image = element("img", src=address, alt=f"{word}: {placed.alt}", width=width, height=height)
        shown = element("div", image, _outlines(regions), class_="shown")
        return element(
            "figure", element("figcaption", word), shown, class_="portrait" if height > width else None
        )


def _shown(step: StepPair) -> GuideStep:
    """Return the newer of the two steps that is there."""
    shown = step.new or step.old
    assert shown is not None  # one of the two always is  # nosec B101
    return shown


def _number(step: StepPair) -> str:
    return str(_shown(step).number)


def _marked(found: Iterable[Run]) -> list[Html | str]:
    """Return words with what came and went marked, a blank between two runs."""
    made: list[Html | str] = []
    for run in found:
        made += [" "] if made else []
        match run.change:
            case "same":
                made.append(run.text)
            case "removed":
                made.append(element("del", run.text))
            case "added":
                made.append(element("ins", run.text))
    return made


def _line(line: Line, words: Sequence[Html | str]) -> Html:
    if line.kind == "code":
        return element("pre", element("code", *words), dir="ltr")
    return element("p", *words, class_="item" if line.kind == "item" else None, dir="auto")


def _changed_lines(old: Sequence[Line], new: Sequence[Line]) -> Iterable[Html]:
    """Yield the lines of both, those that stand for one another as one."""
    vocabulary = Vocabulary(line.keys for line in (*old, *new))
    one, other = ([vocabulary.measure(line.keys) for line in lines] for lines in (old, new))
    for place, new_place in align(one, other, vocabulary.likeness):
        if place is None and new_place is not None:
            yield _line(new[new_place], [element("ins", new[new_place].text)])
        elif new_place is None and place is not None:
            yield _line(old[place], [element("del", old[place].text)])
        elif place is not None and new_place is not None:
            yield _line(new[new_place], _marked(runs(old[place], new[new_place])))


def _outlines(regions: Sequence[Region]) -> Html:
    """Return the outlines of regions, to be laid over their picture."""
    if not regions:
        return fragment()
    rectangles = [
        element(
            "rect", class_=kind, **{name: round(value * _UNITS) for name, value in region._asdict().items()}
        )
        for region in regions
        for kind in ("halo", "line")
    ]
    box = f"0 0 {_UNITS} {_UNITS}"
    return element("svg", *rectangles, viewBox=box, preserveAspectRatio="none", aria_hidden="true")
