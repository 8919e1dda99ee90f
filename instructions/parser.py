"""The Markdown parser, which counts its work and stops at a limit.

Its time grows with more than the length of a text: each quotation looks at each of its lines again, an unmarked line
below sixty `>` is tried sixty times, a wide table fills each short row with empty cells. 8 KB can take seconds. What
a line scan cannot foresee is counted here where it happens.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.parser_block import ParserBlock
from markdown_it.rules_block import StateBlock
from markdown_it.token import Token

from instructions.complexity import DocumentTooComplex

# Blocks: with the preset's 20 levels, a list ten deep takes in the rest of the document.
# Inline: above 20 levels, nested brackets take too long to parse.
BLOCK_NESTING, INLINE_NESTING = 100, 20

# Of one parse, in units of 0.6 to 1.1 µs. 5,000 blocks of one kind take 70,000 to 400,000.
MAX_WORK = 400_000
_WORK_LIMIT, _WORK_DONE = "max_work", "work"  # in a parse's environment
_TOKEN, _QUOTED_LINE, _DEFINITION = 3, 2, 20
_CHARACTERS, _TOKENS_READ_AGAIN = 16, 4  # for one unit


@dataclass(frozen=True)
class Work:
    """What a parse has done, and the most that it may do."""

    done: int
    limit: int


_Rule = Callable[[StateBlock, int, int, bool], bool]


class _CountedState(StateBlock):
    """The state of one parse, and how much work it may still do."""

    def __init__(self, src: str, md: MarkdownIt, env: Any, tokens: list[Token]) -> None:
        super().__init__(src, md, env, tokens)
        self.work_left: int = env[_WORK_LIMIT]

    def push(self, ttype: str, tag: str, nesting: Any) -> Token:
        self.spend(_TOKEN)
        return super().push(ttype, tag, nesting)

    def spend(self, work: int) -> None:
        self.work_left -= work
        if self.work_left < 0:
            raise DocumentTooComplex(
                f"The document's lists, quotations, tables and definitions of links take more than {MAX_WORK:,} "
                "steps to read. Nest them less, make tables smaller, or split it."
            )


class _CountedBlocks(ParserBlock):
    """The block parser; it counts when the environment has a limit."""

    def __init__(self) -> None:
        super().__init__()
        for rule in list(self.ruler.__rules__):
            self.ruler.at(rule.name, _counted(rule.name, rule.fn), {"alt": rule.alt})

    def parse(self, src: str, md: MarkdownIt, env: Any, outTokens: list[Token]) -> list[Token] | None:
        if _WORK_LIMIT not in env:
            return super().parse(src, md, env, outTokens)
        state = _CountedState(src, md, env, outTokens)
        self.tokenize(state, state.line, state.lineMax)
        env[_WORK_DONE] = env[_WORK_LIMIT] - state.work_left
        return state.tokens


def limited(max_work: int | None) -> dict[str, Any]:
    """Return the environment of a parse that raises DocumentTooComplex above so much work; None sets no limit."""
    return {} if max_work is None else {_WORK_LIMIT: max_work}


def work_of(environment: dict[str, Any]) -> Work | None:
    """Return how much work a parse in this environment took; None for one without a limit."""
    return Work(environment[_WORK_DONE], environment[_WORK_LIMIT]) if _WORK_DONE in environment else None


def make_parser(kind: type[MarkdownIt] = MarkdownIt, *, nesting: int) -> MarkdownIt:
    """Return a parser of block structure; `parse_inline` parses the inline content."""
    parser = kind()
    parser.block = _CountedBlocks()
    parser.configure("commonmark", {"maxNesting": nesting})
    return parser.enable(["table", "strikethrough"]).disable("inline")


def parse_inline(token: Token, parser: MarkdownIt, environment: dict[str, Any]) -> list[Token]:
    """Return the inline tokens of one block-level `inline` token, links and images resolved."""
    children: list[Token] = []
    parser.inline.parse(token.content, parser, environment, children)
    return children


def plain_text(tokens: Sequence[Token]) -> str:
    """Return the text of inline tokens on one line: no marks, no HTML, pictures by their description."""
    parts = []
    for token in tokens:
        if token.type == "image":
            parts.append(plain_text(token.children or []))
        elif token.type in ("softbreak", "hardbreak"):
            parts.append(" ")
        elif token.type != "html_inline":
            parts.append(token.content)
    return " ".join("".join(parts).split())


def _counted(name: str, rule: _Rule) -> _Rule:
    def counted(state: StateBlock, first: int, end: int, silent: bool) -> bool:
        if isinstance(state, _CountedState):
            state.spend(1)
            if name == "blockquote" and not silent:
                state.spend(_QUOTED_LINE * _lines_to_look_at(state, first, end))
            elif name in ("hr", "html_block"):
                state.spend(_characters_to_look_at(state, first))
        tokens = len(state.tokens)
        found = rule(state, first, end, silent)
        if name == "list" and isinstance(state, _CountedState):  # a tight list reads all its tokens again
            state.spend((len(state.tokens) - tokens) // _TOKENS_READ_AGAIN)
        elif name == "reference" and found and isinstance(state, _CountedState):
            state.spend(_DEFINITION)
        return found

    return counted


def _lines_to_look_at(state: StateBlock, first: int, end: int) -> int:
    """Return how many lines the rule of quotations reads at most: to the first blank one."""
    at = state.bMarks[first] + state.tShift[first]
    if not state.src.startswith(">", at):
        return 0
    return next((line for line in range(first, end) if state.isEmpty(line)), end) - first


def _characters_to_look_at(state: StateBlock, line: int) -> int:
    """Return the work of a line that may be a rule or HTML: it is read to its end, for each quotation around it."""
    at = state.bMarks[line] + state.tShift[line]
    return (state.eMarks[line] - at) // _CHARACTERS if state.src.startswith(("*", "-", "_", "<"), at) else 0
