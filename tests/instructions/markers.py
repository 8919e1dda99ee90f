"""Ids, markers and made-up texts for tests of blocks."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable

from hypothesis import strategies as st

from instructions.blocks import ensure_markers

A, B, C = (f"0190a000-0000-7000-8000-00000000000{digit}" for digit in "abc")
_LINES = st.sampled_from(
    f"""
# Head
## Step 1: Go (0:01–0:02)
===
---
text
  text
    text
- item
  - inner
1. one
   more
> quote
```
~~~
| a | b |
|---|---|
[r]: /x
[r]
![a](b.png)
<div>
</div>
<!-- note -->
<!--
-->
<pre>
***
\t
  
a\\
<!-- block:{A} -->
<!-- block:{B} -->
  <!-- block:{C} -->
<!-- block:bad -->
é 😀 עברית
""".split("\n")
)
TEXTS_THAT_JOIN = st.lists(_LINES, max_size=14).map("\n".join)
"""Lines of every kind of block in any order, so that many join what stands beside them."""


def counted_ids() -> Callable[[], str]:
    counter = itertools.count(1)
    return lambda: str(uuid.UUID(int=next(counter)))


def marked(markdown: str) -> str:
    return ensure_markers(markdown, counted_ids())
