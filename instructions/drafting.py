"""Assemble a language model's draft: headings, numbers, escaping, and what each step rests on beside the text.

Words of a speaker or a model are data: they are written as plain text, never as a heading, a link, HTML or a
block marker. All times are milliseconds.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from instructions.block import MAX_STEP_NUMBER
from instructions.blocks import split_step_heading
from instructions.evidence import DraftStep, Frame

TITLE_LIMIT = 60
UNTITLED = "Step-by-step guide"
"""The highest number that is read as that of a step; the headings after it are plain ones."""

# Control characters, lone surrogates, line separators, and marks that change the direction of text.
_INVISIBLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_MARKS = re.compile(r"[\\`*_\[\]<>|~#]|&(?=#?\w+;)")
_BACKTICKS = re.compile(r"`+")
_LINE_START = re.compile(r"^(?:[-+=](?=[-+=\s]|$)|[0-9]{1,9}(?=[.)](?:\s|$)))")
_CLAUSE_END = re.compile(
    r"(?:\s*[,;:–—]|\s+(?:so|because|which|where|while|until|unless|and|but|or|then|if|when)\b)",
    re.IGNORECASE,
)
_LOOSE_ENDS = re.compile(
    r"(?:[\s,;:–—.!?…-]|\s(?:a|an|the|and|or|but|to|of|in|on|at|by|for|from|with|into|your|my|our|its|this|that|these"
    r"|those|is|are|as|so|then|which|where|when|if|you|we|i|it))+$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Step:
    """A step of a guide. `title` and `paragraphs` are plain text; `segments` are positions in the transcript; `code` is
    what of the text is written as code, such as commands."""

    title: str
    paragraphs: tuple[str, ...]
    start_ms: int
    end_ms: int | None = None
    segments: tuple[int, ...] = ()
    needs_review: bool = False
    frames: tuple[Frame, ...] = ()
    code: tuple[str, ...] = ()


@dataclass(frozen=True)
class Section:
    """Steps that belong together; `title` is only used when a guide has more than one section."""

    title: str
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Guide:
    """A whole guide, all of it plain text. `closing` follows the last step."""

    title: str
    sections: tuple[Section, ...]
    introduction: tuple[str, ...] = ()
    closing: tuple[str, ...] = ()


def draft_steps(guide: Guide) -> tuple[DraftStep, ...]:
    """Return what the steps of `assemble(guide)` rest on, in their order."""
    steps = [step for section in guide.sections for step in section.steps][:MAX_STEP_NUMBER]
    return tuple(
        DraftStep(
            heading=plain_title(step.title),
            start_ms=step.start_ms,
            end_ms=step.start_ms if step.end_ms is None else step.end_ms,
            segments=step.segments,
            needs_review=step.needs_review,
            frames=step.frames,
        )
        for step in steps
    )


def assemble(guide: Guide) -> str:
    """Return the guide as Markdown without block markers, its steps numbered across sections.

    Headings have no times: these are kept beside the text (`draft_steps`).
    """
    parts = [f"# {escape_text(guide.title) or UNTITLED}", *map(escape_text, guide.introduction)]
    has_sections = len(guide.sections) > 1
    marks = "###" if has_sections else "##"
    number = 0
    for section in guide.sections:
        if has_sections:
            parts.append(f"## {escape_text(plain_title(section.title)) or 'More steps'}")
        for step in section.steps:
            number += 1
            title = escape_text(plain_title(step.title), step.code)
            parts.append(f"{marks} Step {number}: {title}".rstrip())
            parts += (escape_text(text, step.code) for text in step.paragraphs or (step.title,))
    if guide.closing:
        parts += ["## Result", *map(escape_text, guide.closing)]
    return "\n\n".join(filter(None, parts)) + "\n"


def escape_text(text: str, code: Sequence[str] = ()) -> str:
    """Return the text on one line, escaped so that CommonMark reads it as plain text (spec section 2.4).

    What of it is `code` becomes code spans (section 6.1).
    """
    line = " ".join(_INVISIBLE.sub(" ", text).split())
    known = sorted(filter(None, code), key=len, reverse=True)
    spans = re.compile("|".join(rf"(?<!\w){re.escape(each)}(?!\w)" for each in known)) if known else None
    made, at = "", 0
    for span in spans.finditer(line) if spans else ():
        made += _MARKS.sub(r"\\\g<0>", line[at : span.start()]) + _code_span(span[0])
        at = span.end()
    made += _MARKS.sub(r"\\\g<0>", line[at:])
    return _LINE_START.sub(lambda start: _escape_first(start[0]), made)


def plain_title(title: str) -> str:
    """Return a title on one line without a number or times of its own, which would be read as the step's."""
    title = " ".join(_INVISIBLE.sub(" ", title).split())
    while (shorter := split_step_heading(f"1. {split_step_heading(title)[1]}")[1]) != title:
        title = shorter
    return title


def short_title(text: str, limit: int = TITLE_LIMIT) -> str:
    """Return at most `limit` characters of a sentence, cut after a clause or a word, with no end mark."""
    title = " ".join(text.split()).rstrip(" ,;:–—.!…-") or text.strip()
    if len(title) > limit:
        ends = [end.start() for end in _CLAUSE_END.finditer(title, 0, limit + 2) if end.start() <= limit]
        # A clause that is only a word or two ("First, ...") says too little.
        clause = next((end for end in reversed(ends) if end >= limit // 3), None)
        last_space = title.rfind(" ", 0, limit + 1)
        title = title[: clause or (last_space if last_space > 0 else limit)]
        title = _LOOSE_ENDS.sub("", title) or title.strip()
    return title[:1].upper() + title[1:]


def paragraphs(sentences: Sequence[str], max_words: int = 60) -> tuple[str, ...]:
    """Return sentences joined to paragraphs of at most `max_words` words; a longer sentence stands alone."""
    result: list[list[str]] = []
    words = 0
    for sentence in sentences:
        length = len(sentence.split())
        if not result or words + length > max_words:
            result.append([])
            words = 0
        result[-1].append(sentence)
        words += length
    return tuple(" ".join(parts) for parts in result)


def _code_span(text: str) -> str:
    """Return a text between more backticks than it has in a row, and spaces where it begins or ends with one."""
    marks = "`" * (max(map(len, _BACKTICKS.findall(text)), default=0) + 1)
    space = " " if text[0] == "`" or text[-1] == "`" else ""
    return f"{marks}{space}{text}{space}{marks}"


def _escape_first(start: str) -> str:
    """Return the start of a line with its backslash: `- ` takes it in front, `1.` only before its dot."""
    return f"{start}\\" if start.isdigit() else f"\\{start}"
