"""The few words that an export says itself, in the language of the document."""

from __future__ import annotations

from typing import NamedTuple


class Labels(NamedTuple):
    """`steps` takes the number; `page` stands before `1 / 3`. Empty: the language is not known here."""

    one_step: str = ""
    steps: str = ""
    page: str = ""


_LABELS = {
    "da": Labels("1 trin", "{} trin", "Side"),
    "de": Labels("1 Schritt", "{} Schritte", "Seite"),
    "en": Labels("1 step", "{} steps", "Page"),
    "es": Labels("1 paso", "{} pasos", "Página"),
    "fr": Labels("1 étape", "{} étapes", "Page"),
    "it": Labels("1 passaggio", "{} passaggi", "Pagina"),
    "ja": Labels("{} ステップ", "{} ステップ"),
    "ko": Labels("{}단계", "{}단계"),
    "nl": Labels("1 stap", "{} stappen", "Pagina"),
    "pt": Labels("1 passo", "{} passos", "Página"),
    "sv": Labels("1 steg", "{} steg", "Sida"),
    "zh": Labels("{} 个步骤", "{} 个步骤"),
}


def page_label(language: str) -> str:
    return _LABELS.get(language, Labels()).page


def step_count(number: int, language: str) -> str:
    """`9 steps`; empty without steps, and for a language that has no words here."""
    labels = _LABELS.get(language, Labels())
    return (labels.one_step if number == 1 else labels.steps).format(number) if number else ""
