"""A multilingual model of the operator's, where there is one: STEPWRIGHT_WHISPER_MODEL=… pytest -m soak."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import av
import numpy as np
import pytest
from django.conf import settings

from jobs.media.audio import SAMPLE_RATE
from jobs.media.speech.whisper import Whisper
from tests.jobs.media.sounds import write_flac

ENGLISH_NAMES = ("New invoice", "Save draft", "Customers", "Reports", "Sign out")


def spoken(text: str, language: str, folder: Path) -> Path:
    """The text read by espeak-ng, at the rate of the recogniser."""
    subprocess.run(["espeak-ng", "-v", language, "-s", "150", "-w", str(folder / "s.wav"), text], check=True)
    resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
    with av.open(str(folder / "s.wav")) as container:
        frames = [frame for each in container.decode(audio=0) for frame in resampler.resample(each)]
    samples = np.concatenate([frame.to_ndarray()[0] for frame in frames])
    return write_flac(folder / "s.flac", samples.astype(np.float32) / 32_768)


@pytest.mark.soak
@pytest.mark.skipif(not settings.WHISPER_MODEL, reason="the packaged model knows English alone")
@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="speech is made by espeak-ng")
@pytest.mark.parametrize(
    ("language", "text", "heard"),
    [
        (
            "de",
            "Heute zeige ich euch, wie man einen Drucker einrichtet. Zuerst gehen wir in die Einstellungen.",
            "Drucker",
        ),
        ("es", "Hoy les muestro cómo instalar una impresora. Primero vamos a los ajustes.", "impresora"),
    ],
)
@pytest.mark.parametrize("hot_words", [(), ENGLISH_NAMES])
def test_another_language_is_heard_in_its_own_words(
    tmp_path: Path, language: str, text: str, heard: str, hot_words: tuple[str, ...]
) -> None:
    audio = spoken(text, language, tmp_path)
    transcript = Whisper(Path(settings.WHISPER_MODEL)).transcribe(
        video=audio, audio=audio, language=None, hot_words=hot_words, on_progress=lambda share: None
    )
    assert transcript.language == language
    assert heard in " ".join(segment.text for segment in transcript.segments)
