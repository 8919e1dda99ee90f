"""Card numbers and phone numbers in a line of text, as they are written and as they are misread.

Phone numbers are told by their form alone. A library that knows the plans of all countries refuses numbers that are not
given to anybody, as those of demonstrations are, and needs to know the country of one that is written without it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

_LIKE_DIGITS = str.maketrans("OoQDlI|!SBZ", "00001111582")
_MIN_DIGITS = 0.75
"""The share of what is taken for digits that is read as such."""

Range = tuple[int, int, float]
"""Where something begins and ends in a line, and how sure it is (0..1)."""

# ISO/IEC 7812 issuers: the least and the largest prefix of a range, and the lengths of its numbers.
_ISSUERS: tuple[tuple[int, int, frozenset[int]], ...] = (
    (4, 4, frozenset({13, 16, 19})),
    (51, 55, frozenset({16})),
    (2221, 2720, frozenset({16})),
    (34, 34, frozenset({15})),
    (37, 37, frozenset({15})),
    (6011, 6011, frozenset({16, 19})),
    (644, 659, frozenset({16, 19})),
    (300, 305, frozenset({14, 16})),
    (36, 36, frozenset({14, 16})),
    (38, 39, frozenset({14, 16})),
    (3528, 3589, frozenset({16, 19})),
    (62, 62, frozenset({16, 17, 18, 19})),
    (5018, 5038, frozenset({16, 19})),
    (6304, 6304, frozenset({16, 19})),
    (6759, 6763, frozenset({16, 19})),
)

_DIGITISH = "0-9OoQDlI|!SBZ"
_RUN = re.compile(rf"(?<![\w*•.,])[{_DIGITISH}]+(?:[ \-–.]{{1,2}}[{_DIGITISH}]+)*(?![\w*•])")
_GROUP = re.compile(rf"[{_DIGITISH}]+")


def cards(text: str) -> Iterator[Range]:
    """Yield card numbers: of a known issuer, of a right length and check digit. One that is partly masked is none."""
    for run in _RUN.finditer(text):
        groups = [
            (run.start() + group.start(), run.start() + group.end()) for group in _GROUP.finditer(run[0])
        ]
        at = 0
        while at < len(groups):
            if found := _card_from(text, groups[at:]):
                start, end, sure, used = found
                yield start, end, sure
                at += used
            else:
                at += 1


def _card_from(text: str, groups: list[tuple[int, int]]) -> tuple[int, int, float, int] | None:
    """Return (start, end, confidence, groups used) of the longest card number that begins with the first group."""
    for used in range(min(len(groups), 19), 0, -1):
        start, end = groups[0][0], groups[used - 1][1]
        written = "".join(text[first:last] for first, last in groups[:used])
        if 13 <= len(written) <= 19 and _is_card(written):
            lengths = [last - first for first, last in groups[:used]]
            is_grouped = lengths in ([4, 4, 4, 4], [4, 6, 5], [4, 6, 4], [4, 4, 4, 4, 3])
            sure = 0.97 if is_grouped else 0.9 if len(written) in (15, 16) and used == 1 else 0.7
            return start, end, sure, used
    return None


def _is_card(written: str) -> bool:
    if sum(letter.isdigit() for letter in written) < _MIN_DIGITS * len(written):
        return False
    digits = written.translate(_LIKE_DIGITS)
    is_issued = any(
        len(digits) in lengths and low <= int(digits[: len(str(low))]) <= high
        for low, high, lengths in _ISSUERS
    )
    return is_issued and len(set(digits)) > 1 and _luhn(digits) % 10 == 0


def _luhn(digits: str) -> int:
    """Return the sum of ISO/IEC 7812-1, annex B."""
    doubled = [int(digit) * (2 if at % 2 else 1) for at, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled)


_D = "[0-9OoIl]"
_SEPARATOR = r"[ .\-–/]"
_INTERNATIONAL = re.compile(
    rf"(?<![\w+])(?:\+ ?|(?<!\d )00 ?(?=[1-9]))(?:\(?{_D}{{1,5}}\)?{_SEPARATOR}{{0,2}}){{2,8}}+(?!{_D})"
)
_NORTH_AMERICAN = re.compile(
    rf"(?<![\w.\-+/])(?:1{_SEPARATOR}{{1,2}})?(?:\([2-9]{_D}{{2}}\) ?|[2-9]{_D}{{2}}[ .\-–])"
    rf"[2-9]{_D}{{2}}[ .\-–]{_D}{{4}}(?![\w\-/]|\.\d)"
)
_NATIONAL = re.compile(
    rf"(?<![\w.\-+/,])(?<!\d )\(?[0O][1-9]{_D}{{0,4}}\)?(?: ?[ .\-–/] ?{_D}{{2,8}}){{1,4}}(?![\w\-/]|[.,:]\d)"
)
_LABELLED = re.compile(
    rf"\b(?:tel(?:ephone)?|phone|mobile|mob|cell|fax|call|whatsapp|sms)\b(?: ?(?:no|number|nr))?[ .:#]{{0,3}}"
    rf"(\(?{_D}[0-9OoIl ().\-–/]{{5,18}}{_D})(?!\w)",
    re.IGNORECASE,
)
_NUMBERED = re.compile(
    r"(?:\b(?:order|invoice|inv|ref|reference|ticket|case|sku|article|item|account|acct|iban|serial|tracking|isbn|id"
    r"|no|nr|build|version|vat|po|batch|part)\b|#)[ .:#№-]{0,3}$",
    re.IGNORECASE,
)
_AMOUNT = re.compile(r"(?:[$€£¥]|\b(?:USD|EUR|GBP|SEK|CHF)) ?$", re.IGNORECASE)
_AMOUNT_AFTER = re.compile(r"^ ?(?:[$€£¥%]|(?:USD|EUR|GBP|SEK|CHF|[kMG]i?B|ms|px)\b)")
_DATE = re.compile(
    r"^(?:[0-3]?\d[./\-][0-3]?\d[./\-](?:\d{2}|\d{4})"
    r"|[0-3]?\d [01]?\d (?:19|20)\d\d|\d{4}([ ./\-])[01]?\d\1[0-3]?\d)(?!\d)"
)
_ADDRESS = re.compile(r"^\d{1,3}(?:\.\d{1,3}){3}$")

_FORMS = ((_INTERNATIONAL, 0, 0.9), (_LABELLED, 1, 0.85), (_NORTH_AMERICAN, 0, 0.8), (_NATIONAL, 0, 0.7))


def phones(text: str) -> Iterator[Range]:
    """Yield phone numbers in international form, in national forms with separators, and behind words that say so."""
    taken: list[tuple[int, int]] = []
    for form, group, sure in _FORMS:
        for found in form.finditer(text):
            start, end = found.start(group), found.end(group)
            end -= len(text[start:end]) - len(text[start:end].rstrip(" .-–/("))
            is_free = all(end <= first or last <= start for first, last in taken)
            if is_free and _is_phone(text, start, end, is_international=form is _INTERNATIONAL):
                taken.append((start, end))
                yield start, end, sure


def _is_phone(text: str, start: int, end: int, *, is_international: bool) -> bool:
    written = text[start:end]
    digits = [letter for letter in written if letter in "0123456789OoIl"]
    if not (8 if is_international else 7) <= len(digits) <= 15 or written.count("(") != written.count(")"):
        return False
    if sum(letter.isdigit() for letter in digits) < _MIN_DIGITS * len(digits):
        return False
    if is_international:
        return digits[0] not in "0Oo" or written.startswith("00")
    before, after = text[:start], text[end:]
    is_other = _NUMBERED.search(before) or _AMOUNT.search(before) or _AMOUNT_AFTER.search(after)
    return not (is_other or _DATE.match(written) or _ADDRESS.match(written) or _is_repeated(digits))


def _is_repeated(digits: list[str]) -> bool:
    return all(first == second for first, second in pairwise(digits))
