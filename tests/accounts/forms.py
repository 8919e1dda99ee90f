"""The sign-in page as a browser meets it: its cookie, its form, and how many passwords are hashed meanwhile."""

from __future__ import annotations

import re
from typing import Any

from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.test import Client

PASSWORD = "a long password for the tests"
LOGIN = "/admin/login/"


class Browser:
    """A browser at an address. Each sign-in opens the page first, and sends its form."""

    def __init__(self, address: str = "192.0.2.1") -> None:
        self.client = Client(enforce_csrf_checks=True, REMOTE_ADDR=address)

    def open(self) -> str:
        """Return the token of the page's form."""
        page = self.client.get(LOGIN).content.decode()
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert found
        return found[1]

    def sign_in(self, name: str, password: str, **extra: Any) -> Any:
        return self.send(name, password, self.open(), **extra)

    def send(self, name: str, password: str, token: str, **extra: Any) -> Any:
        form = {"username": name, "password": password, "csrfmiddlewaretoken": token, "next": "/admin/"}
        return self.client.post(LOGIN, form, **extra)


class CountingHasher(PBKDF2PasswordHasher):
    """Django's, with few rounds, which counts the passwords that are hashed."""

    iterations = 2
    hashed = 0

    def encode(self, *args: Any, **kwargs: Any) -> str:
        CountingHasher.hashed += 1
        return super().encode(*args, **kwargs)
