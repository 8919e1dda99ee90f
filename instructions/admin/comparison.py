"""What differs between two versions of a document, block by block and word by word, for a page of bounded size."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from django import forms
from unfold.widgets import UnfoldAdminIntegerFieldWidget

from instructions.diff import BlockChange, Run, block_changes, own_texts, word_runs
from instructions.models import Instruction
from instructions.services.history import read_texts

MAX_CHANGES = 200  # blocks that a page shows
MAX_CHARACTERS = 200_000  # of both texts of all blocks that a page shows


class VersionsForm(forms.Form):
    """Which two versions of a document are compared: the two newest, unless others are asked for."""

    before = forms.IntegerField(label="From version", min_value=1, widget=UnfoldAdminIntegerFieldWidget)
    after = forms.IntegerField(label="To version", min_value=1, widget=UnfoldAdminIntegerFieldWidget)

    def clean(self) -> dict[str, int]:
        cleaned = super().clean() or {}
        for name, version in list(cleaned.items()):
            if version > self.initial["newest"]:
                self.add_error(name, f"There are versions 1 to {self.initial['newest']}.")
        return cleaned


@dataclass(frozen=True)
class ShownChange:
    """What became of one block: the `labels` say it in words, `runs` are its words."""

    kind: str
    labels: tuple[str, ...]
    runs: tuple[Run, ...]


@dataclass(frozen=True)
class Difference:
    """The first `changes` of `number`."""

    changes: tuple[ShownChange, ...]
    number: int


def compare(instruction: Instruction, before: int, after: int) -> Difference:
    """Return what differs between two versions that are there; raise the API's 404 where one is not."""
    (old, old_blocks), (new, new_blocks) = read_texts(instruction=instruction, versions=(before, after))
    found = block_changes(old, old_blocks, new, new_blocks)
    texts = (own_texts(old, old_blocks), own_texts(new, new_blocks))
    kinds = {block.block_id: block.kind for block in [*old_blocks, *new_blocks]}
    by_block = [(block_id, [each.change for each in some]) for block_id, some in groupby(found, _block_id)]
    shown: list[ShownChange] = []
    room = MAX_CHARACTERS
    for block_id, changes in by_block[:MAX_CHANGES]:
        was, now = (text.get(block_id, "").strip() for text in texts)
        room -= len(was) + len(now)
        if room < 0:
            break
        labels = tuple(str(change).capitalize() for change in changes)
        shown.append(ShownChange(kinds[block_id], labels, tuple(word_runs(was, now))))
    return Difference(tuple(shown), len(by_block))


def _block_id(change: BlockChange) -> str:
    return change.block_id
