"""A recording in which nothing is said, through the whole pipeline: the guide is what its screen shows being done."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from config.storage import read_bytes
from tests.factories import SAMPLE, Api, make_job, upload, work_off

# The heartbeat has a connection of its own and sees only what is committed.
pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
RECORDING = SAMPLE.parents[1] / "guides" / "recordings" / "web_settings.mp4"
LIMIT = 2**24


def test_a_silent_recording_becomes_a_guide_without_its_passwords(owner: Api) -> None:
    truth = yaml.safe_load(RECORDING.with_suffix(".yaml").read_text())
    job = make_job(owner=owner.user, language="en")
    owner.post(f"/jobs/{job.pk}/confirm-upload", {"video_uri": upload(owner, job.pk, RECORDING.read_bytes())})
    owner.post(f"/jobs/{job.pk}/run")
    work_off()
    done = owner.get(f"/jobs/{job.pk}").json()
    assert (done["status"], done["failure"]) == ("DRAFT_READY", None)
    assert done["manifest"]["screen_uri"]

    events = owner.get(f"/jobs/{job.pk}/screen-events?limit=100").json()
    assert {"click", "type"} <= {event["kind"] for event in events["items"]}
    private = [event for event in events["items"] if "password" in (event.get("label") or "").casefold()]
    typed = [event for event in private if event["kind"] == "type"]
    assert typed and not any(event.get("text") for event in private)
    steps = owner.get(f"/instructions/{done['instruction_id']}/steps").json()
    document = owner.get(f"/instructions/{done['instruction_id']}").json()
    check_steps(steps, truth)
    transcript = owner.get(f"/jobs/{job.pk}/transcript").json()
    assert transcript["items"] == []

    stored = read_bytes(done["manifest"]["screen_uri"], limit=LIMIT).decode()
    written = (*map(json.dumps, (events, steps, document, transcript)), stored)
    passwords = [hidden["text"] for hidden in truth["hidden"] if hidden["kind"] == "password"]
    assert len(passwords) == 2
    for password in passwords:
        assert not [text for text in written if password.casefold() in text.casefold()]


def check_steps(steps: list[dict[str, Any]], truth: dict[str, Any]) -> None:
    """Most of what is done is a step, at its time, known from its frame alone."""
    for step in steps:
        assert step["evidence"]["kind"] == "shown" and step["evidence"]["segments"] == []
        assert step["evidence"]["frames"]
    found = [
        expected
        for expected in truth["steps"]
        if any(
            abs(step["start_ms"] - expected["at_ms"]) <= 1000 and expected["title_words"] in step["title"]
            for step in steps
        )
    ]
    assert len(found) >= 0.6 * len(truth["steps"])
    assert len(steps) <= 1.3 * len(truth["steps"])
    starts = [step["start_ms"] for step in steps]
    assert starts == sorted(starts)
