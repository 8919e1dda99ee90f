"""Language tags: RFC 5646's own examples (appendix A), and what its section 2.2.9 does not call well-formed."""

from __future__ import annotations

import pytest

from jobs.languages import is_language_tag

GOOD = """
de fr ja i-enochian zh-Hant zh-Hans sr-Cyrl sr-Latn zh-cmn-Hans-CN cmn-Hans-CN zh-yue-HK yue-HK zh-Hans-CN
sr-Latn-RS sl-rozaj sl-rozaj-biske sl-nedis de-CH-1901 sl-IT-nedis hy-Latn-IT-arevela de-DE en-US es-419
de-CH-x-phonebk az-Arab-x-AZE-derbend x-whatever qaa-Qaaa-QM-x-southern de-Qaaa sr-Latn-QM sr-Qaaa-RS
en-US-u-islamcal zh-CN-a-myext-x-private en-a-myext-b-another EN-us eN-gB-OED SGN-be-fr zh-min-nan zh-guoyu
art-lojban cel-gaulish de-1996-x-1996-1996 en-x-a-a-a und
"""
BAD = """
de-419-DE a-DE ar-a-aaa-b-bbb-a-ccc de-1996-1901-1996 sl-rozaj-ROZAJ en-u-ca-gregory-U-nu-latn
e english abcd zh-yue-yue en-Latn-Latn en-US-GB en-abcdefghi en-1 en-12 en-1abcd-Latn 12 en-u en-x x i
en- -en en--US en_US en.US i-odd en-u-a en-x-abcdefghi
"""
ODD = ["", " ", "en ", " en", "en\n", "en US", "en\0", "\uff45n", "en-\u00dcS", "es-\u0664\u0661\u0669"]
NOT_ASCII_IN_CAPITALS = ["\u017fs", "\u212ak", "en-rozaj\u017f"]  # s and k to a regex that ignores case


@pytest.mark.parametrize("tag", GOOD.split())
def test_a_well_formed_tag_is_one(tag: str) -> None:
    assert is_language_tag(tag)
    assert is_language_tag(tag.upper()) and is_language_tag(tag.lower())


@pytest.mark.parametrize("tag", BAD.split() + ODD + NOT_ASCII_IN_CAPITALS)
def test_what_is_not_well_formed_is_no_tag(tag: str) -> None:
    assert not is_language_tag(tag)
