"""Find where an anchor that was made in one version of an instruction is in another version.

The trace of each answer says what was found, by which method and with which score.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from anchors.likeness import MAX_CHARACTERS, MIN_SCORE, Comparison, Likeness, comparable, most_alike
from instructions.block import Block

State = Literal["retain", "remap", "unresolved"]

MAX_PLACES = 10_000
"""The number of places with the text of a range that are looked at, from the first one on."""


@dataclass(frozen=True)
class Text:
    """The markdown of a version, and its blocks as `parse_blocks` gives them."""

    markdown: str
    blocks: Sequence[Block]


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


class Resolver:
    """Finds the places of one version in another. What is needed of the two texts is prepared once for all anchors.

    A block whose id is there is retained. A range is retained where its text stands unmoved, and follows its
    text otherwise: within its own block first, then to the place nearest to the old one. What is left goes to
    the block whose text is most alike to that of the block it stood in, ties by document order. A block that
    the source has too is taken only when it has become more like the lost one than like itself: a deleted step
    is not resolved to the step after it.

    Offsets are code points. An address that is not in `source` is unresolved. The same texts and the same address
    give the same answer, whatever was resolved before, at a cost that has a limit (see `likeness`).
    """

    def __init__(self, source: Text, target: Text) -> None:
        self._source, self._target = source, target
        self._source_blocks = _first_of_each_id(source.blocks)
        self._target_blocks = _first_of_each_id(target.blocks)
        former = {block_id: _plain(block, source.markdown) for block_id, block in self._source_blocks.items()}
        self._likeness = Likeness(
            [
                (block.block_id, _plain(block, target.markdown), former.get(block.block_id))
                for block in target.blocks
                if block.block_id
            ]
        )

    def resolve(self, addressing: dict[str, Any]) -> Resolution:
        """Return where in the target the place is that `addressing` names in the source."""
        if "block_id" in addressing:
            return self._resolve_block(addressing)
        start, end = addressing["char_range"]["start_offset"], addressing["char_range"]["end_offset"]
        if not 0 <= start < end <= len(self._source.markdown):
            return _unresolved(addressing, 0.0)
        return self._resolve_range(addressing, start, end)

    def likeness(self, addressing: dict[str, Any], block_id: str) -> float:
        """Return how alike a block of the target is to the text at a place of the source: 0 if either is not there."""
        lost, block = self._lost_text(addressing), self._target_blocks.get(block_id)
        return Comparison(lost).ratio(_plain(block, self._target.markdown)) if lost and block else 0.0

    def likeliest(self, addressing: dict[str, Any]) -> dict[str, float]:
        """Return by id the blocks of the target that are most like the text at a place of the source, with their
        scores, the most alike first: for who puts an anchor on one of them that no score suffices for."""
        lost = self._lost_text(addressing)
        texts = (
            (block_id, _plain(block, self._target.markdown))
            for block_id, block in self._target_blocks.items()
        )
        return most_alike(lost, list(texts)) if lost else {}

    def home(self, addressing: dict[str, Any]) -> Block | None:
        """Return the block of the source that a place is, or is in."""
        if "block_id" in addressing:
            return self._source_blocks.get(str(addressing["block_id"]).lower())
        at = addressing["char_range"]
        return _enclosing(self._source.blocks, at["start_offset"], at["end_offset"])

    def _lost_text(self, addressing: dict[str, Any]) -> str:
        home = self.home(addressing)
        return _plain(home, self._source.markdown) if home else ""

    def _resolve_block(self, addressing: dict[str, Any]) -> Resolution:
        block_id = str(addressing["block_id"]).lower()
        if block_id in self._target_blocks:
            return _found("retain", "block_id", 1.0, addressing, {"block_id": block_id})
        lost = self._source_blocks.get(block_id)
        if lost is None:
            return _unresolved(addressing, 0.0)
        return self._most_alike(addressing, _plain(lost, self._source.markdown))

    def _resolve_range(self, addressing: dict[str, Any], start: int, end: int) -> Resolution:
        wanted = self._source.markdown[start:end]
        home = _enclosing(self._source.blocks, start, end)
        if wanted.strip():
            own = self._target_blocks.get(home.block_id) if home else None
            found = _places(self._target.markdown, wanted, own)
            if len(found) == 1:
                return _at(addressing, start, found[0], end - start, "text")
            if found:
                return self._nearest_place(addressing, (start, end), found, home)
        lost = _plain(home, self._source.markdown) if home else " ".join(wanted.split())
        return self._most_alike(addressing, lost, home=home)

    def _nearest_place(
        self, addressing: dict[str, Any], old: tuple[int, int], places: Sequence[int], home: Block | None
    ) -> Resolution:
        """Return the nearest of several places with the same text, in the range's own block if one is in there,
        else in the document."""
        start, length = old[0], old[1] - old[0]
        old_frame, new_frame = (0, len(self._source.markdown)), (0, len(self._target.markdown))
        own = self._target_blocks.get(home.block_id) if home else None
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

    def _most_alike(self, addressing: dict[str, Any], lost: str, *, home: Block | None = None) -> Resolution:
        """Return the block of the target that is most alike to the lost text, first the one with the id of the
        range's own block."""
        comparison = Comparison(lost)
        own = self._target_blocks.get(home.block_id) if home else None
        if own:
            score = comparison.ratio(_plain(own, self._target.markdown))
            if score >= MIN_SCORE:
                return _found("remap", "similarity", score, addressing, {"block_id": own.block_id})
        best_id, score = self._likeness.best(comparison, without=own.block_id if own else None)
        if score < MIN_SCORE:
            return _unresolved(addressing, score)
        return _found("remap", "similarity", score, addressing, {"block_id": best_id})


def _first_of_each_id(blocks: Sequence[Block]) -> dict[str, Block]:
    return {block.block_id: block for block in reversed(blocks) if block.block_id}


def _places(text: str, wanted: str, own: Block | None) -> list[int]:
    """Return the offsets of a text: the first `MAX_PLACES`, and those in its own block."""
    found = list(_offsets(text, wanted, 0, len(text)))
    if own and len(found) == MAX_PLACES:
        found += [at for at in _offsets(text, wanted, own.start_offset, own.end_offset) if at > found[-1]]
    return found


def _offsets(text: str, wanted: str, start: int, end: int) -> Iterator[int]:
    """Yield the first offsets of a text without those that overlap an earlier one."""
    at = text.find(wanted, start, end)
    for _ in range(MAX_PLACES):
        if at < 0:
            return
        yield at
        at = text.find(wanted, at + len(wanted), end)


def _enclosing(blocks: Sequence[Block], start: int, end: int) -> Block | None:
    """Return the smallest block around a range, or else around its start."""
    around = [block for block in blocks if block.start_offset <= start and end <= block.end_offset]
    around = around or [block for block in blocks if block.start_offset <= start < block.end_offset]
    return min(around, key=lambda block: block.end_offset - block.start_offset, default=None)


def _plain(block: Block, markdown: str) -> str:
    """Return a block's text for comparing."""
    return comparable(
        markdown[block.start_offset : min(block.end_offset, block.start_offset + 4 * MAX_CHARACTERS)]
    )


def _at(addressing: dict[str, Any], old: int, new: int, length: int, method: str) -> Resolution:
    place = {"char_range": {"start_offset": new, "end_offset": new + length}}
    return _found("retain" if new == old else "remap", method, 1.0, addressing, place)


def _found(
    state: State, method: str, score: float, addressing: dict[str, Any], place: dict[str, Any]
) -> Resolution:
    new = {"address_type": next(iter(place)), **place}
    trace = {"method": method, "score": round(score, 4), "from": _place(addressing), "to": place}
    return Resolution(state=state, addressing=new, trace=trace)


def _unresolved(addressing: dict[str, Any], score: float) -> Resolution:
    trace = {"method": "none", "score": round(score, 4), "from": _place(addressing), "to": None}
    return Resolution(state="unresolved", addressing=None, trace=trace)


def _place(addressing: dict[str, Any]) -> dict[str, Any]:
    return {name: addressing[name] for name in ("block_id", "char_range") if name in addressing}
