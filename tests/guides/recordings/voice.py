"""The voice of a recording: espeak-ng's, laid onto the recording's clock."""

from __future__ import annotations

import array
import io
import subprocess
import wave
from dataclasses import dataclass
from pathlib import Path

RATE = 22_050
VOICE = ("-v", "en-us+adam", "-s", "142")
QUIET_BELOW = 200  # of 32,767


@dataclass(frozen=True)
class Clip:
    text: str
    samples: array.array[int]

    @property
    def seconds(self) -> float:
        return len(self.samples) / RATE


def speak(text: str) -> Clip:
    """Return a spoken line without the silence around it."""
    spoken = subprocess.run(["espeak-ng", *VOICE, "--stdout", text], capture_output=True, check=True).stdout
    with wave.open(io.BytesIO(spoken)) as file:
        # espeak-ng writes to a pipe before it knows the length, so the header's number of frames is not true.
        samples = array.array("h", file.readframes(file.getnframes()))
        if file.getframerate() != RATE or file.getnchannels() != 1:
            raise RuntimeError(f"espeak-ng does not speak at {RATE} Hz in one channel")
    loud = [number for number, sample in enumerate(samples) if abs(sample) > QUIET_BELOW]
    return Clip(text, samples[loud[0] : loud[-1] + 1])


def write_sound(path: Path, clips: list[tuple[float, Clip]], seconds: float) -> None:
    """Write a WAV file with each clip at its second."""
    sound = array.array("h", bytes(2 * int(seconds * RATE)))
    for at, clip in clips:
        begin = int(at * RATE)
        end = min(len(sound), begin + len(clip.samples))
        sound[begin:end] = clip.samples[: end - begin]
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(sound.tobytes())
