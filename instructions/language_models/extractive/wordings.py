"""How a step that is only shown is said, by language."""

from __future__ import annotations

from dataclasses import dataclass

from instructions.drafting import TITLE_LIMIT, short_title
from jobs.media.screen.events import EventKind, ScreenEvent


@dataclass(frozen=True)
class Wording:
    """Sentences without their end mark, with `{label}` and `{text}` in them."""

    click: str
    click_unread: str
    type_in: str
    type_text: str
    fill_in: str
    type_unread: str
    run: str
    opens: str

    def sentence(self, event: ScreenEvent) -> str:
        """Return what is done, in a whole sentence."""
        said = self._said(event, event.text)
        return said if said.endswith((".", "…", "?", "!")) else said + "."

    def title(self, event: ScreenEvent) -> str:
        """Return the same as a heading: what is typed is left out when it is long."""
        whole = self._said(event, event.text)
        if len(whole) <= TITLE_LIMIT or not event.label:
            return whole
        return short_title(whole) if event.is_command else self._said(event, None)

    def _said(self, event: ScreenEvent, text: str | None) -> str:
        if event.is_command:
            return self.run.format(text=event.text)
        if event.kind == EventKind.CLICK:
            pattern = self.click if event.label else self.click_unread
        elif event.label:
            pattern = self.type_in if text else self.fill_in
        else:
            pattern = self.type_text if text else self.type_unread
        return pattern.format(label=event.label, text=text)


_WORDINGS = {
    "en": Wording(
        click="Click {label}",
        click_unread="Click the place that the picture shows",
        type_in="Type “{text}” in {label}",
        type_text="Type “{text}”",
        fill_in="Fill in {label}",
        type_unread="Type the text",
        run="Run {text}",
        opens="{label} opens.",
    ),
    "de": Wording(
        click="Auf {label} klicken",
        click_unread="Auf die Stelle klicken, die das Bild zeigt",
        type_in="„{text}“ in {label} eingeben",
        type_text="„{text}“ eingeben",
        fill_in="{label} ausfüllen",
        type_unread="Den Text eingeben",
        run="{text} ausführen",
        opens="{label} öffnet sich.",
    ),
    "fr": Wording(
        click="Cliquer sur {label}",
        click_unread="Cliquer à l’endroit que montre l’image",
        type_in="Saisir « {text} » dans {label}",
        type_text="Saisir « {text} »",
        fill_in="Remplir {label}",
        type_unread="Saisir le texte",
        run="Exécuter {text}",
        opens="{label} s’ouvre.",
    ),
    "es": Wording(
        click="Hacer clic en {label}",
        click_unread="Hacer clic en el lugar que muestra la imagen",
        type_in="Escribir «{text}» en {label}",
        type_text="Escribir «{text}»",
        fill_in="Rellenar {label}",
        type_unread="Escribir el texto",
        run="Ejecutar {text}",
        opens="Se abre {label}.",
    ),
    "it": Wording(
        click="Fare clic su {label}",
        click_unread="Fare clic nel punto mostrato dall’immagine",
        type_in="Digitare «{text}» in {label}",
        type_text="Digitare «{text}»",
        fill_in="Compilare {label}",
        type_unread="Digitare il testo",
        run="Eseguire {text}",
        opens="Si apre {label}.",
    ),
    "pt": Wording(
        click="Clicar em {label}",
        click_unread="Clicar no lugar que a imagem mostra",
        type_in="Escrever “{text}” em {label}",
        type_text="Escrever “{text}”",
        fill_in="Preencher {label}",
        type_unread="Escrever o texto",
        run="Executar {text}",
        opens="{label} abre-se.",
    ),
    "nl": Wording(
        click="Klik op {label}",
        click_unread="Klik op de plek die de afbeelding toont",
        type_in="Typ “{text}” in {label}",
        type_text="Typ “{text}”",
        fill_in="Vul {label} in",
        type_unread="Typ de tekst",
        run="Voer {text} uit",
        opens="{label} wordt geopend.",
    ),
}


def wording_of(language: str) -> Wording:
    """Return the sentences of a language (a BCP 47 tag), the English ones for one that is not here."""
    return _WORDINGS.get(language.lower().split("-")[0], _WORDINGS["en"])
