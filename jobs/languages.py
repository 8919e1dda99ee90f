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

# What models of Whisper are trained on (openai/whisper, tokenizer.py), in their codes.
OF_WHISPER = tuple(
    """
    af am ar as az ba be bg bn bo br bs ca cs cy da de el en es et eu fa fi fo fr gl gu ha haw he hi hr ht hu hy id is
    it ja jw ka kk km kn ko la lb ln lo lt lv mg mi mk ml mn mr ms mt my ne nl nn no oc pa pl ps pt ro ru sa sd si sk
    sl sn so sq sr su sv sw ta te tg th tk tl tr tt uk ur uz vi yi yo yue zh
    """.split()  # noqa: SIM905
)


def is_language_tag(text: str) -> bool:
    """Return whether a text is a well-formed tag, in any case: of the grammar, no variant or singleton twice."""
    tag = TAG.fullmatch(text)
    if not tag:
        return False
    variants = (tag["variants"] or "").lower().split("-")
    singletons = [part for part in (tag["extensions"] or "").lower().split("-") if len(part) == 1]
    return len(variants) == len(set(variants)) and len(singletons) == len(set(singletons))
