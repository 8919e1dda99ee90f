"""The canonical form of JSON is the library's, whatever way it is found."""

from __future__ import annotations

from typing import Any

import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from config.api import canonical
from config.api.canonical import canonical_json

TEXT = st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from('\x00\x1f\x7f\u2028"\\/\b\ufb33\U0001f600')
)
LEAVES = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXT
PLAIN = st.recursive(
    LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text("ab\x00\x7f"), inner), max_leaves=20
)
ANY = st.recursive(
    LEAVES | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=20,
)


@given(PLAIN | ANY)
@example({"\ufb33": 1, "\U0001f600": 2, "z": 3})  # UTF-16 puts the second before the first
@example([0.5, {"\ufb33": 1, "\U0001f600": 2}, 1e21, 1e-7, -0.0, 5.0])
def test_it_is_the_form_that_the_library_gives(value: Any) -> None:
    assert canonical_json(value) == rfc8785.dumps(value)


@pytest.mark.parametrize("value", [2**53, -(2**53), float("inf"), float("nan"), {"a": [2**53]}, [0.5, 2**53]])
def test_numbers_that_are_not_exact_are_refused(value: Any) -> None:
    with pytest.raises(rfc8785.CanonicalizationError):
        canonical_json(value)


def test_text_is_never_left_to_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes 3 s for 16 MiB of backslashes."""
    given = []
    dumps = rfc8785.dumps
    monkeypatch.setattr(canonical.rfc8785, "dumps", lambda value: (given.append(value), dumps(value))[1])
    canonical_json({"segments": [{"start_ms": 1, "text": "a\\b"}] * 1000})
    assert given == []
    canonical_json({"metrics": [0.5, "a\\b", {"\ufb33": "c"}]})
    assert given == [0.5]
