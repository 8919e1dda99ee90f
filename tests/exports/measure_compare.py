"""How well changed regions are found in frames of recordings, against what differs between the frames as recorded.

    python -m tests.exports.measure_compare VIDEO...    # tests/media/sample.mp4 was not looked at while it was written

Each video is encoded twice, well and worse, as two recordings are. Frames that show the same must have no region; of
frames 1.5 s apart the regions are held against the places where the video as given differs pixel by pixel. A place is
found when half of it is covered; a region is right when at least three tenths of it lie in such places or around them.
"""

from __future__ import annotations

import io
import sys
import tempfile
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from PIL import Image

from exports.comparison.pictures import changed_regions, read_screen

GOOD, WORSE = 20, (28, 32, 36)  # constant rate factors of H.264; encoders take 23 if nobody says
EVERY_S, APART_S = 2.0, 1.5
LEVELS, GAP, LARGEST_POINTER = 30, 25, 34
MARGIN = 20

Box = tuple[int, int, int, int]
Mask = np.ndarray[Any, np.dtype[np.bool_]]


def frames(path: Path, seconds: Iterable[float]) -> Iterator[Image.Image]:
    """Yield the frame that is shown at each of the times, which ascend, while there is one."""
    wanted = deque(seconds)
    with av.open(path) as container:
        shown = None
        for frame in container.decode(video=0):
            while shown is not None and wanted and frame.time > wanted[0]:
                wanted.popleft()
                yield shown.to_image()
            shown = frame


def encode(path: Path, target: Path, quality: int) -> Path:
    with av.open(path) as source, av.open(target, "w") as out:
        given = source.streams.video[0]
        stream = out.add_stream(
            "libx264", given.average_rate, options={"crf": str(quality), "preset": "veryfast"}
        )
        stream.width, stream.height, stream.pix_fmt = given.width, given.height, "yuv420p"
        for frame in source.decode(given):
            frame.pict_type = av.video.frame.PictureType.NONE
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return target


def png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=1)
    return out.getvalue()


def places(first: Image.Image, second: Image.Image) -> list[Box]:
    """Return where two frames differ, but for what is no larger than a pointer."""
    differs = cv2.absdiff(np.asarray(first), np.asarray(second)).max(axis=2) > LEVELS
    grown = cv2.dilate(differs.astype(np.uint8), np.ones((GAP, GAP), np.uint8))
    _, labels = cv2.connectedComponents(grown)
    found = []
    for label in range(1, labels.max() + 1):
        rows, columns = np.nonzero((labels == label) & differs)
        box = (int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1)
        if max(box[2] - box[0], box[3] - box[1]) > LARGEST_POINTER:
            found.append(box)
    return found


def mask(boxes: Iterable[Box], size: tuple[int, int], margin: int = 0) -> Mask:
    covered = np.zeros((size[1], size[0]), bool)
    for left, top, right, bottom in boxes:
        covered[max(0, top - margin) : bottom + margin, max(0, left - margin) : right + margin] = True
    return covered


def regions(before: Image.Image, after: Image.Image, size: tuple[int, int]) -> list[Box]:
    width, height = size
    return [
        (round(x * width), round(y * height), round((x + across) * width), round((y + down) * height))
        for x, y, across, down in changed_regions(read_screen(png(before)), read_screen(png(after)))
    ]


def measure(video: Path, folder: Path) -> dict[int, Counter[str]]:
    with av.open(video) as container:
        length = float(container.duration or 0) / av.time_base - APART_S
    times = [1.0 + EVERY_S * n for n in range(int((length - 1.0) / EVERY_S))]
    later = [at + APART_S for at in times]
    truth = [places(*pair) for pair in zip(frames(video, times), frames(video, later), strict=False)]
    good = encode(video, folder / f"{video.stem}-{GOOD}.mp4", GOOD)
    counts: dict[int, Counter[str]] = {}
    for quality in WORSE:
        count = counts[quality] = Counter()
        other = encode(video, folder / f"{video.stem}-{quality}.mp4", quality)
        for before, same, after, true in zip(
            frames(good, times), frames(other, times), frames(other, later), truth, strict=False
        ):
            count["same"] += 1
            count["false"] += bool(regions(before, same, before.size))
            found = regions(before, after, before.size)
            covered, right = mask(found, before.size, 4), mask(true, before.size, MARGIN)
            count["places"] += len(true)
            count["found"] += sum(
                covered[top:bottom, left:end].mean() >= 0.5 for left, top, end, bottom in true
            )
            count["regions"] += len(found)
            count["right"] += sum(
                right[top:bottom, left:end].mean() >= 0.3 for left, top, end, bottom in found
            )
    return counts


def main(paths: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for path in map(Path, paths):
            for quality, count in measure(path, Path(folder)).items():
                print(
                    f"{path.stem:16} {quality}: {count['false']} of {count['same']} equal frames differ; "
                    f"found {count['found']} of {count['places']} places; "
                    f"right {count['right']} of {count['regions']} regions"
                )


if __name__ == "__main__":
    main(sys.argv[1:])
