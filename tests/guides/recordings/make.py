"""Make a recording again, and what is true of it: `python -m tests.guides.recordings.make NAME`.

Needs Debian's xvfb, libxtst6, openbox, x11-xserver-utils, adwaita-icon-theme, chromium, chromium-driver, espeak-ng,
ffmpeg, python3-tk, fonts-inter, fonts-roboto, fonts-open-sans, fonts-cantarell and fonts-dejavu.
Two runs differ by some hundredths of a second.
"""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
import time
from pathlib import Path
from types import ModuleType

from tests.guides.recordings.display import Display, Hand
from tests.guides.recordings.recorder import Recorder, encode, span_of
from tests.guides.recordings.stage import Stage
from tests.guides.recordings.truth import write_truth
from tests.guides.recordings.voice import write_sound

HERE = Path(__file__).resolve().parent
SCENES = "tests.guides.recordings.scenes"


def main() -> int:
    if len(sys.argv) not in (2, 3):
        print(__doc__, file=sys.stderr)
        return 2
    name = sys.argv[1]
    scene = importlib.import_module(name if "." in name else f"{SCENES}.{name}")
    folder = Path(sys.argv[2]) if len(sys.argv) == 3 else HERE
    record(scene, folder / name.rpartition(".")[2])
    return 0


def record(scene: ModuleType, target: Path) -> None:
    """Play a scene and write `target`.mp4 and `target`.yaml.

    A scene has WIDTH, HEIGHT, FPS, QUALITY, LANGUAGE, `open_program()`, a context manager, and `play(stage)`.
    """
    with tempfile.TemporaryDirectory() as work:
        raw = Path(work) / "raw.mkv"
        with (
            Display(100 + os.getpid() % 900, scene.WIDTH, scene.HEIGHT) as display,
            scene.open_program() as program,
        ):
            stage = Stage(display, Hand(display, target.name), program)
            program.perform(lambda: play(scene, stage, raw))
            seen = program.seen()
        keep(scene, stage, seen, raw, target)


def play(scene: ModuleType, stage: Stage, raw: Path) -> None:
    time.sleep(2)  # until the program is drawn
    with Recorder(stage.display, raw, scene.FPS):
        time.sleep(0.5)
        scene.play(stage)
        stage.wait_said()
        time.sleep(1.5)


def keep(scene: ModuleType, stage: Stage, seen: list, raw: Path, target: Path) -> None:
    begin, end = span_of(raw)
    sound = raw.with_name("voice.wav") if stage.said else None
    if sound:
        write_sound(sound, [(at - begin, clip) for at, clip in stage.said], end - begin)
    encode(raw, sound, target.with_suffix(".mp4"), scene.FPS, scene.QUALITY)
    write_truth(target, stage, seen, begin, end, scene.LANGUAGE)
    print(f"{target.name}: {end - begin:.1f} s, {target.with_suffix('.mp4').stat().st_size / 1000:.0f} KB")


if __name__ == "__main__":
    sys.exit(main())
