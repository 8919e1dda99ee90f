"""Clients that generators make of the committed API description."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.spec.description import ROOT

PACKAGE = "stepwright_client"
DESCRIPTION = ROOT / "spec" / "openapi.yaml"


def generate_python_client(folder: Path) -> Path:
    """Write the Python client into a folder and return the package's; raise CalledProcessError for any warning."""
    package = folder / PACKAGE
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--fail-on-warning"]
    command += ["--path", str(DESCRIPTION), "--meta", "none", "--output-path", str(package)]
    # It formats what it writes with the ruff that stands beside Python.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(command, check=True, timeout=60, env={**os.environ, "PATH": path})
    return package


class PythonClient:
    """The generated package, once its folder is on `sys.path`; signed in."""

    def __init__(self, base_url: str, token: str) -> None:
        self.models: Any = importlib.import_module(f"{PACKAGE}.models")
        self.types: Any = importlib.import_module(f"{PACKAGE}.types")
        made = importlib.import_module(f"{PACKAGE}.client").AuthenticatedClient
        self.client: Any = made(base_url=base_url, token=token, timeout=60)

    def call(self, operation: str, *ids: str, **arguments: Any) -> Any:
        """Return the parsed answer of `tag.operation`; raise AssertionError for an error, or an answer that the
        description does not know."""
        module = importlib.import_module(f"{PACKAGE}.api.{operation}")
        answer = module.sync_detailed(*ids, client=self.client, **arguments)
        assert not isinstance(answer.parsed, self.models.Error), answer.parsed
        assert answer.status_code == 204 or answer.parsed is not None, answer
        return answer.parsed
