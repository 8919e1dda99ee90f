"""Where an anchor of one version stands in another: kept, moved with its text, or not found. Never guessed silently.

Order: the same block id; the same text of a range; the block whose text is most alike, from `LEAST_SCORE` up.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Literal

from instructions.blocks import Block, parse_blocks

LEAST_SCORE = 0.6
"""Ratio of matching characters (difflib, Ratcliff and Obershelp 1988) from which a block counts as the same."""

MOST_CHARACTERS = 4000
"""Longer blocks are compared by this many first characters, so that the cost is bounded."""


@dataclass(frozen=True)
class Resolution:
    """`addressing` is the address in the target version, None when unresolved."""

    state: Literal["retain", "remap", "unresolved"]
    addressing: dict[str, Any] | None
    trace: dict[str, Any]


def resolve(addressing: dict[str, Any], *, source: str, target: str) -> Resolution:
    """Find the place that `addressing` names in `source` within `target`. Deterministic; ties by document order."""
    kept = {name: value for name, value in addressing.items() if name not in ("block_id", "char_range", "address_type")}
    if "block_id" in addressing:
        return _resolve_block(addressing["block_id"], kept, source, target)
    return _resolve_range(addressing["char_range"], kept, source, target)


def _resolve_block(block_id: str, kept: dict[str, Any], source: str, target: str) -> Resolution:
    targets = parse_blocks(target)
    if any(block.block_id == block_id for block in targets):
        return _found("retain", "block_id", 1.0, {"block_id": block_id}, {"block_id": block_id}, kept)
    origin = next((block for block in parse_blocks(source) if block.block_id == block_id), None)
    if origin is None:
        return _unresolved({"block_id": block_id}, 0.0)
    return _most_alike(_text(origin, source), {"block_id": block_id}, targets, target, kept)


def _resolve_range(char_range: dict[str, int], kept: dict[str, Any], source: str, target: str) -> Resolution:
    start, end = char_range["start_offset"], char_range["end_offset"]
    origin, wanted = {"char_range": char_range}, source[start:end]
    if target[start:end] == wanted:
        return _found("retain", "text", 1.0, origin, {"char_range": char_range}, kept)
    places, place = [], target.find(wanted)
    while place >= 0 and len(places) < 1000:
        places.append(place)
        place = target.find(wanted, place + 1)
    if places:
        share = start / max(1, len(source))
        nearest = min(places, key=lambda place: (abs(place / max(1, len(target)) - share), place))
        moved = {"char_range": {"start_offset": nearest, "end_offset": nearest + end - start}}
        return _found("remap", "text", 1.0, origin, moved, kept)
    return _most_alike(wanted, origin, parse_blocks(target), target, kept)


def _most_alike(
    wanted: str, origin: dict[str, Any], blocks: list[Block], target: str, kept: dict[str, Any]
) -> Resolution:
    best, best_score = None, 0.0
    matcher = SequenceMatcher(a="", b=wanted[:MOST_CHARACTERS], autojunk=False)
    for block in blocks:
        matcher.set_seq1(_text(block, target))
        floor = max(best_score, LEAST_SCORE)
        # The two upper bounds are cheap; only what may still win is compared in full.
        if matcher.real_quick_ratio() < floor or matcher.quick_ratio() < floor:
            continue
        score = matcher.ratio()
        if score >= LEAST_SCORE and score > best_score:
            best, best_score = block, score
    if best is None:
        return _unresolved(origin, best_score)
    return _found("remap", "similarity", best_score, origin, {"block_id": best.block_id}, kept)


def _text(block: Block, markdown: str) -> str:
    return markdown[block.start_offset : block.end_offset][:MOST_CHARACTERS]


def _found(
    state: Literal["retain", "remap"],
    method: str,
    score: float,
    origin: dict[str, Any],
    found: dict[str, Any],
    kept: dict[str, Any],
) -> Resolution:
    trace = {"method": method, "score": round(score, 4), "from": origin, "to": found}
    return Resolution(state, {"address_type": next(iter(found)), **found, **kept}, trace)


def _unresolved(origin: dict[str, Any], score: float) -> Resolution:
    return Resolution("unresolved", None, {"method": "none", "score": round(score, 4), "from": origin, "to": None})
