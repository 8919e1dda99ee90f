"""What every language model's draft is put together with: headings, numbers, times and escaping.

Words that were spoken, or that a model answered, are data: whatever stands in them comes out as plain text,
never as a heading, a link, HTML or a block marker. All times are milliseconds.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from instructions.blocks import format_time_range, split_step_heading

TITLE_LIMIT = 60
UNTITLED = "Step-by-step guide"

# Control characters, lone surrogates, line separators, and what turns the direction of text for good.
_INVISIBLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_MARKS = re.compile(r"[\\`*_\[\]<>|~#]|&(?=#?\w+;)")
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
    """One thing to do. `title` and `paragraphs` are plain text."""

    title: str
    paragraphs: tuple[str, ...]
    start_ms: int
    end_ms: int | None = None


@dataclass(frozen=True)
class Section:
    """Steps that belong together; `title` is only used when a guide has more than one section."""

    title: str
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Guide:
    """A whole guide, all of it plain text. `closing` is what is left to say when the steps are done."""

    title: str
    sections: tuple[Section, ...]
    introduction: tuple[str, ...] = ()
    closing: tuple[str, ...] = ()


def assemble(guide: Guide) -> str:
    """The guide as Markdown without block markers; steps are numbered through, levels never skip one."""
    parts = [f"# {escape_text(guide.title) or UNTITLED}", *map(escape_text, guide.introduction)]
    has_sections = len(guide.sections) > 1
    marks = "###" if has_sections else "##"
    number = 0
    for section in guide.sections:
        if has_sections:
            parts.append(f"## {escape_text(_unnumbered(section.title)) or 'More steps'}")
        for step in section.steps:
            number += 1
            title = escape_text(_unnumbered(step.title))
            times = format_time_range(step.start_ms, step.end_ms)
            parts.append(" ".join(filter(None, [f"{marks} Step {number}:", title, times])))
            parts += map(escape_text, step.paragraphs or (step.title,))
    if guide.closing:
        parts += ["## Result", *map(escape_text, guide.closing)]
    return "\n\n".join(filter(None, parts)) + "\n"


def escape_text(text: str) -> str:
    """Text on one line in which CommonMark reads nothing but text (backslash escapes, spec section 2.4)."""
    line = " ".join(_INVISIBLE.sub(" ", text).split())
    return _LINE_START.sub(lambda start: _escape_first(start[0]), _MARKS.sub(r"\\\g<0>", line))


def short_title(text: str, limit: int = TITLE_LIMIT) -> str:
    """At most `limit` characters of a sentence: cut after a clause, else after a word; no mark at the end."""
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
    """Sentences put together to paragraphs of at most `max_words` words, a longer sentence by itself."""
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


def _unnumbered(title: str) -> str:
    """A title without a number of its own, which would be taken for the step's."""
    title = " ".join(_INVISIBLE.sub(" ", title).split())
    while (parts := split_step_heading(title))[0] is not None:
        title = parts[1]
    return title


def _escape_first(start: str) -> str:
    """`- ` and the like take the backslash before them, `1.` before its dot, where alone it may stand."""
    return f"{start}\\" if start.isdigit() else f"\\{start}"
