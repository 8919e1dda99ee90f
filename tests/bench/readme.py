"""`make bench-readme`: take the figures of results.json over into the README, and keep them beside it in figures.json.

The README is made from figures.json alone, which a test holds; results.json is what was measured here last.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.bench.results import HEADINGS, Result, lines  # noqa: E402
from tests.bench.rows import ROWS  # noqa: E402

RESULTS, FIGURES = (Path(__file__).with_name(name) for name in ("results.json", "figures.json"))
README = ROOT / "README.md"
BEGIN, END = "<!-- figures: made by `make bench-readme` -->", "<!-- end of figures -->"


def main() -> None:
    measured = json.loads(RESULTS.read_text())
    if missing := [row for row in ROWS if row not in measured["rows"]]:
        raise SystemExit(f"results.json lacks {', '.join(missing)}: run `make bench` without ROWS.")
    for result in measured["results"]:
        result["details"] = {key: value for key, value in result["details"].items() if key == "why"}
    FIGURES.write_text(json.dumps(measured, indent=2) + "\n")
    README.write_text(with_section(README.read_text(), section(measured)))


def section(measured: dict[str, Any]) -> str:
    """Return what stands between the two comments: the table, and the machine it was measured on."""
    machine = measured["machine"]
    cells = [HEADINGS, ("---", "---", "---", "---"), *lines(Result(**one) for one in measured["results"])]
    table = "\n".join(f"| {' | '.join(line)} |" for line in cells)
    return (
        f"{BEGIN}\n{table}\n\nMeasured on {machine['date']}: {machine['cores']} cores ({machine['processor']}), "
        f"Python {machine['python']}, PostgreSQL {machine['postgresql']}.\n{END}"
    )


def with_section(readme: str, made: str) -> str:
    before, _, rest = readme.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + made + after


if __name__ == "__main__":
    main()
