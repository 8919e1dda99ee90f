"""Language tags after BCP 47: what RFC 5646 calls well-formed (section 2.2.9), which takes no registry to say."""

from __future__ import annotations

import re

# Section 2.1. Of what it reserves nothing is taken: primary subtags of four letters, a second extlang; nor are
# primary subtags of five to eight letters, of which none was ever registered ("english" is no tag).
TAG = re.compile(
    r"""
    [a-z]{2,3} (-[a-z]{3})?                                    # language, extlang
    (-[a-z]{4})?                                               # script
    (-([a-z]{2} | [0-9]{3}))?                                  # region
    (?P<variants> (-([a-z0-9]{5,8} | [0-9][a-z0-9]{3}))* )
    (?P<extensions> (-[0-9a-wy-z] (-[a-z0-9]{2,8})+)* )
    (-x(-[a-z0-9]{1,8})+)?                                     # private use
    | x(-[a-z0-9]{1,8})+
    | en-GB-oed | sgn-(BE-FR | BE-NL | CH-DE) | zh-min-nan     # older than the grammar
    | i-(ami | bnn | default | enochian | hak | klingon | lux | mingo | navajo | pwn | tao | tay | tsu)
    """,
    re.ASCII | re.IGNORECASE | re.VERBOSE,
)


def is_language_tag(text: str) -> bool:
    """Return whether a text is a well-formed tag, in any case: of the grammar, no variant or singleton twice."""
    tag = TAG.fullmatch(text)
    if not tag:
        return False
    variants = (tag["variants"] or "").lower().split("-")
    singletons = [part for part in (tag["extensions"] or "").lower().split("-") if len(part) == 1]
    return len(variants) == len(set(variants)) and len(singletons) == len(set(singletons))
