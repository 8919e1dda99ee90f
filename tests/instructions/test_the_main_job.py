"""The sample recording through the whole pipeline, in this process: is the draft what was said, when it was said?"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.factories import SAMPLE, Api, make_job, upload, work_off

# The heartbeat has a connection of its own and sees only what is committed.
pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
NUMBERS = {"30": "thirty"}


@pytest.fixture
def finished(owner: Api) -> tuple[Api, dict[str, Any]]:
    """The owner and the job of the sample, drafted."""
    job = make_job(owner=owner.user, language="en")
    owner.post(f"/jobs/{job.pk}/confirm-upload", {"video_uri": upload(owner, job.pk, SAMPLE.read_bytes())})
    owner.post(f"/jobs/{job.pk}/run")
    work_off()
    return owner, owner.get(f"/jobs/{job.pk}").json()


def words(text: str) -> list[str]:
    return [NUMBERS.get(word, word) for word in re.findall(r"[a-z0-9']+", text.lower())]


def word_errors(said: list[str], heard: list[str]) -> int:
    """Insertions, deletions and substitutions (Levenshtein 1965) that turn one into the other."""
    row = list(range(len(heard) + 1))
    for i, word in enumerate(said, 1):
        before, row[0] = row[0], i
        for j, other in enumerate(heard, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (word != other))
    return row[-1]


def test_the_drafts_words_steps_and_times_are_those_of_the_script(
    finished: Any,
) -> None:
    owner, job = finished
    assert (job["status"], job["failure"]) == ("DRAFT_READY", None)
    assert {"video_uri", "audio_uri", "transcript_uri", "draft_uri"} <= set(job["manifest"])
    script = json.loads(SAMPLE.with_suffix(".json").read_text())["script"]
    transcript = owner.get(f"/jobs/{job['id']}/transcript").json()["items"]
    said = words(" ".join(entry["text"] for entry in script))
    heard = words(" ".join(item["text"] for item in transcript))
    assert word_errors(said, heard) < 0.15 * len(said)

    document = owner.get(f"/instructions/{job['instruction_id']}").json()
    assert document["validation_status"] == "PASS"
    drafted = owner.get(f"/instructions/{job['instruction_id']}/steps").json()
    starts = [step["start_ms"] for step in drafted]
    steps = [entry for entry in script if entry["step"]]
    found = [step for step in steps if any(abs(start - step["start_ms"]) <= 2000 for start in starts)]
    assert len(found) >= 0.8 * len(steps)
    assert len(starts) <= len(steps) + 2, "and not a step for every sentence"
    assert starts == sorted(starts)
    for step in drafted:
        assert step["evidence"]["kind"] == "said" and not re.search(r"\d:\d\d", step["markdown"])
        heard_there = words(" ".join(transcript[at]["text"] for at in step["evidence"]["segments"]))
        assert set(words(step["title"])) <= set(heard_there), "it is made of what was said then"


@pytest.mark.parametrize(
    ("stages", "code"),
    [({"AUDIO_EXTRACTING": None}, "NO_AUDIO"), ({"TRANSCRIBING": None}, "NO_SPEECH")],
)
def test_a_video_without_sound_or_without_speech_fails_with_a_sentence(
    owner: Api, tmp_path: Any, stages: dict[str, None], code: str
) -> None:
    video = tmp_path / "video.mp4"
    write_video(video, with_sound=code == "NO_SPEECH")
    job = make_job(owner=owner.user)
    owner.post(f"/jobs/{job.pk}/confirm-upload", {"video_uri": upload(owner, job.pk, video.read_bytes())})
    owner.post(f"/jobs/{job.pk}/run")
    work_off()
    failed = owner.get(f"/jobs/{job.pk}").json()
    assert (failed["status"], failed["failure"]["failure_code"]) == ("FAILED", code)
    assert failed["failure"]["failure_message"].endswith("narration.")
    assert failed["failure"]["failed_stage"] in stages


def write_video(path: Any, *, with_sound: bool) -> None:
    """Three seconds of grey, with silence as its sound or with none."""
    import av
    import numpy

    with av.open(str(path), "w") as container:
        picture = container.add_stream("libx264", rate=10)
        picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
        sound = container.add_stream("aac", rate=16000, layout="mono") if with_sound else None
        for _ in range(30):
            frame = av.VideoFrame.from_ndarray(numpy.full((48, 64, 3), 128, numpy.uint8), format="rgb24")
            container.mux(picture.encode(frame))
        container.mux(picture.encode(None))
        if sound:
            for number in range(48):
                silence = av.AudioFrame.from_ndarray(
                    numpy.zeros((1, 1024), numpy.float32), format="fltp", layout="mono"
                )
                silence.sample_rate, silence.pts = 16000, number * 1024
                container.mux(sound.encode(silence))
            container.mux(sound.encode(None))
