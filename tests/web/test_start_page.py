"""`/`: a page for browsers; for every other client there is nothing there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from django.test.html import Element, parse_html
from django.utils.html import VOID_ELEMENTS

from tests.errors import assert_shape

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


def _get(accept: str | None = BROWSER, method: str = "GET") -> Any:
    headers = {} if accept is None else {"Accept": accept}
    return Client(enforce_csrf_checks=True).generic(method, "/", headers=headers)


def _elements(element: Element, name: str) -> Iterator[Element]:
    for child in element.children:
        if isinstance(child, Element):
            if child.name == name:
                yield child
            yield from _elements(child, name)


def _page() -> Element:
    """Return the page's tree."""
    return parse_html(_get().content.decode())


def _values(page: Element, name: str, attribute: str) -> list[str]:
    return [dict(element.attributes)[attribute] for element in _elements(page, name)]


@pytest.mark.parametrize(
    "accept",
    [BROWSER, "text/html", "text/html, application/json", "application/json, text/html", "*/*, text/html;q=0.1,"
     "application/json;q=0.1", "text/html, application/json;q=0"],
)  # fmt: skip
def test_a_client_that_names_html_gets_the_page(accept: str) -> None:
    answer = _get(accept)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert answer.headers["Vary"] == "Accept"


@pytest.mark.parametrize(
    "accept",
    [None, "", "*/*", "text/*", "application/json", "application/json, text/plain, */*", "text/html;q=0, */*",
     "application/json, text/html;q=0.9", "application/*, text/html;q=0.9", "image/png", "odd"],
)  # fmt: skip
def test_any_other_client_gets_the_404_of_a_missing_path(accept: str | None) -> None:
    answer = _get(accept)
    assert_shape(answer, 404, "RESOURCE_NOT_FOUND")
    assert answer.headers["Vary"] == "Accept"


def test_head_answers_as_get_does_and_without_a_body() -> None:
    head, get = _get(method="HEAD"), _get()
    assert (head.status_code, head.content) == (200, b"")
    assert set(head.headers) == set(get.headers)
    assert _get("*/*", method="HEAD").status_code == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_another_method_gets_the_404_from_a_browser_too(method: str) -> None:
    assert_shape(_get(method=method), 404, "RESOURCE_NOT_FOUND")


def test_the_page_may_load_our_style_and_pictures_and_nothing_else() -> None:
    headers = _get().headers
    assert headers["Content-Security-Policy"].split("; ") == [
        "default-src 'none'",
        "style-src 'self'",
        "img-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["X-Frame-Options"] == "DENY"
    assert "X-Request-ID" in headers and "Set-Cookie" not in headers


def test_the_page_asks_no_database(django_assert_num_queries: Any, db: None) -> None:
    with django_assert_num_queries(0):
        assert _get().status_code == 200


def test_every_link_of_the_page_answers(db: None) -> None:
    links = _values(_page(), "a", "href")
    assert {link: Client().get(link).status_code for link in links} == {
        "/jobs": 302,
        "/api/docs": 200,
        "/api/v1/openapi.json": 200,
        "/admin/": 302,
    }


def test_the_style_and_the_pictures_are_our_own_and_exist() -> None:
    page = _page()
    loaded = _values(page, "link", "href") + _values(page, "img", "src")
    assert len(loaded) == 3
    assert all(finders.find(url.removeprefix("/static/")) for url in loaded)


def test_the_page_holds_no_script_no_inline_style_and_nothing_foreign(settings: Any) -> None:
    settings.PUBLIC_URL = "ours"
    assert not re.search(rb"<script|<style|style=|\son\w+=|://", _get().content)


class Balance(HTMLParser):
    """Refuses a tag that is left open or closed out of turn; browsers, and Django's parser, mend those."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), self.get_starttag_text()
        if tag not in VOID_ELEMENTS:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, self.getpos()


def test_the_page_is_well_formed() -> None:
    page = _get().content.decode()
    balance = Balance()
    balance.feed(page)
    balance.close()
    assert page.startswith("<!doctype html>") and balance.open == []


def test_the_page_has_landmarks_a_language_and_headings_without_a_gap() -> None:
    page = _page()
    assert (page.name, dict(page.attributes)["lang"]) == ("html", "en")
    assert all(len(list(_elements(page, name))) == 1 for name in ("title", "header", "main", "nav", "h1"))
    levels = [int(level) for level in re.findall(r"<h([1-6])", _get().content.decode())]
    assert levels[0] == 1
    assert all(later <= earlier + 1 for earlier, later in zip(levels, levels[1:], strict=False))
    ids = set(re.findall(r'\sid="([^"]+)"', _get().content.decode()))
    assert ids == set(re.findall(r'aria-labelledby="([^"]+)"', _get().content.decode()))


def test_the_commands_are_the_readmes_with_the_address_of_this_service(settings: Any) -> None:
    settings.PUBLIC_URL = "https://guides.example.com"
    readme = (Path(settings.BASE_DIR) / "README.md").read_text()
    first_steps = readme.partition("\n## Try it\n")[2].partition("\n## ")[0]
    promised = re.findall(r"^    ((?:TOKEN=|curl ).*)$", first_steps, re.MULTILINE)
    assert len(promised) == 2
    shown = ["".join(str(part) for part in code.children) for code in _elements(_page(), "code")]
    shown = [text.replace("<wbr>", "").replace("&quot;", '"') for text in shown]
    assert shown == [line.replace("http://127.0.0.1:8000", settings.PUBLIC_URL) for line in promised]


def test_an_address_with_markup_in_it_stays_text(settings: Any) -> None:
    settings.PUBLIC_URL = "https://a.example/<b>"
    assert b"https://a.example/&lt;b&gt;" in _get().content
