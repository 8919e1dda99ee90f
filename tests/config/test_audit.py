"""`make audit`: what it makes of pip-audit's report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests import audit

CLEAN = {"name": "a", "version": "1.0", "vulns": []}
BAD = {
    "name": "b",
    "version": "2.0",
    "vulns": [{"id": "PYSEC-2026-1", "fix_versions": ["2.1"], "aliases": []}],
}
UNKNOWN = {"name": "c", "skip_reason": "Dependency not found on PyPI and could not be audited: c (3.0)"}


@pytest.mark.parametrize(
    ("packages", "codes", "says"),
    [
        ([CLEAN], (0, 0), "no known vulnerability in 1 packages"),
        ([CLEAN, BAD], (1, 1), "b 2.0: PYSEC-2026-1, mended in 2.1"),
        ([BAD, UNKNOWN], (1, 1), "b 2.0"),
        ([CLEAN, UNKNOWN], (0, 1), "1 not known there"),
        ([UNKNOWN], (0, 1), "not reachable, skipped"),
        ([], (0, 1), "not reachable, skipped"),
        (None, (0, 1), "not reachable, skipped"),
    ],
)
def test_only_a_vulnerability_fails_unless_the_audit_is_required(
    packages: Any, codes: tuple[int, int], says: str
) -> None:
    report = None if packages is None else {"dependencies": packages}
    for is_required, code in zip((False, True), codes, strict=True):
        found, line = audit.judge(report, is_required=is_required)
        assert found == code and says in line


def test_a_lock_file_that_cannot_be_read_is_no_clean_report(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("not a requirement at all !!!\n")
    assert audit.ask(tmp_path / "lock") is None
