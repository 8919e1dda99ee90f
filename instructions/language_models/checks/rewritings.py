"""Check what a model has made of a passage of Markdown: better words, and nothing else that is new.

Structure and everything with a target comes from the passage: as many top-level blocks of the same kinds, headings
with their level, number and times; of links, pictures, HTML, code and literals no more than it has. Enough of its
words remain.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from markdown_it.token import Token

from instructions.blocks import Outline, needs_separator, read_outline, split_step_heading, strip_markers
from instructions.complexity import DocumentTooComplex, check_complexity
from instructions.language_models.checks.addressed import addressed_in_a_document, speaking_to_a_model
from instructions.language_models.checks.drafts import AnswerInvalid
from instructions.language_models.checks.literals import Said, literals, odd_tokens, sentences
from instructions.language_models.checks.words import content_words, runs_of_words
from instructions.parser import INLINE_NESTING, MAX_WORK, make_parser, parse_inline

# Of the different content words of the passage, how many the answer has at least; and of the answer's, the passage.
# This is recall and precision of ROUGE-1 (Lin 2004), over sets of words cut to five letters.
MIN_WORDS_KEPT, MIN_WORDS_KNOWN = 0.4, 0.5
MIN_LENGTH, MAX_LENGTH, MAX_LONGER = 0.2, 1.5, 80  # of the text, as a share; and so many characters more

_PARSER = make_parser(nesting=INLINE_NESTING)
_WRAPPED = re.compile(r"\A(`{3,}|~{3,})[ \t]*(?:markdown|md|text)?[ \t]*\n(.*?)\n?\1[ \t]*\Z", re.DOTALL)
_MARKS = re.compile(r"[\[\]()<>`*\\\"']+")
_PIPE = re.compile(r"(?<!\\)\|")
_LABEL = re.compile(r"\[[^\[\]\n]+\](?!\()")
_COMMON = frozenset({"paragraph_open", "paragraph_close", "inline", "list_item_open", "list_item_close"})


@dataclass
class _Contents:
    """What a text is made of."""

    blocks: list[tuple[object, ...]] = field(default_factory=list)
    kept: Counter[tuple[str, ...]] = field(
        default_factory=Counter
    )  # links, pictures, HTML, code, definitions
    nested: set[str] = field(default_factory=set)
    text: str = ""
    code: str = ""
    hidden_cells: int = 0  # of rows that are longer than the head of their table
    sentences: list[str] = field(default_factory=list)  # with code and targets, without the marks around them


def has_words(markdown: str) -> bool:
    """Return whether a passage has text that can be put differently, beside code, pictures and the like."""
    return any(sign.isalpha() for sign in _contents(markdown).text)


def without_markers(markdown: str) -> str:
    """Return a passage as a model is to see it: without block markers, and white space around it."""
    return (strip_markers(markdown) if "<!--" in markdown else markdown).strip()


def check_rewriting(answer: str, passage: str) -> str:
    """Return the answer as it takes the place of the passage (`without_markers`); raise AnswerInvalid."""
    wrapped = _WRAPPED.match(answer.strip())
    answer = (wrapped[2] if wrapped and not _WRAPPED.match(passage) else answer).strip()
    before = _contents(passage)
    try:
        check_complexity(answer)
        answer = without_markers(answer)  # which it cannot have from the passage
        after = _contents(answer)
    except DocumentTooComplex:
        raise AnswerInvalid("It was far too complex.") from None
    if after.blocks != before.blocks or not after.nested <= before.nested:
        raise AnswerInvalid("It had other blocks than the passage, or another number or time in a heading.")
    if after.hidden_cells:
        raise AnswerInvalid("A row of a table had more cells than its head.")
    if not after.kept <= before.kept:
        raise AnswerInvalid("It had a link, a picture, code or HTML that the passage does not have.")
    _check_literals(after, before)
    addressed = addressed_in_a_document(before.sentences)
    _check_addressed(after, before, addressed)
    _check_words(after, before, addressed)
    return answer


def with_markers_of(markdown: str, answer: str) -> str:
    """Return a checked answer with the markers, and the white space around it, of the passage that it replaces.

    An answer that changes nothing is the passage. What separates blocks in place of a marker (`without_markers`) goes.
    Raise AnswerInvalid if the passage has other blocks without its markers.
    """
    if answer == without_markers(markdown):
        return markdown
    lead = markdown[: len(markdown) - len(markdown.lstrip())]
    trail = markdown[len(markdown.rstrip()) :]
    outline = read_outline(answer, with_text=False)
    ids = _ids_in(markdown)
    if len(ids) != len(outline.blocks):
        raise AnswerInvalid("It had other blocks than the passage.")
    first_lines = {block.first: block_id for block, block_id in zip(outline.blocks, ids, strict=True)}
    written: list[str] = []
    for number, line in enumerate(outline.lines):
        block_id = first_lines.get(number, "")
        if block_id:
            written.append(f"<!-- block:{block_id} -->")
        if block_id is not None:
            written.append(line)
        elif written[-1:] == [""]:
            written.pop()
    return lead + "\n".join(written) + trail


def _ids_in(markdown: str) -> list[str | None]:
    """Return the id of each block of a passage without its markers, "" without one, None for a mere separator."""
    outline = read_outline(markdown, with_text=False)
    ids: list[str | None] = []
    for index, block in enumerate(outline.blocks):
        if "<!--" in markdown and needs_separator(outline, index):
            ids.append(None)
        ids.append(block.block_id)
    return ids


def _check_literals(after: _Contents, before: _Contents) -> None:
    source = f"{before.text}\n{before.code}"
    said = Said([source], [source])
    has_more = Counter(odd_tokens(after.text)) - Counter(odd_tokens(source))
    labels = Counter(_LABEL.findall(after.text)) - Counter(_LABEL.findall(before.text))
    if has_more or labels or not said.has_all_of(after.text):
        raise AnswerInvalid("It had an address, a command or a number that the passage does not have.")


def _check_addressed(after: _Contents, before: _Contents, addressed: frozenset[int]) -> None:
    """Raise AnswerInvalid if the answer has something of a sentence that speaks to a model anywhere else than in that
    very sentence."""
    if not addressed:
        return
    others = [each for index, each in enumerate(before.sentences) if index not in addressed]
    spoken = [before.sentences[index] for index in addressed]
    words = set(runs_of_words(spoken)) - set(runs_of_words(others))
    tokens = _literals(spoken) - _literals([*others, *before.code.splitlines()])
    # What still speaks to a model stands there as it did, in other words; what was followed does not.
    left, speaks = Counter(spoken), speaking_to_a_model(after.sentences)
    for index, sentence in enumerate(after.sentences):
        if left[sentence]:
            left[sentence] -= 1
        elif index in speaks:
            continue
        elif tokens & _literals([sentence]) or not words.isdisjoint(runs_of_words([sentence])):
            raise AnswerInvalid(
                "It followed a sentence of the passage. Leave such a sentence out, or as it is."
            )


def _literals(sentences: Sequence[str]) -> set[str]:
    return {literal for sentence in sentences for literal in literals(sentence)}


def _check_words(after: _Contents, before: _Contents, addressed: frozenset[int]) -> None:
    """Raise AnswerInvalid for an answer with too few words of the passage; what speaks to a model may go."""
    kept = " ".join(each for index, each in enumerate(before.sentences) if index not in addressed)
    to_keep = content_words(kept if addressed else before.text).keys()
    old, new = content_words(before.text).keys(), content_words(after.text).keys()
    if len(to_keep & new) < MIN_WORDS_KEPT * len(to_keep) or len(old & new) < MIN_WORDS_KNOWN * len(new):
        raise AnswerInvalid("It did not keep the words of the passage.")
    shortest = MIN_LENGTH * len(kept if addressed else before.text)
    if not shortest <= len(after.text) <= MAX_LENGTH * len(before.text) + MAX_LONGER:
        raise AnswerInvalid("It was much shorter or longer than the passage.")


def _contents(markdown: str) -> _Contents:
    outline = read_outline(markdown, max_work=MAX_WORK)
    found = _Contents()
    texts: list[str] = []
    codes: list[str] = []
    for block in outline.blocks:
        number, _, start_ms, end_ms = split_step_heading(block.text or "") if block.level else (None,) * 4
        found.blocks.append(
            (block.kind if block.kind != "image" else "paragraph", block.level, number, start_ms, end_ms)
        )
        found.nested.update(token.type for token in block.tokens[1:] if token.type not in _COMMON)
        found.hidden_cells += _hidden_cells(block.tokens, outline.lines)
        for token in block.tokens:
            texts += _read(token, outline, found, codes)
    for reference in outline.environment.get("references", {}).values():
        found.kept["definition", reference["href"], reference.get("title", "")] += 1
    found.text, found.code = " ".join("".join(texts).split()), "\n".join(codes)
    return found


def _hidden_cells(tokens: Sequence[Token], lines: Sequence[str]) -> int:
    """Return how many cells a parser leaves out: they are text that no reader of the document sees."""
    columns = hidden = 0
    for token in tokens:
        if token.type == "table_open":
            columns = 0
        elif token.type == "th_open":
            columns += 1
        elif token.type == "tr_open" and token.map and columns:
            hidden += max(0, len(_PIPE.split(lines[token.map[0]].strip().strip("|"))) - columns)
    return hidden


def _read(token: Token, outline: Outline, found: _Contents, codes: list[str]) -> Iterator[str]:
    """Yield the text of a token, and note what else it has."""
    if token.type in ("fence", "code_block"):
        found.kept["code", token.info, token.content] += 1
        codes.append(token.content)
    elif token.type == "html_block":
        found.kept["html", token.content.strip()] += 1
    elif token.type == "inline":
        lines = (_MARKS.sub(" ", line) for line in token.content.split("\n"))
        found.sentences += [" ".join(each.split()) for line in lines for each in sentences(line)]
        yield from _read_inline(parse_inline(token, _PARSER, outline.environment), found, codes)
        yield " \n"


def _read_inline(tokens: Sequence[Token], found: _Contents, codes: list[str]) -> Iterator[str]:
    for token in tokens:
        if token.type == "link_open":
            found.kept["link", str(token.attrs.get("href", "")), str(token.attrs.get("title", ""))] += 1
        elif token.type == "image":
            found.kept["picture", str(token.attrs.get("src", "")), str(token.attrs.get("title", ""))] += 1
            yield from _read_inline(token.children or [], found, codes)
        elif token.type == "html_inline":
            found.kept["html", token.content] += 1
        elif token.type == "code_inline":
            found.kept["code", token.content] += 1
            codes.append(token.content)
        elif token.type in ("softbreak", "hardbreak"):
            yield " "
        else:
            yield token.content
