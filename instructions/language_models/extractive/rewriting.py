"""Rewrite a passage of Markdown by rules: spoken English becomes written instructions, the structure stays.

Fillers are removed, spacing and capitals corrected, "so now I'm gonna click" becomes "Click", and long
sentences are cut; of other languages only the white space is tidied. Only the text of paragraphs, list items
and headings changes: code, tables, HTML, markers, links and pictures stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from markdown_it.token import Token

from instructions.blocks import split_step_heading
from instructions.language_models.extractive.imperatives import find_instruction
from instructions.language_models.extractive.sentences import clean, sentences_of, without_openers
from instructions.language_models.extractive.verbs import VERBS, words
from instructions.parser import BLOCK_NESTING, make_parser

LONG_SENTENCE_WORDS = 25
_MIN_PART_WORDS = 5

_PARSER = make_parser(nesting=BLOCK_NESTING)
# Code spans, links and pictures, autolinks and tags, and every escaped character. A run of backticks that none closes
# is passed over whole: a search from each of them to the end of the text would take half a minute for 40,000.
_UNTOUCHED = re.compile(
    r"(`+)(?!`)(?:.+?(?<!`)\1(?!`))?|!?\[[^\[\]]*\](?:\([^()]*\)|\[[^\[\]]*\])|<[^<>\s][^<>]*>|https?://[^\s<>]+|\\[^\w\s]"
)
_PLACEHOLDERS = range(0xE000, 0xF8FF)  # private use area; a text that has one of them is not rewritten
_HARD_BREAK = re.compile(r"((?<! ) {2,}+\n|\\\n)")
_BLOCK_START = re.compile(
    r"#{1,6}(?:\s|$)|[-+*](?:\s|$)|[0-9]{1,9}[.)](?:\s|$)|[>|<=]|`{3}|~{3}|-{3}|\*{3}|_{3}"
)
_END_MARK = re.compile(r"[.!?…:。！？][\"'”’)\]」』）*_]*$")
_CLAUSE_BREAK = re.compile(
    r"(?:;|,? and then|, then|,? and so|, and|, but|, so)\s+(?=(?P<word>[A-Za-z']+))", re.IGNORECASE
)
_SUBJECTS = words("you we i it the this that these your there they it's you'll we'll i'll you're we're")


def rewrite_markdown(text: str, *, english: bool) -> str:
    """Return the passage with its text rewritten; block structure, markers and outer white space stay."""
    lines = text.split("\n")
    if "\r" in text or any(ord(character) in _PLACEHOLDERS for character in text):
        return text
    tokens = _PARSER.parse(text)
    changed: dict[int, tuple[int, str]] = {}
    for parent, token in zip(tokens, tokens[1:], strict=False):
        if token.type != "inline" or not token.map or parent.type not in ("paragraph_open", "heading_open"):
            continue
        content = token.content.split("\n")
        first, last = token.map[0], token.map[0] + len(content) - 1
        at, end = lines[first].rfind(content[0]), lines[last].rfind(content[-1]) + len(content[-1])
        if not english:
            write = _tidied
        elif parent.type == "heading_open":
            write = _heading
        else:
            write = _item if parent.level > 0 else _passage
        new = _rewrite(token.content, write)
        if token.content and at >= 0 and new != token.content:
            changed[first] = (last, lines[first][:at] + new + lines[last][end:])
    rewritten = "\n".join(_put_in(lines, changed))
    # Rewritten words can form Markdown by accident; then the passage stays as it was.
    return rewritten if _structure(_PARSER.parse(rewritten)) == _structure(tokens) else text


def _structure(tokens: Sequence[Token]) -> list[tuple[str, str, int]]:
    return [(token.type, token.tag, token.level) for token in tokens]


def _put_in(lines: list[str], changed: dict[int, tuple[int, str]]) -> list[str]:
    written = []
    number = 0
    while number < len(lines):
        last, line = changed.get(number, (number, lines[number]))
        written.append(line)
        number = last + 1
    return written


def _rewrite(content: str, write: Callable[[str], str]) -> str:
    """Return the text of one paragraph or heading on one line, with only its hard line breaks kept."""
    kept: list[str] = []

    def keep(found: re.Match[str]) -> str:
        kept.append(found[0])
        return chr(_PLACEHOLDERS[len(kept) - 1])

    if len(_UNTOUCHED.findall(content)) >= len(_PLACEHOLDERS):
        return content
    pieces = _HARD_BREAK.split(content)
    for number in range(0, len(pieces), 2):
        piece = _UNTOUCHED.sub(keep, pieces[number])
        new = write(piece)
        is_unsafe = not new or _BLOCK_START.match(new) or piece.endswith("\\")
        pieces[number] = piece if is_unsafe else new
    return re.sub("[\ue000-\uf8fe]", lambda found: kept[ord(found[0]) - _PLACEHOLDERS[0]], "".join(pieces))


def _tidied(text: str) -> str:
    return re.sub(r"[ \t\n]+", " ", text).strip(" ")


def _heading(text: str) -> str:
    """Return a heading's text rewritten; a step's number and times stay."""
    number, title, _, _ = split_step_heading(text)
    if number is None:
        title = text
    before, _, after = text.rpartition(title) if title else (text, "", "")
    cleaned = clean(title)
    told = find_instruction(cleaned)
    is_spoken = told and (told.voice == "narrated" or told.cue)
    new = told.sentence() if told and is_spoken else without_openers(cleaned)
    return before + (new.removesuffix(".") if not title.endswith(".") else new) + after


def _item(text: str) -> str:
    return _passage(text, in_list=True)


def _passage(text: str, *, in_list: bool = False) -> str:
    sentences = sentences_of(text)
    result = []
    for number, sentence in enumerate(sentences, start=1):
        cleaned = clean(sentence)
        if not cleaned:
            continue
        told = find_instruction(cleaned)
        new = told.sentence() if told and told.voice != "addressed" else without_openers(cleaned)
        new = " ".join(_short_sentences(new))
        has_mark = _END_MARK.search(sentence.rstrip())
        is_label = number == len(sentences) and (in_list or len(sentence.split()) < 4)
        if not has_mark and is_label:
            new = new.removesuffix(".")
        elif sentence.rstrip().endswith(":"):
            new = new.removesuffix(".") + ":"
        result.append(new)
    return " ".join(result) or text


def _short_sentences(sentence: str) -> list[str]:
    """Return a sentence in parts of at most `LONG_SENTENCE_WORDS` words where its clauses allow it.

    Each cut is made where a clause begins, as near as possible to the middle.
    """
    if len(sentence.split()) <= LONG_SENTENCE_WORDS:
        return [sentence]
    breaks = [found for found in _CLAUSE_BREAK.finditer(sentence) if _can_cut(sentence, found)]
    if not breaks:
        return [sentence]
    middle = min(breaks, key=lambda found: abs(found.start() - len(sentence) / 2))
    conjunction = middle[0].strip(" ,;").lower()
    rest = sentence[middle.end() :]
    rest = f"{conjunction} {rest}" if conjunction in ("but", "so") else rest
    first = sentence[: middle.start()].rstrip(" ,;") + "."
    return [*_short_sentences(first), *_short_sentences(rest[:1].upper() + rest[1:])]


def _can_cut(sentence: str, found: re.Match[str]) -> bool:
    word = found["word"].lower()
    before, after = sentence[: found.start()].split(), sentence[found.end() :].split()
    return (word in _SUBJECTS or word in VERBS) and min(len(before), len(after)) >= _MIN_PART_WORDS
