"""The words that an export adds to a document, in the document's language."""

from __future__ import annotations

from typing import NamedTuple

from exports.renderers.tree import Guide
from instructions.blocks import format_time_range


class Labels(NamedTuple):
    """`steps` is formatted with the number; `page` stands before `1 / 3`, `contents` over the list of the steps.

    All are empty for an unknown language.
    """

    one_step: str = ""
    steps: str = ""
    page: str = ""
    contents: str = ""


_LABELS = {
    "da": Labels("1 trin", "{} trin", "Side", "Indhold"),
    "de": Labels("1 Schritt", "{} Schritte", "Seite", "Inhalt"),
    "en": Labels("1 step", "{} steps", "Page", "Contents"),
    "es": Labels("1 paso", "{} pasos", "Página", "Contenido"),
    "fr": Labels("1 étape", "{} étapes", "Page", "Sommaire"),
    "it": Labels("1 passaggio", "{} passaggi", "Pagina", "Indice"),
    "ja": Labels("{} ステップ", "{} ステップ", contents="目次"),
    "ko": Labels("{}단계", "{}단계", contents="목차"),
    "nl": Labels("1 stap", "{} stappen", "Pagina", "Inhoud"),
    "pt": Labels("1 passo", "{} passos", "Página", "Conteúdo"),
    "sv": Labels("1 steg", "{} steg", "Sida", "Innehåll"),
    "zh": Labels("{} 个步骤", "{} 个步骤", contents="目录"),
}


def page_label(language: str) -> str:
    """Return the word before the page number; empty for a language that has no words here."""
    return _LABELS.get(language, Labels()).page


def contents_label(language: str) -> str:
    """Return the word over the list of steps; empty for a language that has no words here."""
    return _LABELS.get(language, Labels()).contents


def summary_of(guide: Guide) -> str:
    """Return such as `9 steps · 2:15`, with the length of what the steps show; without what is not known."""
    ends = [step.end_ms or step.start_ms or 0 for step in guide.steps]
    length = format_time_range(max(ends)).strip("()") if any(ends) else ""
    return " · ".join(part for part in (step_count(len(ends), guide.language), length) if part)


def step_count(number: int, language: str) -> str:
    """Return such as `9 steps`; empty without steps, and for a language that has no words here."""
    labels = _LABELS.get(language, Labels())
    return (labels.one_step if number == 1 else labels.steps).format(number) if number else ""
