"""Text that tries to become typst, HTML, XML or a path: it is shown, and changes nothing beside its own words."""

from __future__ import annotations

import re

import pytest

from exports.renderers import RENDERERS
from exports.services.rendering import artifact_name
from tests.exports.break_out import (
    ATTACKS,
    IN_TEXT,
    PLACES,
    RAW_PLACES,
    escaped,
    read_back,
    rendered,
    visible,
)

pytestmark = pytest.mark.slow
FORMATS = pytest.mark.parametrize("format", RENDERERS)
# A zip has the text as it was typed.
LAID_OUT = pytest.mark.parametrize("format", sorted(RENDERERS.keys() - {"MD_ZIP"}))
# Of what a text can be made of, what `everywhere` lacks.
SAMPLE = (
    "\n\n---\n\n3. a  \n   b\n\n   ~~c~~\n\n#### d\n\n##### e\n\n###### f\n\n    code\n\n<b>\n\n## `g`\n"
    "\n| `h` |\n| - |\n\n<https://example.com>\n"
)


def everywhere(text: str) -> str:
    """Return Markdown that shows a text in every place that Markdown has."""
    return "\n".join(PLACES).replace("{text}", escaped(text)).replace("{code}", text)


@FORMATS
@pytest.mark.parametrize("attack", ATTACKS)
def test_a_text_is_shown_as_it_is_in_every_place(format: str, attack: str) -> None:
    text = ATTACKS[attack]
    found = read_back(format, rendered(format, everywhere(text), text).content)
    harmless = re.sub(r"\S", "a", text)
    plain = read_back(format, rendered(format, everywhere(harmless), harmless).content)
    assert (found.skeleton, set(found.addresses)) == (plain.skeleton, set(plain.addresses))
    assert not found.is_active
    if (format, attack) == ("PDF", "directions"):
        return  # the letters of a line are found in the order in which they are drawn
    if format in ("HTML", "DOCX"):
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]", found.text)
    shown = visible(found.text)
    missing = [number for number in range(1, IN_TEXT + 1) if f"P{number}{visible(text)}" not in shown]
    assert missing == []
    assert all(f"{field}{visible(text)}"[:100] in shown for field in "TAF")


@LAID_OUT
@pytest.mark.parametrize("place", RAW_PLACES)
def test_text_that_is_read_as_markdown_runs_and_opens_nothing(format: str, place: str) -> None:
    known = set(read_back(format, rendered(format, everywhere("a") + SAMPLE, "a").content).skeleton)
    for attack in ATTACKS.values():
        markdown = RAW_PLACES[place].replace("{}", attack)
        found = read_back(format, rendered(format, markdown, attack).content)
        assert "root:" not in found.text, attack
        assert all(re.match("https?://|mailto:", address) for address in found.addresses), attack
        assert not found.is_active and set(found.skeleton) <= known, attack


@FORMATS
@pytest.mark.parametrize("attack", ATTACKS)
def test_a_language_is_a_short_tag_or_english(format: str, attack: str) -> None:
    for language in (ATTACKS[attack], f"de-{ATTACKS[attack]}", f"de{ATTACKS[attack]}"):
        found = read_back(format, rendered(format, "# T", "a", language=language).content)
        assert not found.is_active
        assert all(re.fullmatch("[a-z]{2,3}(-[A-Z]{2})?", each) for each in found.languages)


@FORMATS
@pytest.mark.parametrize("name", ["../" * 2000 + "a", "/" * 300, "CON", "a" * 70_000, "..\\a:b|c?*<>"])
def test_names_in_an_export_do_not_come_from_a_text(format: str, name: str) -> None:
    markdown = f"# {escaped(name)}\n\n### Step 7: {escaped(name)}\n\ntext\n"
    files = [file.name for file in rendered(format, markdown, name).files]
    pictures = [re.sub("[^/]*$", "", each) for each in files if "picture" in each or "step-7" in each]
    assert files and all(re.fullmatch(r"[A-Za-z0-9_./\[\]-]{1,60}", each) for each in files)
    assert not any(each.startswith("/") or ".." in each.split("/") for each in files)
    assert set(pictures) == {"word/media/" if format == "DOCX" else "images/"}


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Send an invoice!", "send-an-invoice.pdf"),
        ("../../etc/passwd", "etcpasswd.pdf"),
        ('a"\r\nSet-Cookie: b;c', "a-set-cookie-bc.pdf"),
        ("a" * 90_000, "a" * 80 + ".pdf"),
        ("CON", "guide-con.pdf"),
        ("Lpt1", "guide-lpt1.pdf"),
        ("中文", "guide.pdf"),
        ("-_-", "guide.pdf"),
    ],
)
def test_a_download_has_a_name_that_every_system_can_store(title: str, name: str) -> None:
    assert artifact_name(title, ".pdf") == name


@LAID_OUT
def test_half_of_a_pair_of_surrogates_is_left_out(format: str) -> None:
    """The database holds no such text, and the API refuses it; a text of another origin is rendered all the same."""
    found = read_back(format, rendered(format, everywhere("a\ud800b\udfffc"), "a").content)
    assert not re.search("[\ud800-\udfff]", found.text)
