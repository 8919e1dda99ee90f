"""Find where an anchor that was made in one version of an instruction is in another version.

The trace of each answer says what was found, by which method and with which score.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Any, Literal

from instructions.blocks import Block, parse_blocks

State = Literal["retain", "remap", "unresolved"]

MIN_SCORE = 0.6
"""The ratio of matching characters (difflib: Ratcliff and Obershelp, 1988) from which a block counts as the
same."""

MAX_CHARACTERS = 1000
"""The number of first characters by which blocks are compared; the cost of a comparison grows with its square."""

MAX_PAIRS = 10_000_000
"""The number of pairs of characters that are compared, which takes some seconds. Candidates are compared in the
order of their upper bounds, and those beyond this number are left out."""

_MARKER = re.compile(r"<!--[ \t]*block:[^>]*-->")


@dataclass(frozen=True)
class Resolution:
    """The answer: `addressing` is the anchor's address in the target, None when unresolved, and `trace` is
    `{method, score, from, to}`.

    Methods: `block_id` (the id is there), `text` (the range's text is there, once), `text_nearest` (it is
    there several times, and this is the nearest to the old place), `text_ambiguous` (two places are equally
    near: the first), `similarity` (the block most alike), `none`. `score` is 1 for the same id or text, else
    the ratio of `MIN_SCORE`.
    """

    state: State
    addressing: dict[str, Any] | None
    trace: dict[str, Any]


def resolve(addressing: dict[str, Any], *, source: str, target: str) -> Resolution:
    """Return where in the markdown `target` the place is that `addressing` names in `source`.

    A block whose id is there is retained. A range is retained where its text stands unmoved, and follows its
    text otherwise: within its own block first, then to the place nearest to the old one. What is left goes to
    the block whose text is most alike to that of the block it stood in, ties by document order. A block that
    the source has too is taken only when it has become more like the lost one than like itself: a deleted step
    is not resolved to the step after it.

    Offsets are code points. An address that is not in `source` is unresolved. The same arguments give the same
    answer.
    """
    if "block_id" in addressing:
        return _resolve_block(addressing, source, target)
    start, end = addressing["char_range"]["start_offset"], addressing["char_range"]["end_offset"]
    if not 0 <= start < end <= len(source):
        return _unresolved(addressing, 0.0)
    return _resolve_range(addressing, start, end, source, target)


def _resolve_block(addressing: dict[str, Any], source: str, target: str) -> Resolution:
    block_id = str(addressing["block_id"]).lower()
    # Parsing takes a second for the longest documents; an id that is nowhere in the text needs none.
    if block_id in target.lower() and _by_id(_parsed(target), block_id):
        return _found("retain", "block_id", 1.0, addressing, {"block_id": block_id})
    lost = _by_id(_parsed(source), block_id)
    if lost is None:
        return _unresolved(addressing, 0.0)
    return _most_alike(addressing, _plain(lost, source), source, target)


def _resolve_range(addressing: dict[str, Any], start: int, end: int, source: str, target: str) -> Resolution:
    wanted = source[start:end]
    places = _places(target, wanted) if wanted.strip() else []
    if len(places) == 1:
        return _at(addressing, start, places[0], end - start, "text")
    home = _enclosing(_parsed(source), start, end)
    if places:
        return _nearest_place(addressing, (start, end), places, home, source, target)
    lost = _plain(home, source) if home else " ".join(wanted.split())
    return _most_alike(addressing, lost, source, target, home=home)


def _nearest_place(
    addressing: dict[str, Any],
    old: tuple[int, int],
    places: Sequence[int],
    home: Block | None,
    source: str,
    target: str,
) -> Resolution:
    """Return the nearest of several places with the same text, in the range's own block if one is in there, else
    in the document."""
    start, length = old[0], old[1] - old[0]
    old_frame, new_frame = (0, len(source)), (0, len(target))
    own = _by_id(_parsed(target), home.block_id) if home and home.block_id else None
    if home and own:
        within = [at for at in places if own.start_offset <= at and at + length <= own.end_offset]
        if within:
            places = within
            old_frame = home.start_offset, home.end_offset
            new_frame = own.start_offset, own.end_offset
    if start in places:
        return _at(addressing, start, start, length, "text")
    if len(places) == 1:
        return _at(addressing, start, places[0], length, "text")
    # Cross-multiplied, so that equal distances are equal: where the old place would be in the new frame.
    old_size, new_size = old_frame[1] - old_frame[0], new_frame[1] - new_frame[0]
    expected = (start - old_frame[0]) * new_size
    distances = [abs((at - new_frame[0]) * old_size - expected) for at in places]
    nearest = min(distances)
    method = "text_ambiguous" if distances.count(nearest) > 1 else "text_nearest"
    return _at(addressing, start, places[distances.index(nearest)], length, method)


def _most_alike(
    addressing: dict[str, Any], lost: str, source: str, target: str, *, home: Block | None = None
) -> Resolution:
    """Return the block of the target that is most alike to the lost text, first the one with the id of the
    range's own block."""
    former = {block.block_id: _plain(block, source) for block in _parsed(source) if block.block_id}
    matcher = SequenceMatcher(a="", b=lost, autojunk=False)
    candidates = []
    for position, block in enumerate(_parsed(target)):
        if not block.block_id:
            continue
        text = _plain(block, target)
        if home and block.block_id == home.block_id:
            score = _ratio(text, lost)
            if score >= MIN_SCORE:
                return _found("remap", "similarity", score, addressing, {"block_id": block.block_id})
        elif former.get(block.block_id) != text:
            matcher.set_seq1(text)
            if matcher.real_quick_ratio() >= MIN_SCORE and (bound := matcher.quick_ratio()) >= MIN_SCORE:
                candidates.append((-bound, position, block.block_id, text))
    best_id, best_score = _best(lost, sorted(candidates), former)
    if best_score < MIN_SCORE:
        return _unresolved(addressing, best_score)
    return _found("remap", "similarity", best_score, addressing, {"block_id": best_id})


def _best(
    lost: str, candidates: Sequence[tuple[float, int, str, str]], former: dict[str, str]
) -> tuple[str, float]:
    """Return id and score of the best of the candidates `(-upper bound, position, id, text)`, best bound first."""
    best, best_id = (0.0, 0), ""
    pairs = 0
    for negative_bound, position, block_id, text in candidates:
        pairs += len(text) * len(lost)
        if -negative_bound < best[0] or pairs > MAX_PAIRS:
            break
        score = _ratio(text, lost)
        if (score, -position) <= best or (block_id in former and score <= _ratio(text, former[block_id])):
            continue
        best, best_id = (score, -position), block_id
    return best_id, best[0]


def _ratio(text: str, other: str) -> float:
    return 1.0 if text == other else SequenceMatcher(a=text, b=other, autojunk=False).ratio()


def _places(text: str, wanted: str) -> list[int]:
    """Return the offsets of a text without those that overlap an earlier one, which keeps the cost linear."""
    places = []
    at = text.find(wanted)
    while at >= 0:
        places.append(at)
        at = text.find(wanted, at + len(wanted))
    return places


def _enclosing(blocks: Sequence[Block], start: int, end: int) -> Block | None:
    """Return the smallest block around a range, or else around its start."""
    around = [block for block in blocks if block.start_offset <= start and end <= block.end_offset]
    around = around or [block for block in blocks if block.start_offset <= start < block.end_offset]
    return min(around, key=lambda block: block.end_offset - block.start_offset, default=None)


def _by_id(blocks: Sequence[Block], block_id: str) -> Block | None:
    return next((block for block in blocks if block.block_id == block_id), None)


@lru_cache(maxsize=4)
def _parsed(markdown: str) -> tuple[Block, ...]:
    """Return the blocks of a document, cached because its anchors are resolved one after the other."""
    return tuple(parse_blocks(markdown))


def _plain(block: Block, markdown: str) -> str:
    """Return a block's text for comparing: without the markers in it, each run of white space as one blank."""
    text = markdown[block.start_offset : min(block.end_offset, block.start_offset + 4 * MAX_CHARACTERS)]
    return " ".join(_MARKER.sub(" ", text).split())[:MAX_CHARACTERS]


def _at(addressing: dict[str, Any], old: int, new: int, length: int, method: str) -> Resolution:
    place = {"char_range": {"start_offset": new, "end_offset": new + length}}
    return _found("retain" if new == old else "remap", method, 1.0, addressing, place)


def _found(
    state: State, method: str, score: float, addressing: dict[str, Any], place: dict[str, Any]
) -> Resolution:
    rest = {name: value for name, value in addressing.items() if name not in ("block_id", "char_range")}
    new = rest | {"address_type": next(iter(place))} | place
    trace = {"method": method, "score": round(score, 4), "from": _place(addressing), "to": place}
    return Resolution(state=state, addressing=new, trace=trace)


def _unresolved(addressing: dict[str, Any], score: float) -> Resolution:
    trace = {"method": "none", "score": round(score, 4), "from": _place(addressing), "to": None}
    return Resolution(state="unresolved", addressing=None, trace=trace)


def _place(addressing: dict[str, Any]) -> dict[str, Any]:
    return {name: addressing[name] for name in ("block_id", "char_range") if name in addressing}
