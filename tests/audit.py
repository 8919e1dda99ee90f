"""Ask for known vulnerabilities of what requirements.lock pins (`make audit`): pip-audit, with a verdict of ours.

pip-audit ends well when it could ask nobody. Here that is said on a line, and with STEPWRIGHT_REQUIRE_AUDIT=1 it is a
failure; a vulnerability is one always.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

LOCK = Path(__file__).resolve().parents[1] / "requirements.lock"
SECONDS = 120  # for all packages; a service that hangs is one that is away


def ask(lock: Path = LOCK) -> dict[str, Any] | None:
    """Return pip-audit's report on the packages of a lock file; None when it has none to give."""
    options = ["--require-hashes", "--disable-pip", "--progress-spinner", "off", "--format", "json"]
    command = [sys.executable, "-m", "pip_audit", *options, "--requirement", str(lock)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
        report: dict[str, Any] = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, json.JSONDecodeError):
        return None
    return report


def judge(report: dict[str, Any] | None, *, is_required: bool) -> tuple[int, str]:
    """Return the exit code and the line that tells why."""
    packages = report["dependencies"] if report else []
    asked = [package for package in packages if "skip_reason" not in package]
    found = [
        f"{package['name']} {package['version']}: {one['id']}, mended in {', '.join(one['fix_versions']) or 'none'}"
        for package in asked
        for one in package["vulns"]
    ]
    if found:
        return 1, "audit: known vulnerabilities:\n  " + "\n  ".join(found)
    if not asked:
        return int(is_required), "audit: the service of known vulnerabilities is not reachable, skipped"
    if left := len(packages) - len(asked):
        return int(
            is_required
        ), f"audit: no known vulnerability in {len(asked)} packages; {left} not known there"
    return 0, f"audit: no known vulnerability in {len(asked)} packages"


if __name__ == "__main__":
    code, line = judge(ask(), is_required=os.environ.get("STEPWRIGHT_REQUIRE_AUDIT") == "1")
    print(line)
    sys.exit(code)
