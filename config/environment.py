"""Every environment variable the service reads, with its default, in one table.

`.env.example` lists the same names; a test holds the two together. Values come from the process's
environment, else from a `.env` file in the working folder, else from this table.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable, Sequence
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import TextIO
from urllib.parse import urlsplit

from dotenv import load_dotenv

from config.signing_keys import PRIVATE_KEY_HEAD, PUBLIC_KEY_HEAD, check_key

DEFAULTS: dict[str, str] = {
    "STEPWRIGHT_ENV": "development",
    "STEPWRIGHT_DEBUG": "",
    "STEPWRIGHT_HOME": ".stepwright",
    "STEPWRIGHT_SECRET_KEY": "",
    "STEPWRIGHT_ALLOWED_HOSTS": "",
    "PORT": "8000",
    "HOST": "127.0.0.1",
    "DATABASE_URL": "",
    "STEPWRIGHT_DB_POOL_SIZE": "12",
    "STEPWRIGHT_BROKER_URL": "",
    "STEPWRIGHT_STORAGE_URL": "",
    "STEPWRIGHT_ORCHESTRATOR": "local",
    "STEPWRIGHT_ORCHESTRATOR_URL": "",
    "STEPWRIGHT_ORCHESTRATOR_SECRET": "",
    "STEPWRIGHT_PUBLIC_URL": "",
    "STEPWRIGHT_CALLBACK_SECRET": "",
    "STEPWRIGHT_CALLBACK_SECRET_PREVIOUS": "",
    "STEPWRIGHT_TRUSTED_PROXIES": "",
    "STEPWRIGHT_ADMIN_SSO_HEADER": "",
    "STEPWRIGHT_ADMIN_SECOND_FACTOR": "",
    "STEPWRIGHT_CORS_ORIGINS": "",
    "STEPWRIGHT_JWT_SECRET": "",
    "STEPWRIGHT_JWT_JWKS_URL": "",
    "STEPWRIGHT_JWT_ISSUER": "stepwright",
    "STEPWRIGHT_JWT_AUDIENCE": "stepwright",
    "STEPWRIGHT_JWT_ALGORITHMS": "HS256",
    "STEPWRIGHT_SIGNING_KEY": "",
    "STEPWRIGHT_SIGNING_KEYS_FORMER": "",
    "STEPWRIGHT_ACTIVE_JOBS_PER_OWNER": "3",
    "STEPWRIGHT_THROTTLE_RATE": "600/min",
    "STEPWRIGHT_UNAUTHENTICATED_RATE": "300/min",
    "STEPWRIGHT_JOB_TIMEOUT_MINUTES": "15",
    "STEPWRIGHT_MAX_UPLOAD_BYTES": str(8 * 2**30),
    "STEPWRIGHT_QUOTA_BYTES_PER_OWNER": str(100 * 2**30),
    "STEPWRIGHT_VIDEO_URI_ALLOW": "",
    "STEPWRIGHT_DOWNLOAD_URL_SECONDS": "900",
    "STEPWRIGHT_MODEL_PROFILES": "",
    "STEPWRIGHT_STT_PROFILES": "",
    "STEPWRIGHT_PROMPT_TEMPLATES": "",
    "STEPWRIGHT_WHISPER_MODEL": "",
    "STEPWRIGHT_SPEECH_URL": "",
    "STEPWRIGHT_SPEECH_API_KEY": "",
    "STEPWRIGHT_SPEECH_MODEL": "whisper-1",
    "STEPWRIGHT_LLM_URL": "",
    "STEPWRIGHT_LLM_API_KEY": "",
    "STEPWRIGHT_LLM_MODEL": "",
    "STEPWRIGHT_LLM_TIMEOUT_SECONDS": "120",
    "STEPWRIGHT_LLM_TOKENS_PER_JOB": "500000",
    "STEPWRIGHT_LOG_LEVEL": "INFO",
}


def read(name: str) -> str:
    """Return the value of one variable of the table; an empty value counts as not set."""
    return os.environ.get(name, "") or DEFAULTS[name]


def read_list(name: str) -> list[str]:
    """Return a comma-separated value as a list without blanks."""
    return [part.strip() for part in read(name).split(",") if part.strip()]


def read_checked_list(name: str, check: Callable[[str], object]) -> list[str]:
    """Return what `read_list` does; raise UnknownValue for a part that `check` refuses with a ValueError."""
    for part in (parts := read_list(name)):
        try:
            check(part)
        except ValueError as error:
            raise UnknownValue(f"{name} has {part!r}, which cannot be on the list: {error}") from error
    return parts


ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?|https?://\[[0-9a-f:]+\](:[0-9]{1,5})?")


def check_origin(origin: str) -> None:
    """Raise ValueError unless this is an origin as browsers send it (RFC 6454), or `*`."""
    if origin != "*" and not ORIGIN.fullmatch(origin):
        raise ValueError("an origin is https://host or https://host:port, without a path")


NAME = re.compile(r"[A-Za-z0-9._:-]{1,64}")


def read_names(name: str, installed: Sequence[str]) -> list[str]:
    """Return the names that an option may choose from: those that are set, else those `installed`.

    Raise UnknownValue for a name that is malformed or stands there twice, or which is not installed although the
    pipeline is our own.
    """
    if not read(name):
        return list(installed)
    names = read_list(name)
    if not names or len(set(names)) < len(names) or not all(NAME.fullmatch(one) for one in names):
        raise UnknownValue(f"{name} must be different names of 1 to 64 letters, digits, dots, :, _ and -")
    if read("STEPWRIGHT_ORCHESTRATOR") != "http" and not set(names) <= set(installed):
        raise UnknownValue(f"{name} must be of: {', '.join(installed)}, unless STEPWRIGHT_ORCHESTRATOR=http")
    return names


def read_key(name: str) -> str:
    """Return the key of a service without white space around it. Raise UnknownValue, which does not quote it, for one
    that no header of HTTP can hold."""
    key = read(name).strip()
    if not re.fullmatch("[!-~]*", key):
        raise UnknownValue(f"{name} must be letters, digits and marks of ASCII, without white space inside")
    return key


PERIODS = {"sec": 1, "min": 60, "hour": 3600, "day": 86400}


def read_rate(name: str) -> tuple[int, int] | None:
    """Return `600/min` as (600, 60 seconds), None when the variable is set and empty. Raise UnknownValue."""
    value = os.environ.get(name, DEFAULTS[name])
    if not value:
        return None
    number, _, period = value.partition("/")
    if not number.isdigit() or not int(number) or period not in PERIODS:
        raise UnknownValue(
            f"{name} must be NUMBER/{'|'.join(PERIODS)}, such as 600/min, or empty for no limit"
        )
    return int(number), PERIODS[period]


def load_env_file(folder: Path) -> None:
    """Take what `.env` in `folder` says; the process's own environment wins."""
    load_dotenv(folder / ".env", override=False)


def home() -> Path:
    """Return the folder of all local state, made on first use for us alone."""
    path = Path(read("STEPWRIGHT_HOME")).expanduser().resolve()
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def open_lock(name: str) -> TextIO:
    """Open the file HOME/NAME to lock it and to append to it; made for us alone by whoever asks first."""
    return os.fdopen(os.open(home() / name, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600), "a+")


def generated_secret(name: str, make: Callable[[], str] = lambda: secrets.token_urlsafe(48)) -> str:
    """Return a random secret kept in HOME/secrets/NAME with mode 0600; made by whoever asks first.

    Of two processes that ask at once one creates the file (written beside it, then linked, so nobody
    reads half a secret) and both read the same value.
    """
    folder = home() / "secrets"
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / name
    if not path.exists():
        draft = folder / f".{name}.{os.getpid()}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(make())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # somebody was first: theirs counts
        finally:
            draft.unlink()
    return path.read_text().strip()


class UnsafeConfiguration(Exception):
    """Production would start with something that is not safe; the message names each."""


class UnknownValue(Exception):
    """A variable has a value that the service does not know; the message names the variable and what it takes."""


KNOWN_STARTS = {
    "STEPWRIGHT_STORAGE_URL": ("", "file:", "s3://"),
    "STEPWRIGHT_BROKER_URL": (
        "",
        "postgresql://",
        "postgres://",
        "redis://",
        "rediss://",
        "amqp://",
        "amqps://",
    ),
    "DATABASE_URL": ("", "postgresql://", "postgres://"),
}


def refuse_unknown_values() -> None:
    """Raise UnknownValue at the start rather than at the first request that meets it."""
    read_rate("STEPWRIGHT_THROTTLE_RATE")
    if not read("STEPWRIGHT_DB_POOL_SIZE").isdecimal():
        raise UnknownValue("STEPWRIGHT_DB_POOL_SIZE must be a number of connections, or 0 for no pool")
    read_rate("STEPWRIGHT_UNAUTHENTICATED_RATE")
    read_checked_list("STEPWRIGHT_TRUSTED_PROXIES", ip_network)
    read_checked_list("STEPWRIGHT_CORS_ORIGINS", check_origin)
    if read("STEPWRIGHT_ORCHESTRATOR") not in ("local", "http"):
        raise UnknownValue("STEPWRIGHT_ORCHESTRATOR must be one of: local, http")
    if read("STEPWRIGHT_ORCHESTRATOR") == "http" and not read("STEPWRIGHT_ORCHESTRATOR_URL").startswith(
        ("http://", "https://")
    ):
        raise UnknownValue("STEPWRIGHT_ORCHESTRATOR=http needs STEPWRIGHT_ORCHESTRATOR_URL=https://…")
    for name, starts in KNOWN_STARTS.items():
        value = read(name)
        if not any(value.startswith(start) if start else not value for start in starts):
            raise UnknownValue(f"{name} must be one of: {', '.join(start or '(empty)' for start in starts)}")
    for name in ("STEPWRIGHT_LLM_API_KEY", "STEPWRIGHT_SPEECH_API_KEY"):
        read_key(name)
    refuse_unfit_signing_keys()
    refuse_unfit_sign_in()
    refuse_unfit_admin()
    refuse_unfit_language_model()


def refuse_unfit_signing_keys() -> None:
    """Raise UnknownValue, which does not quote the private key, for a key that cannot be read."""
    try:
        if text := read("STEPWRIGHT_SIGNING_KEY"):
            check_key(text, PRIVATE_KEY_HEAD)
    except ValueError as error:
        takes = "openssl genpkey -algorithm ed25519 -outform DER | base64 -w0"
        raise UnknownValue(f"STEPWRIGHT_SIGNING_KEY must be what this prints: {takes}") from error
    read_checked_list("STEPWRIGHT_SIGNING_KEYS_FORMER", lambda text: check_key(text, PUBLIC_KEY_HEAD))


MAX_TIMEOUT_SECONDS = 3600
MAX_TOKENS = 2**31 - 1


def refuse_unfit_language_model() -> None:
    """Raise UnknownValue unless the language model's service is a plain address with a model, and its limits are
    numbers. A user, a query or a fragment in the address could hold a secret that a log shows."""
    url = read("STEPWRIGHT_LLM_URL")
    parts = urlsplit(url)
    is_plain = parts.scheme in ("http", "https") and parts.hostname
    if url and (not is_plain or "@" in parts.netloc or parts.query or parts.fragment):
        raise UnknownValue(
            "STEPWRIGHT_LLM_URL must be https://host, also with a port and a path, and nothing else; "
            "http:// in production only for this machine"
        )
    if url and not read("STEPWRIGHT_LLM_MODEL"):
        raise UnknownValue("STEPWRIGHT_LLM_MODEL must name a model of STEPWRIGHT_LLM_URL")
    for name, most in (
        ("STEPWRIGHT_LLM_TIMEOUT_SECONDS", MAX_TIMEOUT_SECONDS),
        ("STEPWRIGHT_LLM_TOKENS_PER_JOB", MAX_TOKENS),
    ):
        value = read(name)
        if not (value.isascii() and value.isdecimal() and 0 < int(value) <= most):
            raise UnknownValue(f"{name} must be a whole number from 1 to {most}")


def is_of_this_machine(url: str) -> bool:
    """Return whether the host of a URL is this machine, by its name or address alone."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def refuse_unfit_sign_in() -> None:
    """Raise UnknownValue unless algorithms and keys of the tokens belong together (RFC 8725, section 3.1)."""
    algorithms, url = set(read_list("STEPWRIGHT_JWT_ALGORITHMS")), read("STEPWRIGHT_JWT_JWKS_URL")
    if not algorithms or algorithms - ({"RS256", "ES256"} if url else {"HS256"}):
        takes = "RS256, ES256 with STEPWRIGHT_JWT_JWKS_URL; HS256 without"
        raise UnknownValue(f"STEPWRIGHT_JWT_ALGORITHMS must be of: {takes}")
    parts = urlsplit(url)
    nearby = read("STEPWRIGHT_ENV") != "production" and parts.hostname in {"127.0.0.1", "::1", "localhost"}
    if url and not (parts.hostname and (parts.scheme == "https" or (parts.scheme == "http" and nearby))):
        takes = "(empty), https://; http:// only for this machine, outside production"
        raise UnknownValue(f"STEPWRIGHT_JWT_JWKS_URL must be one of: {takes}")


def refuse_unfit_admin() -> None:
    """Raise UnknownValue for a header that HTTP does not know or nobody may set, and an unknown second factor."""
    header = read("STEPWRIGHT_ADMIN_SSO_HEADER")
    if header and not re.fullmatch("[A-Za-z][A-Za-z0-9-]{0,63}", header):
        raise UnknownValue(
            "STEPWRIGHT_ADMIN_SSO_HEADER must be the name of a header, such as X-Forwarded-User"
        )
    if header and not read_list("STEPWRIGHT_TRUSTED_PROXIES"):
        raise UnknownValue("STEPWRIGHT_ADMIN_SSO_HEADER needs STEPWRIGHT_TRUSTED_PROXIES: who may set it")
    if read("STEPWRIGHT_ADMIN_SECOND_FACTOR") not in ("", "required"):
        raise UnknownValue("STEPWRIGHT_ADMIN_SECOND_FACTOR must be one of: (empty), required")


SECRETS = (
    "STEPWRIGHT_SECRET_KEY",
    "STEPWRIGHT_CALLBACK_SECRET",
    "STEPWRIGHT_JWT_SECRET",
    "STEPWRIGHT_SIGNING_KEY",
)
OPTIONAL_SECRETS = ("STEPWRIGHT_CALLBACK_SECRET_PREVIOUS", "STEPWRIGHT_ORCHESTRATOR_SECRET")
MIN_SECRET_CHARACTERS = 32


def refuse_unsafe_production() -> None:
    """Raise UnsafeConfiguration when STEPWRIGHT_ENV=production and a setting is only fit for development."""
    if read("STEPWRIGHT_ENV") != "production":
        return
    unused = {"STEPWRIGHT_JWT_SECRET"} if read("STEPWRIGHT_JWT_JWKS_URL") else set()
    wrong = [
        f"{name} must be set, with {MIN_SECRET_CHARACTERS} characters or more"
        for name in SECRETS
        if name not in unused and len(read(name)) < MIN_SECRET_CHARACTERS
    ]
    wrong += [
        f"{name} must be empty, or have {MIN_SECRET_CHARACTERS} characters or more"
        for name in OPTIONAL_SECRETS
        if 0 < len(read(name)) < MIN_SECRET_CHARACTERS
    ]
    if read("STEPWRIGHT_DEBUG"):
        wrong.append("STEPWRIGHT_DEBUG must be empty")
    if not read_list("STEPWRIGHT_ALLOWED_HOSTS") or "*" in read_list("STEPWRIGHT_ALLOWED_HOSTS"):
        wrong.append("STEPWRIGHT_ALLOWED_HOSTS must name the hosts")
    if urlsplit(read("STEPWRIGHT_PUBLIC_URL")).scheme != "https":
        wrong.append("STEPWRIGHT_PUBLIC_URL must begin with https://, so that cookies are secure ones")
    if "*" in read_list("STEPWRIGHT_CORS_ORIGINS"):
        wrong.append("STEPWRIGHT_CORS_ORIGINS must name the origins")
    url = read("STEPWRIGHT_LLM_URL")
    if url and urlsplit(url).scheme != "https" and not is_of_this_machine(url):
        wrong.append("STEPWRIGHT_LLM_URL must begin with https://, but for this machine")
    if not read("DATABASE_URL"):
        wrong.append("DATABASE_URL must name a PostgreSQL server")
    if wrong:
        raise UnsafeConfiguration("STEPWRIGHT_ENV=production, but: " + "; ".join(wrong) + ".")
