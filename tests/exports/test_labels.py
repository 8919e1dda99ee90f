"""The words that exports add, in every language that has some."""

from __future__ import annotations

import pytest

from exports.renderers import labels
from exports.renderers.labels import Labels, day_of

EAST_ASIAN = {"ja", "ko", "zh"}


@pytest.mark.parametrize("language", labels._LABELS)
def test_no_word_is_missing_in_a_language(language: str) -> None:
    found = labels._LABELS[language]
    without = {"page", "months"} if language in EAST_ASIAN else set()
    assert {name for name, value in found._asdict().items() if not value} == without
    assert len(found.months.split()) == (0 if language in EAST_ASIAN else 12)
    assert found.day != Labels().day


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", "4 May 2026"),
        ("de", "4. Mai 2026"),
        ("fr", "4 mai 2026"),
        ("es", "4 de mayo de 2026"),
        ("sv", "4 maj 2026"),
        ("ja", "2026年5月4日"),
        ("ko", "2026년 5월 4일"),
        ("ar", "2026-05-04"),
    ],
)
def test_a_day_cannot_be_read_in_two_ways(language: str, expected: str) -> None:
    assert day_of("2026-05-04", language) == expected
