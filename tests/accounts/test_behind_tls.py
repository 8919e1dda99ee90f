"""Behind a proxy that ends TLS, addresses and cookies go by STEPWRIGHT_PUBLIC_URL, not by what a request says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from config.accounts.models import User
from tests.accounts.forms import PASSWORD, Browser
from tests.factories import Api, make_project

ROOT = Path(__file__).resolve().parents[2]


def settings_with(url: str) -> dict[str, Any]:
    code = (
        "import json; from config import settings as s; print(json.dumps([s.CSRF_TRUSTED_ORIGINS,"
        " s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME]))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | {"STEPWRIGHT_PUBLIC_URL": url},
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(
        zip(("origins", "session", "csrf", "session_name", "csrf_name"), json.loads(run.stdout), strict=True)
    )


def test_cookies_are_secure_where_browsers_come_by_https() -> None:
    assert settings_with("https://guides.example.com/") == {
        "origins": ["https://guides.example.com"],
        "session": True,
        "csrf": True,
        "session_name": "__Host-stepwright_session",
        "csrf_name": "__Host-stepwright_csrf",
    }
    assert settings_with("http://127.0.0.1:8000") == {
        "origins": ["http://127.0.0.1:8000"],
        "session": False,
        "csrf": False,
        "session_name": "stepwright_session",
        "csrf_name": "stepwright_csrf",
    }


@pytest.mark.parametrize(
    ("origin", "status"), [("https://guides.example.com", 302), ("https://evil.example", 403)]
)
def test_staff_sign_in_from_the_public_address_and_from_no_other(
    db: None, settings: Any, origin: str, status: int
) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://guides.example.com"]
    User.objects.create_superuser("admin", password=PASSWORD)
    answer = Browser().sign_in("admin", PASSWORD, headers={"origin": origin})
    assert answer.status_code == status


def test_a_host_header_gets_into_no_link(owner: Api, settings: Any) -> None:
    for _ in range(2):
        make_project(owner.user)
    answer = owner.get("/projects?limit=1", host="evil.example")
    assert answer.status_code == 200
    assert answer.headers["Link"].startswith(f"<{settings.PUBLIC_URL}/api/v1/projects?limit=1&cursor=")


@pytest.mark.parametrize("password", ["short", "password1234", "123456789012345"])
def test_a_password_that_is_easily_guessed_is_refused(password: str) -> None:
    with pytest.raises(ValidationError):
        validate_password(password)
    validate_password(PASSWORD)
