"""Sign-in by API token: the value, its states, the note of its use."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from config.accounts.models import ApiToken, User
from config.accounts.services import create_api_token, revoke_api_token
from config.api.errors import ApiError
from tests.factories import make_project, make_user


def ask(token: str, path: str = "/projects") -> Any:
    return Client().get(f"/api/v1{path}", headers={"authorization": f"Bearer {token}"})


@pytest.fixture
def script(db: None) -> tuple[ApiToken, str]:
    return create_api_token(user=make_user("owner"), name="import", lifetime_days=90)


def test_an_api_token_is_random_kept_as_a_hash_and_signs_its_owner_in(script: tuple[ApiToken, str]) -> None:
    token, value = script
    assert re.fullmatch(r"swt_[A-Za-z0-9_-]{43}", value)
    kept = ApiToken.objects.values().get()
    assert value not in str(kept) and value.startswith(kept["prefix"]) and len(kept["prefix"]) < 12
    assert kept["sha256"] == hashlib.sha256(value.encode()).hexdigest()
    assert timedelta(days=89) < token.expires_at - timezone.now() <= timedelta(days=90)
    project = make_project(make_user("owner"))
    make_project(make_user("stranger"))
    assert [row["id"] for row in ask(value).json()] == [str(project.pk)]


SPOILED: dict[str, Callable[[ApiToken, str], str | None]] = {
    "expired": lambda token, value: _write(token, expires_at=timezone.now() - timedelta(seconds=1)),
    "revoked": lambda token, value: revoke_api_token(token=token),
    "deleted": lambda token, value: ApiToken.objects.filter(pk=token.pk).delete() and None,
    "its owner switched off": lambda token, value: User.objects.update(is_active=False) and None,
    "cut short": lambda token, value: value[:-1],
    "made longer": lambda token, value: value + "A",
    "its hash": lambda token, value: token.sha256,
    "its hash with the prefix": lambda token, value: f"swt_{token.sha256}",
    "its prefix alone": lambda token, value: "swt_",
    "another case": lambda token, value: value.replace("swt_", "SWT_"),
    "not ASCII": lambda token, value: value + "é",
    "very long": lambda token, value: value + "A" * 9000,
}


def _write(token: ApiToken, **fields: Any) -> None:
    ApiToken.objects.filter(pk=token.pk).update(**fields)


@pytest.mark.parametrize("name", SPOILED)
def test_a_spoiled_api_token_is_401_like_any_bad_token(
    script: tuple[ApiToken, str], name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    assert ask(script[1]).status_code == 200
    value = SPOILED[name](*script) or script[1]
    answer = ask(value)
    assert (answer.status_code, answer.json()["code"]) == (401, "UNAUTHENTICATED")
    assert answer.json()["message"] == ask("odd").json()["message"]
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert script[1][12:] not in caplog.text and value not in answer.content.decode()


def test_use_is_noted_at_most_once_an_hour(script: tuple[ApiToken, str]) -> None:
    token, value = script
    ask(value)
    token.refresh_from_db()
    first = token.last_used_at
    assert first is not None and timezone.now() - first < timedelta(minutes=1)
    ask(value)
    token.refresh_from_db()
    assert token.last_used_at == first
    _write(token, last_used_at=first - timedelta(minutes=59))
    ask(value)
    token.refresh_from_db()
    assert token.last_used_at == first - timedelta(minutes=59)
    _write(token, last_used_at=first - timedelta(minutes=61))
    ask(value)
    token.refresh_from_db()
    assert token.last_used_at is not None and token.last_used_at >= first


def test_a_revoked_token_keeps_its_first_moment(script: tuple[ApiToken, str]) -> None:
    token, _ = script
    revoke_api_token(token=token)
    first = token.revoked_at
    revoke_api_token(token=ApiToken.objects.get())
    assert first is not None and ApiToken.objects.get().revoked_at == first


@pytest.mark.parametrize(
    ("name", "days"), [("", 1), (" ", 1), ("a" * 101, 1), ("a\0", 1), ("a", 0), ("a", -1), ("a", 367)]
)
def test_a_token_needs_a_name_and_an_end(db: None, name: str, days: int) -> None:
    with pytest.raises(ApiError) as refused:
        create_api_token(user=make_user(), name=name, lifetime_days=days)
    assert refused.value.status == 400
    assert not ApiToken.objects.exists()


def test_an_api_token_costs_one_query(script: tuple[ApiToken, str], django_assert_num_queries: Any) -> None:
    token, value = script
    project = make_project(token.user)
    with django_assert_num_queries(3):  # the first use is noted
        assert ask(value, f"/projects/{project.pk}").status_code == 200
    with django_assert_num_queries(2):
        assert ask(value, f"/projects/{project.pk}").status_code == 200
