"""Documents: a save beside one bare parse, the statements of a read, and the draft of an hour of speech."""

from __future__ import annotations

import json
import re
import statistics
import time
from collections.abc import Collection, Iterator
from typing import Any

from markdown_it import MarkdownIt

from instructions.language_models.extractive import Extractive
from jobs.media.transcripts import Segment
from jobs.states import JobStatus
from tests.bench.load import ratio
from tests.bench.profiles import why
from tests.bench.reads import log_size, logged_statements, perform, statements
from tests.bench.results import Result, at_most
from tests.bench.service import USER, Server, database_cpu, serving, token
from tests.factories import make_job, make_user
from tests.jobs.media.sounds import script

STEPS, TURNS, SAVES = 200, 10, 5  # a turn is so many saves, and as many parses
GOAL, MINUTES = 3.0, 60
BARE = MarkdownIt("commonmark").enable(["table", "strikethrough"])
MARKER = re.compile(r"<!-- block:\S+ -->\n")


def measure(rows: Collection[str]) -> Iterator[Result]:
    if "draft" in rows:
        yield drafted()
    if {"save", "document"} & {*rows}:
        document = make_job(JobStatus.EDITING, owner=make_user(USER)).instruction_id
        with serving() as server:
            desk = Desk(server, f"/api/v1/instructions/{document}")
            if "save" in rows:
                yield from saved(desk)
            if "document" in rows:
                yield read(desk)


class Desk:
    """A document that is saved again and again."""

    def __init__(self, server: Server, path: str) -> None:
        self.server, self.path = server, path
        self.signed_in = {"Authorization": f"Bearer {token()}"}
        self.version = 1
        self.markdown = self.save(guide())["markdown"]

    def save(self, markdown: str) -> Any:
        body = json.dumps({"base_version": self.version, "markdown": markdown}).encode()
        headers = {**self.signed_in, "Content-Type": "application/json"}
        status, _, content = self.server.ask("PUT", self.path, body, headers)
        assert status == 200, content[:600]
        saved = json.loads(content)
        assert saved["version"] == self.version + 1
        self.version += 1
        return saved

    def cpu(self) -> float:
        return self.server.cpu() + database_cpu()

    def request(self, markdown: str) -> bytes:
        """Return the bytes of one more save, for a profile in this process."""
        body = json.dumps({"base_version": self.version, "markdown": markdown})
        self.version += 1
        lines = [f"PUT {self.path} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json"]
        lines += [f"Content-Length: {len(body)}", f"Authorization: {self.signed_in['Authorization']}"]
        return "\r\n".join([*lines, "", body]).encode()


def guide() -> str:
    """Return a guide as the pipeline drafts it and an editor goes on with it."""
    steps = (
        f"## Step {number}: Open the page number {number} ({number // 60}:{number % 60:02})\n\n"
        f"Click **Invoices** in the menu, then `New`. The list number {number} opens:\n\n"
        "- newest first,\n- paid ones in grey.\n"
        for number in range(1, STEPS + 1)
    )
    return "# Send an invoice\n\nWhat you need: an account.\n\n" + "\n".join(steps)


def saved(desk: Desk) -> Iterator[Result]:
    """Yield what saves of other words in a step cost: with the markers, and of a text that has lost them."""
    yield beside_a_parse(desk, f"PUT of {STEPS} steps: CPU", desk.markdown)
    yield beside_a_parse(desk, f"PUT of {STEPS} steps without markers: CPU", MARKER.sub("", desk.markdown))


def beside_a_parse(desk: Desk, name: str, text: str) -> Result:
    costs: dict[str, list[float]] = {"ours_ms": [], "bare_ms": []}
    for _ in range(TURNS + 1):
        texts = [reworded(text, desk.version + number) for number in range(SAVES)]
        began = desk.cpu()
        for one in texts:
            desk.save(one)
        costs["ours_ms"].append((desk.cpu() - began) / SAVES * 1000)
        began = time.process_time()
        for one in texts:
            BARE.parse(one)
        costs["bare_ms"].append((time.process_time() - began) / SAVES * 1000)
    value = ratio(costs["ours_ms"][1:], costs["bare_ms"][1:])
    facts = {side: round(statistics.median(taken[1:]), 1) for side, taken in costs.items()}
    profile = why(value <= GOAL, lambda: perform(desk.request(reworded(text, desk.version))))
    return at_most(name, value, GOAL, "× one parse by bare markdown-it-py", **facts, **profile)


def reworded(text: str, number: int) -> str:
    step = number % STEPS + 1
    return text.replace(f"The list number {step} opens", f"The list {number} opens")


def read(desk: Desk) -> Result:
    """Return how many statements a read of the newest version takes, the user's included."""
    asked = 20
    before = log_size()
    with logged_statements():
        for _ in range(asked):
            status, _, content = desk.server.ask("GET", desk.path, headers=desk.signed_in)
            assert status == 200, content
    found = statements(before)
    distinct = sorted(set(found))
    return at_most(
        "GET /instructions/{id}: statements", round(len(found) / asked, 2), 2, "", statements=distinct
    )


def drafted() -> Result:
    """Return how long the rules take for an hour of speech: what is said in the sample, over and over."""
    lines = script()
    length = lines[-1]["end_ms"] + 1000
    hour = [
        Segment(turn * length + line["start_ms"], turn * length + line["end_ms"], line["text"])
        for turn in range(MINUTES * 60_000 // length + 1)
        for line in lines
    ]
    model = Extractive()
    model.draft(hour[: len(lines)], title=None, language="en")  # loads what it needs
    began = time.process_time()
    model.draft(hour, title=None, language="en")
    seconds = round(time.process_time() - began, 2)
    facts = {
        "segments": len(hour),
        **why(seconds <= 2, lambda: model.draft(hour, title=None, language="en"), times=1),
    }
    return at_most(f"Draft of {MINUTES} minutes by rules", seconds, 2, "s of CPU", **facts)
