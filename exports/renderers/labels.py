"""The words that an export adds to a document, in the document's language."""

from __future__ import annotations

from typing import NamedTuple


class Labels(NamedTuple):
    """`steps` is formatted with the number; `page` stands before `1 / 3`; empty for an unknown language."""

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
    """Return the word before the page number; empty for a language that has no words here."""
    return _LABELS.get(language, Labels()).page


def step_count(number: int, language: str) -> str:
    """Return such as `9 steps`; empty without steps, and for a language that has no words here."""
    labels = _LABELS.get(language, Labels())
    return (labels.one_step if number == 1 else labels.steps).format(number) if number else ""
