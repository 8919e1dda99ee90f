"""The recordings by which the reading of screens is measured: what is said of each of them is whole and fits it."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import pytest
import yaml

RECORDINGS = Path(__file__).resolve().parent / "recordings"
NAMES = ("desk_converter", "desk_inventory", "web_invoice", "web_settings")
MAX_BYTES, MAX_BYTES_OF_ALL = 700_000, 3_000_000
KINDS = {"click", "type", "scroll", "window"}
HIDDEN = {"email", "card", "token", "phone", "name", "password"}
FIELDS = ("language", "narration", "segments", "events", "steps", "undone_ms", "hidden")


def truth(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((RECORDINGS / f"{name}.yaml").read_text())
    return content


def length_ms(name: str) -> int:
    with av.open(str(RECORDINGS / f"{name}.mp4")) as container:
        assert container.duration
        return container.duration // 1000


def assert_in_order(spans: list[dict[str, Any]], begin: str, end: str, length: int) -> None:
    for span in spans:
        assert 0 <= span[begin] <= span.get(end, span[begin]) <= length
    for span, following in pairwise(spans):
        assert span[begin] <= following[begin]


def assert_inside(region: dict[str, float]) -> None:
    assert set(region) == {"x", "y", "width", "height"}
    assert min(region.values()) >= 0
    assert region["width"] > 0 and region["height"] > 0
    assert region["x"] + region["width"] <= 1.001
    assert region["y"] + region["height"] <= 1.001


def test_each_recording_is_small_and_they_are_all_here() -> None:
    sizes = {path.stem: path.stat().st_size for path in RECORDINGS.glob("*.mp4")}
    assert sorted(sizes) == sorted(path.stem for path in RECORDINGS.glob("*.yaml")) == list(NAMES)
    assert max(sizes.values()) <= MAX_BYTES
    assert sum(sizes.values()) <= MAX_BYTES_OF_ALL


@pytest.mark.parametrize("name", NAMES)
def test_the_picture_opens_and_is_as_large_and_long_as_promised(name: str) -> None:
    with av.open(str(RECORDINGS / f"{name}.mp4")) as container:
        video = container.streams.video[0]
        frame = next(container.decode(video))
        assert (video.codec_context.name, frame.format.name) == ("h264", "yuv420p")
        assert frame.width >= 1280 and frame.height >= 800
        assert bool(container.streams.audio) == bool(truth(name)["narration"])
    assert 35_000 <= length_ms(name) <= 75_000


@pytest.mark.parametrize("name", NAMES)
def test_the_events_are_in_order_and_inside_the_recording(name: str) -> None:
    content = truth(name)
    assert tuple(content) == FIELDS
    assert_in_order(content["events"], "at_ms", "end_ms", length_ms(name))
    for event in content["events"]:
        assert event["kind"] in KINDS
        assert ("end_ms" in event) == (event["kind"] in ("type", "scroll"))
        assert event["label"] or event["kind"] in ("scroll", "window")
        assert_inside(event["region"])
    assert {event["kind"] for event in content["events"]} == KINDS


@pytest.mark.parametrize("name", NAMES)
def test_the_steps_are_events_that_are_not_taken_back(name: str) -> None:
    content = truth(name)
    assert_in_order(content["steps"], "at_ms", "at_ms", length_ms(name))
    for step in content["steps"]:
        event = content["events"][step["event"]]
        assert (event["at_ms"], event["label"]) == (step["at_ms"], step["title_words"])
        assert step["title"]
        assert step["at_ms"] not in content["undone_ms"]
    assert set(content["undone_ms"]) <= {event["at_ms"] for event in content["events"]}


@pytest.mark.parametrize("name", NAMES)
def test_what_is_said_and_what_is_to_be_hidden_is_whole(name: str) -> None:
    content = truth(name)
    assert_in_order(content["narration"], "start_ms", "end_ms", length_ms(name))
    assert_in_order(content["segments"], "start_ms", "end_ms", length_ms(name))
    assert_in_order(content["hidden"], "start_ms", "end_ms", length_ms(name))
    assert bool(content["segments"]) == bool(content["narration"])
    for span in content["hidden"]:
        assert span["kind"] in HIDDEN and span["text"]
        assert_inside(span["region"])
    kinds = {span["kind"] for span in content["hidden"]}
    assert HIDDEN - {"password"} <= kinds


def test_passwords_are_not_written_down_as_what_was_typed() -> None:
    for name in ("web_settings", "desk_converter"):
        hidden = [event for event in truth(name)["events"] if "assword" in (event["label"] or "")]
        typed = [event for event in hidden if event["kind"] == "type"]
        assert typed and not any("text" in event for event in typed)
