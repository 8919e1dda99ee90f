"""Edits of documents in tests: by the words of blocks instead of their ids."""

from __future__ import annotations

import itertools
import uuid

from instructions.block import Block
from instructions.blocks import parse_blocks, strip_markers
from instructions.edits import Operation, apply_operations
from instructions.services.versions import prepare_text
from tests.instructions.markers import marked

UNKNOWN = "0190a000-0000-7000-8000-0000000000ff"
TEXT = """# Guide

Intro.

## Step 1: Open (0:00–0:02)

Open the page.

## Step 2: Type

Type the name.

### Step 1: First name

Ann

### Step 2: Last name

Lee

## Step 3: Save

Press Save.

## Result

Done.
"""


class Guide:
    """A document whose blocks are named by their title or a part of their text; `Guide(text)` adds the markers."""

    def __init__(self, markdown: str) -> None:
        self.markdown = marked(markdown)
        self.spans: dict[str, tuple[int, int]] = {}

    def blocks(self) -> list[Block]:
        return parse_blocks(self.markdown)

    def __getitem__(self, words: str) -> str:
        """The id of the step or heading with this title, else of the first block with these words in it."""
        blocks = self.blocks()
        titled = [block.block_id for block in blocks if block.title == words]
        within = [
            block.block_id
            for block in blocks
            if block.title is None and words in self.markdown[block.start_offset : block.end_offset]
        ]
        return (titled + within)[0]

    def edit(self, *operations: Operation) -> str:
        """Do as the service does; return the text without markers."""
        ids = itertools.count(2**32)
        edited = apply_operations(self.markdown, operations, lambda: str(uuid.UUID(int=next(ids))))
        text = prepare_text(edited.markdown)
        edited.check(text.markdown, text.blocks)
        self.markdown, self.spans = text.markdown, dict(edited.spans)
        return strip_markers(self.markdown)
