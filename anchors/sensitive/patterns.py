"""What in a line of text should be hidden: its kind, and from which character to which.

Lines are read off a screen: a space may stand inside of a word, and O, l and I where 0 and 1 are meant.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from anchors.sensitive.numbers import Range, cards, phones

Kind = Literal["email", "card", "token", "phone", "name"]
_MAX_LENGTH = 500  # characters of a line; as many as are never on a screen
KINDS: tuple[Kind, ...] = ("email", "card", "token", "phone", "name")


@dataclass(frozen=True)
class Match:
    """Characters `start` to before `end` of a line. `confidence` is 0..1."""

    kind: Kind
    start: int
    end: int
    confidence: float


def find_in_line(text: str) -> list[Match]:
    """Return what should be hidden of a line, in order; of two that overlap the surer one. Names are not found here."""
    text = text[:_MAX_LENGTH]
    found: list[Match] = []
    for kind, search in _SEARCHES:
        found += [Match(kind, start, end, sure) for start, end, sure in search(text)]
    kept: list[Match] = []
    for match in sorted(found, key=lambda match: (-match.confidence, match.start - match.end)):
        if all(match.end <= other.start or other.end <= match.start for other in kept):
            kept.append(match)
    return sorted(kept, key=lambda match: match.start)


_LOCAL = r"[^\W_](?:[\w%+'’-]|\.(?=[\w%+-]))*+"
_EMAIL = re.compile(rf"(?<![\w@*•]){_LOCAL}@(?:[\w-]+\.)+[^\W\d_]{{2,24}}(?![\w@])")
# Read with spaces around what parts it; behind a dot a capital begins a new sentence.
_LOOSE_EMAIL = re.compile(
    rf"(?<![\w@*•]){_LOCAL}(?: ?\. ?[\w%+-]+)* ?@ ?(?:[\w-]+ ?[.,] ?(?=[a-z0-9]))+[a-z]{{2,24}}(?![\w@])"
)
_BEGUN = re.compile(r"^[\w%+-]+ ?\. ?$")  # the first word of the line, read apart
_FILE_ENDINGS = frozenset(
    {"png", "jpg", "jpeg", "svg", "webp", "gif", "js", "ts", "css", "json", "py", "md", "html"}
)


def _emails(text: str) -> Iterator[Range]:
    taken: list[tuple[int, int]] = []
    for form, sure in ((_EMAIL, 0.97), (_LOOSE_EMAIL, 0.8)):
        for found in form.finditer(text):
            is_file = found[0].rsplit(".", 1)[-1].lower() in _FILE_ENDINGS
            is_remote = found[0].lower().startswith("git@") and text[found.end() :].startswith(":")
            is_free = all(found.end() <= start or end <= found.start() for start, end in taken)
            if is_free and not is_file and not is_remote:
                taken.append(found.span())
                before = _BEGUN.search(text[: found.start()])
                yield before.start() if before else found.start(), found.end(), sure


_REST = r"[A-Za-z0-9_\-]"
# A prefix, with what its signs are read as, and what follows it.
_ISSUED = (
    rf"sk ?[-_](?:(?:proj|ant|live|test)[-_]?)?{_REST}{{16,}}",
    rf"[rp]k ?[-_](?:live|test) ?[-_]{_REST}{{16,}}",
    r"gh[pousr] ?[_\-]? ?[A-Za-z0-9]{24,}",
    rf"github ?[_\- ]pat ?[_\- ]{_REST}{{22,}}",
    rf"glpat ?[-_]{_REST}{{16,}}",
    r"A[KS][Il1]A[A-Z0-9]{12,20}",
    rf"xox[abeoprs] ?-{_REST}{{10,}}",
    rf"A[Il1]za{_REST}{{30,}}",
    rf"ya29\.{_REST}{{20,}}",
    rf"ey[JI][A-Za-z0-9_\-]{{12,}}(?:\.{_REST}*)*",
    rf"swt ?[_\-]{_REST}{{12,}}",
    r"(?:hf|npm|dop_v1|whsec|shpat|shpss) ?_[A-Za-z0-9]{20,}",
    rf"pypi-{_REST}{{30,}}",
    rf"SG\.{_REST}{{16,}}\.{_REST}{{16,}}",
)
_TOKEN = re.compile("|".join(rf"(?<![A-Za-z0-9])(?:{each})" for each in _ISSUED))
_BROKEN_OFF = re.compile(r" (?=[A-Za-z_\-]*\d)(?=[0-9_\-]*[A-Za-z])[A-Za-z0-9_\-]{4,}(?![\w.:/@])")
_PEM = re.compile(r"-{2,5} ?BEGIN [A-Z0-9 ]*PRIVATE ?KEY(?: ?BLOCK)? ?-{0,5}")
_NAMED = re.compile(
    r"(?:api[ _-]?key|secret(?:[ _-]?key)?|access[ _-]?(?:key|token)|token|passw(?:or)?d|pwd|bearer)"
    r"[\"']?(?: ?[:=] ?| (?<=bearer ))[\"']?([^\s\"',;]{8,})",
    re.IGNORECASE,
)
_LONG = re.compile(r"(?<![\w/.+=-])[A-Za-z0-9+/_\-]{24,}={0,2}(?![\w.])")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_HEX = re.compile(r"(?:0x)?[0-9a-f]+|[0-9A-F]+")
_OF_COMMITS = re.compile(r"\b(?:commit|sha|sha1|sha256|digest|revision|merge|checksum|md5)\b", re.IGNORECASE)


def _tokens(text: str) -> Iterator[Range]:
    for found in _TOKEN.finditer(text):
        if _is_mixed(found[0]):
            yield found.start(), _end_of_broken(text, found.end()), 0.95
    for found in _PEM.finditer(text):
        yield *found.span(), 0.97
    for found in _NAMED.finditer(text):
        value = found[1]
        if any(letter.isdigit() for letter in value) and any(letter.isalpha() for letter in value):
            yield *found.span(1), 0.75
    for found in _LONG.finditer(text):
        if sure := _sure_of_long(text, found[0]):
            yield *found.span(), sure


def _end_of_broken(text: str, end: int) -> int:
    """Return where a token ends of which a part was read as a word of its own."""
    while more := _BROKEN_OFF.match(text, end):
        end = more.end()
    return end


def _is_mixed(written: str) -> bool:
    """Return whether it is no name of words, as `sk-learn-contrib-examples` is."""
    return any(letter.isdigit() for letter in written) or any(letter.isupper() for letter in written[4:])


def _sure_of_long(text: str, written: str) -> float:
    """Return how sure it is that a long string is a secret; 0 for an id, a path, a hash of a commit, or words."""
    if _UUID.fullmatch(written):
        return 0.0
    if _HEX.fullmatch(written):
        is_hash = len(written) == 40 or _OF_COMMITS.search(text) is not None
        return 0.0 if is_hash or len(written) < 32 or not _alternates(written, 6) else 0.5
    is_path = written.count("/") >= 2 and not written.endswith("=") and max(map(len, written.split("/"))) < 20
    is_path = is_path or max(map(len, re.split("[-_]", written))) < 12
    has_all = all(any(is_of(letter) for letter in written) for is_of in (str.islower, str.isdigit))
    if is_path or not has_all or _entropy(written) < 3.6 or not _alternates(written, 5):
        return 0.0
    return 0.75 if any(map(str.isupper, written)) else 0.6


def _alternates(written: str, times: int) -> bool:
    """Return whether letters and digits follow one another at least so often."""
    return sum(first.isdigit() != second.isdigit() for first, second in pairwise(written)) >= times


def _entropy(written: str) -> float:
    """Return the entropy of its characters, in bits a character (Shannon)."""
    counts = Counter(written).values()
    return -sum(count / len(written) * math.log2(count / len(written)) for count in counts)


_SEARCHES: tuple[tuple[Kind, Callable[[str], Iterator[Range]]], ...] = (
    ("email", _emails),
    ("card", cards),
    ("token", _tokens),
    ("phone", phones),
)

_WORD = r"[A-ZÀ-ÖØ-Þ][a-zß-öø-ÿ'’]+(?:-[A-ZÀ-ÖØ-Þ][a-zß-öø-ÿ]+)?|O['’][A-Z][a-z]+|Mc[A-Z][a-z]+"
_PARTICLE = r"van|von|de|der|den|da|di|la|le|al|bin|ter|af|[A-Z]\."
_NAME = re.compile(rf"(?:{_WORD})(?: (?:{_PARTICLE}))*(?: (?:{_WORD})){{1,2}}")
# Words of titles, menus and buttons, which no name has.
_MENUS = """
account accounts active activity add admin all analytics api app apps archive back billing blog board calendar
cancel card cart category change chat check close code company contact contacts content create custom customer
customers daily dark dashboard data date default delete deploy details developer device direct done download draft
edit email error event events export favorites file files filter folder form general get group groups help history
home import inbox info insert invite invoice invoices item items key language last latest light list log login
logout mail main manage manager menu message messages method mode monthly my name network new next note notes
notifications open order orders overview page password payment payments phone plan policy price privacy product
products profile project projects public quick read recent report reports request requests review role sales save
search security select send service session settings setup share show sign site start status store subscription
summary support switch system table task tasks team teams template terms test tool tools total update upgrade upload
user users version video view web week weekly welcome work workspace your
"""
_OF_SCREENS = frozenset(_MENUS.split())


# What stands behind a name in a chat: when something was said.
_WHEN = r"(?= ?[·•|,–-]? ?\d{1,2}[:.]\d\d| (?:[·•|–-]|yesterday|today|now)\b|$)"
_NAME_FIRST = re.compile(rf"({_NAME.pattern}){_WHEN}")


def find_name(text: str) -> Match | None:
    """Return two or three capitalised words, none of which is one of a menu, as a name is, at the beginning of a line
    that has no more than a time behind them."""
    found = _NAME_FIRST.match(text)
    if not found or len(found[1]) > 40 or _OF_SCREENS.intersection(found[1].lower().split()):
        return None
    return Match("name", *found.span(1), 0.6)
