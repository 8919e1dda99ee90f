"""Print how near the suggested moments are to the labels: `python tests/anchors/suggestions/measure.py FOLDER`.

FOLDER is where the wheel that README.md names is unpacked; without it only the sample is measured.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(ROOT))

from anchors.activity import watch  # noqa: E402
from anchors.suggest import StepSpan, suggest  # noqa: E402
from jobs.media.probe import probe_video  # noqa: E402

NEAR_MS = 500


def main(folder: Path | None) -> int:
    labels = json.loads((HERE / "labels.json").read_text())
    for recording in labels["recordings"]:
        with tempfile.TemporaryDirectory() as place:
            video = find(recording, folder, Path(place) / "video.mp4")
            if video is None:
                print(f"{recording['name']}: not measured, needs {recording['file']}")
                continue
            report(recording, video)
    return 0


def find(recording: dict[str, Any], folder: Path | None, target: Path) -> Path | None:
    if "sha256" not in recording:
        return ROOT / recording["file"]
    if folder is None or not (folder / recording["file"]).exists():
        return None
    content = (folder / recording["file"]).read_bytes()
    if hashlib.sha256(content).hexdigest() != recording["sha256"]:
        raise SystemExit(f"{recording['file']} is not the file that was labelled")
    return as_video(folder / recording["file"], target)


def as_video(gif: Path, target: Path) -> Path:
    """Write a GIF as H.264, each picture at its own time and as long as in the GIF."""
    with Image.open(gif) as image, av.open(target, "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height = (side // 2 * 2 for side in image.size)
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": "23", "preset": "medium", "g": "250", "threads": "1"}
        stream.codec_context.time_base = Fraction(1, 1000)
        at = 0
        for number in range(image.n_frames):
            image.seek(number)
            picture = np.asarray(image.convert("RGB"))[: stream.height, : stream.width]
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            frame.pts, frame.time_base = at, Fraction(1, 1000)
            container.mux(stream.encode(frame))
            at += max(10, image.info.get("duration", 100))
        frame.pts = at - 5  # the last picture stands as long as in the GIF
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return target


def report(recording: dict[str, Any], video: Path) -> None:
    steps = [StepSpan(step["block_id"], step["start_ms"], step["end_ms"]) for step in recording["steps"]]
    found = suggest(watch(video), steps, duration_ms=probe_video(video).duration_ms)
    near = near_start = 0
    for step, suggestion in zip(recording["steps"], found, strict=True):
        off, off_start = distance(step, suggestion.timestamp_ms), distance(step, step["start_ms"])
        near += off <= NEAR_MS
        near_start += off_start <= NEAR_MS
        print(
            f"  {'  ' if off <= NEAR_MS else 'x '}{suggestion.timestamp_ms:6} {suggestion.reason:13} "
            f"{suggestion.score:.2f}  label {step['label_from_ms']}..{step['label_to_ms']}  off by {off} ms, "
            f"the start by {off_start}  {step['text']}"
        )
    print(
        f"{recording['name']} ({recording['set']}): {near} of {len(found)} within {NEAR_MS} ms "
        f"({near / len(found):.0%}); the step's start {near_start} ({near_start / len(found):.0%})"
    )


def distance(step: dict[str, Any], at_ms: int) -> int:
    """Return how far a time is outside of the stretch in which the labelled picture stands, in milliseconds."""
    return int(max(0, step["label_from_ms"] - at_ms, at_ms - step["label_to_ms"]))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else None))
