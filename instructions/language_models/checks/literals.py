"""What in a text is not prose: addresses, paths, commands and their options, numbers to call, code.

Words can be put differently; these can not. So one that a model writes was either said, character by character, or
it is the model's own. Whatever a token is made of beyond letters and a few signs of prose makes it a literal: there is
no list of what is dangerous, but for commands that look like words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile

from instructions.language_models.checks.words import UNSPACED, WORD, normal, word_list

_SENTENCE_END = re.compile(r"(?<=[.!?…؟।])\s+|(?<=[。！？])")
_BORDER = re.compile(
    rf"(?<=[{UNSPACED}])(?=[!-~]|[^\w\s{UNSPACED}])|(?:(?<=[!-~])|(?<=[^\w\s{UNSPACED}]))(?=[{UNSPACED}])"
)
_AROUND = "\"'“”‘’«»„‹›`*¿¡()[],;:!?….،؛؟।"
_DOT_FORMS = re.compile(r"\s*[\[({]\s*(?:\.|dot)\s*[\])}]\s*|[。｡．](?=[a-z])")

_PROSE = re.compile(
    r"""
      [^\W_]+(?:['’+&–—-][^\W_]+)*                   # words, also "Ctrl+C" and "R&D"
    | [^\W\d_]+/[^\W\d_]+                            # "and/or"
    | [^\W_]+(?:>[^\W_]+)+                           # "File>Export"
    | [^\W\d_]+[:*_·](?:innen|in|r|n|e)              # German: "Nutzer:innen"
    | (?:[^\W\d_]\.)+[^\W\d_]?                       # "e.g"
    | [^\W_]+\([^\W\d_]{1,3}\)                       # "file(s)"
    | [^\W\d_]{1,3}(?:\+\+|\#)                       # "C#"
    | [$€£¥#+~±-]?\d+(?:[.,:'’/–-]\d+){0,4}[a-z%°$€£¥"″']*   # numbers, times, dates, amounts
    | v?\d+(?:\.\d+){1,3}[a-z]?                      # versions
    """,
    re.VERBOSE,
)
_BLOB = re.compile(r"(?=\S*\d)(?=\S*[^\W\d_])[\w+/=-]{24,}")
_IP = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")
_SIGNS = frozenset("|$\\<{}~@^")  # that make a literal even without a letter
_PHONE = re.compile(r"(?<![\w.,-])\+?\(?\d[\d\s()./–-]{5,}\d(?!\w)")
_DATE_OR_AMOUNT = re.compile(r"\d{4}-\d\d?-\d\d?|\d\d?[./-]\d\d?[./-]\d{2,4}|\d{1,3}(?:[.]\d{3})+")
MIN_PHONE_DIGITS = 7

# Addresses as they are spoken, in some languages, and words that are spelled.
_TLD = "app|biz|com|dev|edu|example|info|invalid|io|local|me|net|org|ru|shop|site|test|top|uk|us|xyz|de|fr|es|it|cn"
_DOT = "dot|punkt|punto|point|ponto|точка|kropka|nokta"
_SLASH = "slash|schrägstrich|barra|barre|слэш|слеш"
_LABEL = (
    r"[\w-]{1,63}+"  # as long as a name's part may be (RFC 1035); a search from each character ends there
)
_SPOKEN = re.compile(
    rf"{_LABEL}(?: (?:{_DOT}) {_LABEL}){{0,8}} (?:{_DOT}) (?:(?:{_TLD})\b|{_LABEL}(?= (?:{_SLASH}) ))"
    rf"(?: (?:{_SLASH}) [\w-]+)*"
)
_SPELLED = re.compile(r"(?<!\w)(?:[^\W\d_][ .*_-]+){3,}[^\W\d_](?!\w)")
_SQL = re.compile(
    r"\b(?:drop|truncate|alter|create)\s+(?:table|database|schema|user)\b|\bdelete\s+from\b"
    r"|\binsert\s+into\b|\bunion\s+(?:all\s+)?select\b|\bgrant\s+all\b"
)


def sentences(text: str) -> list[str]:
    """Return the sentences of one paragraph."""
    return [part for part in _SENTENCE_END.split(text) if part.strip()]


def literals(text: str) -> list[str]:
    """Return the literals of a text in normal form, in order; those of several words as they stand there."""
    return [*odd_tokens(text), *_phones(text), *(name for name, _ in _commands(text)), *_phrases(text)]


class Said:
    """What was said: in the passages that something rests on, and in the whole talk around them."""

    def __init__(self, cited: Iterable[str], talk: Iterable[str]) -> None:
        texts = [normal(text) for text in cited]
        self._tokens = {token for text in texts for token in odd_tokens(text)}
        self._text = "\n".join(texts)
        self._digits = ["".join(re.findall(r"\d", text)) for text in texts]
        self._words = {word for text in talk for word in WORD.findall(normal(text))}

    def has_all_of(self, text: str) -> bool:
        """Return whether every literal of a text was said.

        Tokens, numbers and phrases must stand in what is cited; a program's name, and what is behind it, in the talk.
        """
        return (
            self._tokens.issuperset(odd_tokens(text))
            and all(any(number in digits for digits in self._digits) for number in _phones(text))
            and all(phrase in self._text for phrase in _phrases(text))
            and all(
                name in self._words and self._words.issuperset(behind) for name, behind in _commands(text)
            )
        )


def odd_tokens(text: str) -> list[str]:
    """Return the tokens that are not prose, without quotation marks and punctuation around them."""
    shown = _DOT_FORMS.sub(".", normal(text))
    shown = _BORDER.sub(" ", "".join(" " if _stands_between(sign) else sign for sign in shown))
    tokens = (_bare(token) for token in shown.split())
    return [token for token in tokens if token and _is_odd(token)]


def _stands_between(sign: str) -> bool:
    """Return whether a character parts words without a space: a picture, or punctuation of East Asian scripts."""
    return sign > "\u2000" and (
        (kind := unicodedata.category(sign)) == "So" or (kind[0] == "P" and sign > "\u2e7f")
    )


def _bare(token: str) -> str:
    stripped = token.strip(_AROUND)
    if "(" in stripped and stripped.count("(") > stripped.count(")"):
        stripped += ")"  # "main()", "alert(1)"
    elif f"{stripped}(" in token and stripped:
        stripped += "()"
    is_dotted = token.lstrip("\"'“‘«`(").startswith(f".{stripped}")  # ".env"
    return f".{stripped}" if stripped and is_dotted else stripped


def _is_odd(token: str) -> bool:
    if not any(sign.isalnum() for sign in token):
        return bool(_SIGNS.intersection(token)) or token in ("//", "&&", "==")
    if _BLOB.fullmatch(token) or _IP.fullmatch(token):
        return True
    letters = "".join(sign for sign in token if sign.isascii() or unicodedata.category(sign)[0] != "M")
    return not _PROSE.fullmatch(letters)


def _phones(text: str) -> list[str]:
    """Return the digits of each number that is as long as one to call."""
    found = (match[0] for match in _PHONE.finditer(normal(text)))
    numbers = (
        "".join(re.findall(r"\d", each)) for each in found if not _DATE_OR_AMOUNT.fullmatch(each.strip())
    )
    return [number for number in numbers if len(number) >= MIN_PHONE_DIGITS]


def _commands(text: str) -> Iterator[tuple[str, Sequence[str]]]:
    """Yield the names of programs, and up to two words behind each, to the end of the sentence or a word of prose."""
    programs, prose = word_list("commands"), word_list("behind_commands")
    for sentence in sentences(normal(text)):
        words = WORD.findall(sentence)
        for at, word in enumerate(words):
            if word in programs:
                yield word, list(takewhile(lambda behind: behind not in prose, words[at + 1 : at + 3]))


def _phrases(text: str) -> list[str]:
    """Return what is a literal as words in a row: SQL, addresses as they are spoken, words that are spelled."""
    shown = normal(text)
    return [match[0] for form in (_SQL, _SPOKEN, _SPELLED) for match in form.finditer(shown)]
