"""The words that an export adds to a document, in the document's language, and the facts of the recording."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from exports.renderers.tree import Guide
from instructions.blocks import format_time_range

# A guide of more steps opens with a page of its own.
_MAX_STEPS_WITHOUT_FIRST_PAGE = 5


_SEPARATOR = " · "


class Labels(NamedTuple):
    """`steps` is formatted with the number; `page` stands before `1 / 3`, `contents` over the list of the steps.

    `step_count`, `length`, `recorded` and `uploaded` stand before a number, a length and a day; `day` is formatted
    with the day, month and year of a date, and `months` are the names of the twelve, separated by spaces. All are
    empty for an unknown language, but for `day`, which is then as in ISO 8601.
    """

    one_step: str = ""
    steps: str = ""
    page: str = ""
    contents: str = ""
    step_count: str = ""
    length: str = ""
    recorded: str = ""
    uploaded: str = ""
    day: str = "{year:04}-{month:02}-{day:02}"
    months: str = ""


_EAST_ASIAN_DAY = "{year}年{month}月{day}日"
_LABELS = {
    "da": Labels(
        *("1 trin", "{} trin", "Side", "Indhold", "Trin", "Længde", "Optaget", "Uploadet"),
        day="{day}. {name} {year}",
        months="januar februar marts april maj juni juli august september oktober november december",
    ),
    "de": Labels(
        *("1 Schritt", "{} Schritte", "Seite", "Inhalt", "Schritte", "Länge", "Aufgenommen", "Hochgeladen"),
        day="{day}. {name} {year}",
        months="Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    ),
    "en": Labels(
        *("1 step", "{} steps", "Page", "Contents", "Steps", "Length", "Recorded", "Uploaded"),
        day="{day} {name} {year}",
        months="January February March April May June July August September October November December",
    ),
    "es": Labels(
        *("1 paso", "{} pasos", "Página", "Contenido", "Pasos", "Duración", "Grabado", "Subido"),
        day="{day} de {name} de {year}",
        months="enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    ),
    "fr": Labels(
        *("1 étape", "{} étapes", "Page", "Sommaire", "Étapes", "Durée", "Enregistré", "Téléversé"),
        day="{day} {name} {year}",
        months="janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    ),
    "it": Labels(
        *("1 passaggio", "{} passaggi", "Pagina", "Indice", "Passaggi", "Durata", "Registrato", "Caricato"),
        day="{day} {name} {year}",
        months="gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    ),
    "ja": Labels(
        *("{} ステップ", "{} ステップ", "", "目次", "ステップ数", "長さ", "録画日", "アップロード日"),
        day=_EAST_ASIAN_DAY,
    ),
    "ko": Labels(
        *("{}단계", "{}단계", "", "목차", "단계", "길이", "녹화일", "업로드일"),
        day="{year}년 {month}월 {day}일",
    ),
    "nl": Labels(
        *("1 stap", "{} stappen", "Pagina", "Inhoud", "Stappen", "Duur", "Opgenomen", "Geüpload"),
        day="{day} {name} {year}",
        months="januari februari maart april mei juni juli augustus september oktober november december",
    ),
    "pt": Labels(
        *("1 passo", "{} passos", "Página", "Conteúdo", "Passos", "Duração", "Gravado", "Carregado"),
        day="{day} de {name} de {year}",
        months="janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    ),
    "sv": Labels(
        *("1 steg", "{} steg", "Sida", "Innehåll", "Steg", "Längd", "Inspelad", "Uppladdad"),
        day="{day} {name} {year}",
        months="januari februari mars april maj juni juli augusti september oktober november december",
    ),
    "zh": Labels(
        *("{} 个步骤", "{} 个步骤", "", "目录", "步骤", "时长", "录制日期", "上传日期"),
        day=_EAST_ASIAN_DAY,
    ),
}  # fmt: skip


class Fact(NamedTuple):
    """Something that is said of the recording; `label` is empty in a language that has no words here."""

    label: str
    value: str

    def __str__(self) -> str:
        """Return such as `Length: 2:15`, or the value alone."""
        return f"{self.label}: {self.value}" if self.label else self.value


def page_label(language: str) -> str:
    """Return the word before the page number; empty for a language that has no words here."""
    return _labels(language).page


def contents_label(language: str) -> str:
    """Return the word over the list of steps; empty for a language that has no words here."""
    return _labels(language).contents


def has_first_page(guide: Guide) -> bool:
    """Return whether the guide is long enough for a first page: it has more than five steps."""
    return len(guide.steps) > _MAX_STEPS_WITHOUT_FIRST_PAGE


def facts_of(guide: Guide) -> list[Fact]:
    """Return the number of steps, the length and the date of the recording, without what is not known.

    The number of steps is left out in a language without words for it.
    """
    labels = _labels(guide.language)
    steps = str(len(guide.steps)) if guide.steps and labels.step_count else ""
    found = [Fact(labels.step_count, steps), Fact(labels.length, _length_of(guide)), _date_of(guide)]
    return [fact for fact in found if fact.value]


def facts_line(guide: Guide) -> str:
    """Return the facts on one line, such as `Steps: 9 · Length: 2:15 · Recorded: 4 May 2026`."""
    return _SEPARATOR.join(map(str, facts_of(guide)))


def summary_of(guide: Guide) -> str:
    """Return such as `3 steps · 2:15 · Recorded: 4 May 2026`, without what is not known."""
    date_of = _date_of(guide)
    count = step_count(len(guide.steps), guide.language)
    return _SEPARATOR.join(
        part for part in (count, _length_of(guide), str(date_of) if date_of.value else "") if part
    )


def step_count(number: int, language: str) -> str:
    """Return such as `9 steps`; empty without steps, and for a language that has no words here."""
    labels = _labels(language)
    return (labels.one_step if number == 1 else labels.steps).format(number) if number else ""


def day_of(iso: str, language: str) -> str:
    """Return such as `4 May 2026` for `2026-05-04`, in the language; in one without words as it is."""
    day, labels = date.fromisoformat(iso), _labels(language)
    name = labels.months.split()[day.month - 1] if labels.months else ""
    return labels.day.format(day=day.day, month=day.month, year=day.year, name=name)


def _labels(language: str) -> Labels:
    return _LABELS.get(language, Labels())


def _length_of(guide: Guide) -> str:
    """Return the length of the recording; where it is not known, that of what the steps show, and empty without it."""
    ends = [step.end_ms or step.start_ms or 0 for step in guide.steps]
    length_ms = guide.length_ms or max(ends, default=0)
    return format_time_range(length_ms).strip("()") if length_ms else ""


def _date_of(guide: Guide) -> Fact:
    labels = _labels(guide.language)
    if guide.recorded_on:
        return Fact(labels.recorded, day_of(guide.recorded_on, guide.language))
    return Fact(labels.uploaded, day_of(guide.uploaded_on, guide.language) if guide.uploaded_on else "")
