"""Record a screen with ffmpeg, and encode what was recorded."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from types import TracebackType

from tests.guides.recordings.display import Display

VOICE_BIT_RATE = "20k"


class Recorder:
    """ffmpeg that takes the screen, with the pointer, into a file without loss.

    It keeps the time of each picture by the system's clock, so that the first one tells when the recording begins.
    """

    def __init__(self, display: Display, path: Path, fps: int) -> None:
        self._path = path
        size = f"{display.width}x{display.height}"
        self._command = [
            *("ffmpeg", "-y", "-loglevel", "error", "-copyts", "-f", "x11grab", "-draw_mouse", "1"),
            *("-framerate", str(fps), "-video_size", size, "-thread_queue_size", "64", "-i", display.name),
            *("-c:v", "libx264", "-qp", "0", "-preset", "ultrafast", "-tune", "zerolatency"),
            *("-fps_mode", "passthrough", "-flush_packets", "1", str(path)),
        ]

    def __enter__(self) -> Recorder:
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE)
        while not (self._path.exists() and self._path.stat().st_size):
            if self._process.poll() is not None:
                raise RuntimeError("ffmpeg does not record")
            time.sleep(0.05)
        time.sleep(0.5)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate(b"q", timeout=30)


def span_of(path: Path) -> tuple[float, float]:
    """Return when the first and the last picture were taken (time.time())."""
    listed = subprocess.run(
        ["ffprobe", "-v", "error", "-show_entries", "packet=pts_time", "-of", "csv=p=0", str(path)],
        capture_output=True,
        text=True,
        check=True,
    )
    times = [float(line.strip(",")) for line in listed.stdout.split()]
    return min(times), max(times)


def encode(raw: Path, sound: Path | None, target: Path, fps: int, quality: int) -> None:
    """Encode for keeping: H.264 at a quality (crf), and the sound when there is one."""
    inputs = ["-i", str(raw), *(["-i", str(sound)] if sound else [])]
    subprocess.run(
        [
            *("ffmpeg", "-y", "-loglevel", "error", *inputs),
            *(
                "-vf",
                f"setpts=PTS-STARTPTS,fps={fps},format=yuv420p",
                "-c:v",
                "libx264",
                "-preset",
                "veryslow",
            ),
            *("-crf", str(quality), "-g", str(fps * 20), "-movflags", "+faststart"),
            *("-c:a", "libopus", "-b:a", VOICE_BIT_RATE, "-ac", "1", str(target)),
        ],
        check=True,
    )
