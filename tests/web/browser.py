"""Debian's Chromium, driven by Playwright, at a server that runs in this process."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Page, sync_playwright

from config.accounts.models import User
from tests.factories import make_token

CHROMIUM = shutil.which("chromium") or ""
# What must be there (STEPWRIGHT_REQUIRE_SERVICES=1) is not skipped: without the program these tests fail then.
NEEDS_CHROMIUM = pytest.mark.skipif(
    not CHROMIUM and os.environ.get("STEPWRIGHT_REQUIRE_SERVICES") != "1", reason="Chromium is not installed"
)
OPTIONS = (
    *("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
SECONDS = 10.0


@contextmanager
def chromium() -> Iterator[Browser]:
    """Playwright runs an event loop in the thread of the tests, in which Django refuses to ask the database unless told
    that nothing else runs there."""
    with pytest.MonkeyPatch.context() as environment, sync_playwright() as playwright:
        environment.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*OPTIONS])
        yield browser
        browser.close()


class Visit:
    """A tab of a new browser window, which starts without cookies. What its console says is in `said`."""

    def __init__(self, browser: Browser, url: str, **window: Any) -> None:
        self.url, self.said = url, list[str]()
        self.window = browser.new_context(base_url=url, **window)
        self.window.set_default_timeout(SECONDS * 1000)
        self.page: Page = self.window.new_page()
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))

    def sign_in(self, user: User) -> None:
        self.page.goto("/sign-in")
        self.page.get_by_label("Token").fill(make_token(user.subject))
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url("**/jobs")

    def enter(self, user: User) -> None:
        """Be signed in as staff, as by the form."""
        client = Client()
        client.force_login(user)
        name = settings.SESSION_COOKIE_NAME
        self.window.add_cookies([{"name": name, "value": client.cookies[name].value, "url": self.url}])
