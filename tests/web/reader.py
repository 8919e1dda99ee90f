"""A browser without scripts at the pages for which one signs in."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

from django.test import Client

from config.accounts.models import User
from tests.factories import make_token


class Reader:
    """Sends forms as they stand in the pages, with their tokens."""

    def __init__(self, user: User | None = None, address: str = "192.0.2.1") -> None:
        self.client = Client(enforce_csrf_checks=True, REMOTE_ADDR=address)
        if user is not None:
            assert self.sign_in(make_token(user.subject)).status_code == 302

    def get(self, path: str, **headers: str) -> Any:
        return self.client.get(path, headers=headers)

    def page(self, path: str) -> str:
        answer = self.get(path)
        assert answer.status_code == 200, answer
        return str(answer.content.decode())

    def send(self, path: str, *, form_of: str, **fields: str) -> Any:
        """Open the page that has the form, and send it with these fields."""
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.get(form_of).content.decode())
        form = {**fields, **({"csrfmiddlewaretoken": found[1]} if found else {})}
        return self.client.post(path, urlencode(form), content_type="application/x-www-form-urlencoded")

    def sign_in(self, token: str, **fields: str) -> Any:
        return self.send("/sign-in", form_of="/sign-in", token=token, **fields)
