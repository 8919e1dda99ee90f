"""The variables: the table, `.env.example` and the refusals of production."""

from __future__ import annotations

import base64
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from config import environment
from config.signing_keys import PRIVATE_KEY_HEAD

SIGNING_KEY = base64.b64encode(PRIVATE_KEY_HEAD + b"k" * 32).decode()
ROOT = Path(__file__).resolve().parents[2]
SAFE = {
    "STEPWRIGHT_ENV": "production",
    "STEPWRIGHT_SECRET_KEY": "s" * 32,
    "STEPWRIGHT_CALLBACK_SECRET": "c" * 32,
    "STEPWRIGHT_JWT_SECRET": "j" * 32,
    "STEPWRIGHT_SIGNING_KEY": SIGNING_KEY,
    "STEPWRIGHT_ALLOWED_HOSTS": "guides.example.com",
    "STEPWRIGHT_PUBLIC_URL": "https://guides.example.com",
    "STEPWRIGHT_DEBUG": "",
    "STEPWRIGHT_CORS_ORIGINS": "https://app.example.com,http://127.0.0.1:8080",
    "STEPWRIGHT_TRUSTED_PROXIES": "10.0.0.0/8, 2001:db8::1",
    "DATABASE_URL": "postgresql://db.example.com/stepwright",
    "STEPWRIGHT_LLM_URL": "https://models.example.com/v1",
    "STEPWRIGHT_LLM_MODEL": "a-model",
}


def test_the_example_file_and_the_table_give_the_same_defaults() -> None:
    lines = re.findall(r"^([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert dict(lines) == environment.DEFAULTS


def test_no_other_module_reads_the_environment() -> None:
    readers = [
        str(path.relative_to(ROOT))
        for app in ("config", "jobs", "instructions", "anchors", "exports")
        for path in (ROOT / app).rglob("*.py")
        if re.search(r"os\.environ\.get|os\.environ\[|os\.getenv", path.read_text())
    ]
    assert readers == ["config/environment.py"]


def test_production_with_safe_settings_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SAFE.items():
        monkeypatch.setenv(name, value)
    environment.refuse_unsafe_production()
    environment.refuse_unknown_values()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("STEPWRIGHT_SECRET_KEY", ""),
        ("STEPWRIGHT_JWT_SECRET", "short"),
        ("STEPWRIGHT_SIGNING_KEY", ""),
        ("STEPWRIGHT_CALLBACK_SECRET", "c" * 31),
        ("STEPWRIGHT_ALLOWED_HOSTS", "*"),
        ("STEPWRIGHT_ALLOWED_HOSTS", ""),
        ("STEPWRIGHT_DEBUG", "1"),
        ("STEPWRIGHT_PUBLIC_URL", ""),
        ("STEPWRIGHT_PUBLIC_URL", "http://guides.example.com"),
        ("STEPWRIGHT_CORS_ORIGINS", "*"),
        ("STEPWRIGHT_CORS_ORIGINS", "https://app.example.com,*"),
        ("STEPWRIGHT_CALLBACK_SECRET", ""),
        ("STEPWRIGHT_CALLBACK_SECRET_PREVIOUS", "p" * 31),
        ("STEPWRIGHT_ORCHESTRATOR_SECRET", "short"),
        ("STEPWRIGHT_JWT_SECRET", ""),
        ("STEPWRIGHT_SECRET_KEY", "s" * 31),
        ("DATABASE_URL", ""),
        ("STEPWRIGHT_LLM_URL", "http://models.example.com"),
        ("STEPWRIGHT_LLM_URL", "http://127.0.0.1.example.com"),
        ("STEPWRIGHT_LLM_URL", "http://10.0.0.7:8080"),
    ],
)
def test_production_refuses_and_names_what_is_unsafe(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    for known, safe in {**SAFE, name: value}.items():
        monkeypatch.setenv(known, safe)
    with pytest.raises(environment.UnsafeConfiguration, match=name):
        environment.refuse_unsafe_production()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("STEPWRIGHT_ORCHESTRATOR", "n8n"),
        ("STEPWRIGHT_STORAGE_URL", "ftp://host"),
        ("STEPWRIGHT_BROKER_URL", "kafka://host"),
        ("DATABASE_URL", "sqlite:///file"),
        ("STEPWRIGHT_UNAUTHENTICATED_RATE", "many"),
        ("STEPWRIGHT_ADMIN_SSO_HEADER", "X-Forwarded-User"),  # and no proxy
        ("STEPWRIGHT_ADMIN_SSO_HEADER", "X_User: a"),
        ("STEPWRIGHT_ADMIN_SECOND_FACTOR", "maybe"),
        ("STEPWRIGHT_TRUSTED_PROXIES", "proxy.example.com"),
        ("STEPWRIGHT_TRUSTED_PROXIES", "10.0.0.1/8"),
        ("STEPWRIGHT_TRUSTED_PROXIES", "10.0.0.0/8,*"),
        ("STEPWRIGHT_CORS_ORIGINS", "app.example.com"),
        ("STEPWRIGHT_CORS_ORIGINS", "https://app.example.com/"),
        ("STEPWRIGHT_CORS_ORIGINS", "https://*.example.com"),
        ("STEPWRIGHT_CORS_ORIGINS", "null"),
        ("STEPWRIGHT_LLM_URL", "models.example.com"),
        ("STEPWRIGHT_LLM_URL", "ftp://models.example.com"),
        ("STEPWRIGHT_LLM_URL", "https://user:secret@models.example.com"),
        ("STEPWRIGHT_LLM_URL", "https://models.example.com/?key=secret"),
        ("STEPWRIGHT_LLM_URL", "https://models.example.com/#secret"),
        ("STEPWRIGHT_LLM_URL", "https:///v1"),
        ("STEPWRIGHT_LLM_TIMEOUT_SECONDS", "0"),
        ("STEPWRIGHT_LLM_TIMEOUT_SECONDS", "1.5"),
        ("STEPWRIGHT_LLM_TOKENS_PER_JOB", "-1"),
        ("STEPWRIGHT_LLM_TOKENS_PER_JOB", "many"),
    ],
)
def test_a_value_that_is_not_known_is_refused_at_the_start(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    environment.refuse_unknown_values()
    monkeypatch.setenv(name, value)
    with pytest.raises(environment.UnknownValue, match=name):
        environment.refuse_unknown_values()


KEYS = ("STEPWRIGHT_LLM_API_KEY", "STEPWRIGHT_SPEECH_API_KEY")


@pytest.mark.parametrize("name", KEYS)
@pytest.mark.parametrize("key", ["sk-sécret", "sk-a secret", "sk-a\nsecret", "sk-\u200bsecret", "sk-\x7f"])
def test_a_key_that_no_header_can_hold_is_refused_and_not_told(
    monkeypatch: pytest.MonkeyPatch, name: str, key: str
) -> None:
    monkeypatch.setenv(name, key)
    with pytest.raises(environment.UnknownValue, match=name) as refused:
        environment.refuse_unknown_values()
    assert "sk-" not in repr((refused.value, refused.value.__cause__, refused.value.__context__))


def test_a_key_has_no_white_space_around_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for value, key in ((" sk-a/b+c=\r\n", "sk-a/b+c="), ("\n", ""), ("", "")):
        monkeypatch.setenv(KEYS[0], value)
        environment.refuse_unknown_values()
        assert environment.read_key(KEYS[0]) == key


def test_a_language_model_needs_a_name_and_may_be_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SAFE.items():
        monkeypatch.setenv(name, value)
    for url in ("http://127.0.0.1:8080/v1", "http://localhost:11434", "http://[::1]:8000", "HTTPS://host"):
        monkeypatch.setenv("STEPWRIGHT_LLM_URL", url)
        environment.refuse_unsafe_production()
        environment.refuse_unknown_values()
    monkeypatch.setenv("STEPWRIGHT_LLM_MODEL", "")
    with pytest.raises(environment.UnknownValue, match="STEPWRIGHT_LLM_MODEL must name"):
        environment.refuse_unknown_values()


INSTALLED = ["plain", "mine"]
NAMES = ("STEPWRIGHT_MODEL_PROFILES", "STEPWRIGHT_STT_PROFILES", "STEPWRIGHT_PROMPT_TEMPLATES")


@pytest.mark.parametrize("name", NAMES)
def test_an_orchestrator_of_ones_own_has_names_of_its_own(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    assert environment.read_names(name, INSTALLED) == INSTALLED
    monkeypatch.setenv("STEPWRIGHT_ORCHESTRATOR", "http")
    monkeypatch.setenv(name, f"fast, openai.gpt:4.1_x-y,{'n' * 64}")
    assert environment.read_names(name, INSTALLED) == ["fast", "openai.gpt:4.1_x-y", "n" * 64]
    monkeypatch.setenv(name, "")
    assert environment.read_names(name, INSTALLED) == INSTALLED


@pytest.mark.parametrize("name", NAMES)
def test_some_of_what_is_installed_may_be_left_out(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "mine")
    assert environment.read_names(name, INSTALLED) == ["mine"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "value", ["fast,fast", "two words", "a/b", "n" * 65, "\u00fcber", ",", "a\nb", "fast,\u0663"]
)
def test_a_name_that_is_malformed_or_given_twice_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv("STEPWRIGHT_ORCHESTRATOR", "http")
    monkeypatch.setenv(name, value)
    with pytest.raises(environment.UnknownValue, match=name):
        environment.read_names(name, INSTALLED)


OF_OUR_WORKERS = dict(zip(NAMES, ("extractive", "default", "rules-1"), strict=True))


@pytest.mark.parametrize(("name", "installed"), OF_OUR_WORKERS.items())
def test_a_name_that_our_own_workers_do_not_have_is_refused_at_the_start(name: str, installed: str) -> None:
    variables = os.environ | {"STEPWRIGHT_ORCHESTRATOR": "local", name: f"{installed},fast"}
    started = subprocess.run(
        [sys.executable, "manage.py", "--version"], cwd=ROOT, env=variables, capture_output=True, text=True
    )
    assert started.returncode != 0
    assert re.search(rf"UnknownValue: {name} must be of: {installed}, ", started.stderr)


def test_processes_that_ask_at_once_get_one_secret_with_mode_0600(tmp_path: Path) -> None:
    code = "from config import environment; print(environment.generated_secret('x'))"
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={"STEPWRIGHT_HOME": str(tmp_path), "PATH": ""},
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    secrets = {process.communicate()[0].strip() for process in started}
    assert len(secrets) == 1 and len(secrets.pop()) >= 32
    assert stat.S_IMODE((tmp_path / "secrets" / "x").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("url", "algorithms", "fault"),
    [
        ("", "HS256", None),
        ("https://id.example.com/keys", "RS256", None),
        ("https://id.example.com/keys", "ES256, RS256", None),
        ("http://127.0.0.1:9/keys", "RS256", None),
        ("http://localhost/keys", "RS256", None),
        ("", "none", "ALGORITHMS"),
        ("", "HS512", "ALGORITHMS"),
        ("", "RS256", "ALGORITHMS"),
        ("", "HS256,RS256", "ALGORITHMS"),
        ("", ",", "ALGORITHMS"),
        ("https://id.example.com/keys", "HS256", "ALGORITHMS"),
        ("https://id.example.com/keys", "RS256,HS256", "ALGORITHMS"),
        ("https://id.example.com/keys", "RS256,none", "ALGORITHMS"),
        ("http://id.example.com/keys", "RS256", "JWKS_URL"),
        ("http://127.0.0.1.example.com/keys", "RS256", "JWKS_URL"),
        ("http://127.0.0.1@id.example.com/keys", "RS256", "JWKS_URL"),
        ("ftp://127.0.0.1/keys", "RS256", "JWKS_URL"),
        ("https:///keys", "RS256", "JWKS_URL"),
        ("file:///etc/passwd", "RS256", "JWKS_URL"),
    ],
)
def test_algorithms_and_key_url_must_fit_at_the_start(
    monkeypatch: pytest.MonkeyPatch, url: str, algorithms: str, fault: str | None
) -> None:
    monkeypatch.setenv("STEPWRIGHT_JWT_JWKS_URL", url)
    monkeypatch.setenv("STEPWRIGHT_JWT_ALGORITHMS", algorithms)
    if fault is None:
        environment.refuse_unknown_values()
    else:
        with pytest.raises(environment.UnknownValue, match=f"STEPWRIGHT_JWT_{fault} must be"):
            environment.refuse_unknown_values()


def test_production_takes_https_only_and_with_a_provider_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "ENV": "production",
        "DEBUG": "",
        "ALLOWED_HOSTS": "guides.example.com",
        "SECRET_KEY": "s" * 32,
        "PUBLIC_URL": "https://guides.example.com",
        "CALLBACK_SECRET": "c" * 32,
        "JWT_SECRET": "",
        "SIGNING_KEY": SIGNING_KEY,
        "JWT_ALGORITHMS": "RS256",
    }.items():
        monkeypatch.setenv(f"STEPWRIGHT_{name}", value)
    monkeypatch.setenv("STEPWRIGHT_JWT_JWKS_URL", "https://id.example.com/keys")
    environment.refuse_unsafe_production()
    environment.refuse_unknown_values()
    monkeypatch.setenv("STEPWRIGHT_JWT_JWKS_URL", "http://127.0.0.1/keys")
    with pytest.raises(environment.UnknownValue, match="JWKS_URL"):
        environment.refuse_unknown_values()
    monkeypatch.setenv("STEPWRIGHT_JWT_JWKS_URL", "")
    with pytest.raises(environment.UnsafeConfiguration, match="STEPWRIGHT_JWT_SECRET"):
        environment.refuse_unsafe_production()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("STEPWRIGHT_SIGNING_KEY", "k" * 64),
        ("STEPWRIGHT_SIGNING_KEY", "not base64"),
        ("STEPWRIGHT_SIGNING_KEYS_FORMER", SIGNING_KEY),
    ],
)
def test_a_signing_key_of_another_form_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(environment.UnknownValue, match=name) as caught:
        environment.refuse_unknown_values()
    assert name.endswith("FORMER") or value not in str(caught.value)
