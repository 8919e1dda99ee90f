"""Many writers of one document, on its newest version or an older one: none overwrites another."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest

from instructions.models import InstructionVersion
from jobs.models import AuditEvent, Job
from jobs.states import JobStatus
from tests.factories import Api, make_job, make_user
from tests.races import at_once

pytestmark = pytest.mark.django_db(transaction=True)
STEP = "0190a000-0000-7000-8000-00000000000a"
TEXT = f"# Guide\n\n<!-- block:{STEP} -->\n## Step 1: title-first\n\nbody-first\n"


@pytest.fixture(autouse=True)
def any_number_of_requests(settings: Any) -> None:
    settings.THROTTLE_RATE = None


@dataclass
class Writer:
    """Saves a word of its own in each attempt: as the body by PUT, or as the title by a step edit.

    One attempt of ten is based on the version before the newest. `accepted` holds what was saved by version.
    """

    path: str
    number: int
    accepted: dict[int, str] = field(default_factory=dict)
    refused: int = 0
    accepted_late: int = 0

    def write(self, attempts: int) -> Writer:
        self.api, chance = Api(make_user("owner")), random.Random(self.number)
        for attempt in range(attempts):
            base = self.api.get(self.path).json()
            if is_late := chance.random() < 0.1:
                base = self.api.get(f"{self.path}?version={base['version'] - 1}").json()
            what, save = chance.choice([("body", self.put), ("title", self.edit)])
            word = f"{what}-{self.number}-{attempt}"
            answer = save(base, word)
            if answer.status_code == 200:
                assert answer.json()["version"] not in self.accepted
                self.accepted[answer.json()["version"]] = word
                self.accepted_late += is_late
            else:
                assert (answer.status_code, answer.json()["code"]) == (409, "VERSION_CONFLICT")
                self.refused += 1
        return self

    def put(self, base: dict[str, Any], word: str) -> Any:
        markdown = re.sub(r"body-[-\w]+", word, base["markdown"])
        return self.api.put(self.path, {"base_version": base["version"], "markdown": markdown})

    def edit(self, base: dict[str, Any], word: str) -> Any:
        operations = [{"op": "set_title", "block_id": STEP, "title": word}]
        return self.api.post(
            f"{self.path}/edits", {"base_version": base["version"], "operations": operations}
        )


def check_writers(number: int, attempts: int) -> None:
    """Let so many write at once, and hold the versions to what each of them was answered."""
    job = make_job(JobStatus.EDITING, owner=make_user("owner"))
    path = f"/instructions/{job.instruction_id}"
    first = Api(make_user("owner")).put(path, {"base_version": 1, "markdown": TEXT})
    assert first.json()["version"] == 2
    writers = at_once(number, lambda index: Writer(path, index).write(attempts // number))
    accepted = {version: word for writer in writers for version, word in writer.accepted.items()}
    saved, refused = (
        sum(len(writer.accepted) for writer in writers),
        sum(writer.refused for writer in writers),
    )
    assert saved + refused == attempts
    assert min(saved, refused) > attempts // (4 * number), "they did not meet"
    assert not any(writer.accepted_late for writer in writers)
    check_versions(job, accepted)
    assert len(accepted) == saved


def check_versions(job: Job, accepted: dict[int, str]) -> None:
    """There is a version, and an event, for each save and no other; each differs from the one before by its word."""
    rows = InstructionVersion.objects.filter(instruction__job=job).order_by("version")
    texts = dict(rows.values_list("version", "markdown"))
    assert sorted(accepted) == list(texts)[2:] == list(range(3, len(texts) + 1))
    words = {version: re.findall(r"(?:title|body)-[-\w]+", text) for version, text in texts.items()}
    assert words[2] == ["title-first", "body-first"]
    for before, after in pairwise(list(texts)[1:]):
        word = accepted[after]
        title, body = words[before]
        assert words[after] == ([word, body] if word.startswith("title") else [title, word])
    events = AuditEvent.objects.filter(job=job, event_type__in=["INSTRUCTION_SAVED", "INSTRUCTION_EDITED"])
    assert sorted(event.data["version"] for event in events) == list(texts)[1:]


def test_10_writers_lose_none_of_300_saves() -> None:
    check_writers(10, 300)


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_50_writers_lose_none_of_5000_saves() -> None:
    check_writers(50, 5000)
