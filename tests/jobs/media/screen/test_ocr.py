"""Reading lines of text from pictures of a screen."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from jobs.media.screen.ocr import Ocr
from tests.jobs.media.screen.lettering import font, line


@pytest.mark.parametrize(
    "text",
    [
        "Save changes",
        "New Invoice",
        "#4800 - 12 hours ago",
        "someone@example.com",
        "Straße öffnen",
        "1,122.00 €",
    ],
)
@pytest.mark.parametrize("size", [11, 14, 24])
def test_a_line_is_spelt_as_on_the_screen(text: str, size: int) -> None:
    (found,) = Ocr().read(line(text, size))
    assert (found.text, found.confidence > 0.8) == (text, True)


@pytest.mark.parametrize(
    ("ink", "paper"), [("#f2f2f2", "#1e1e1e"), ("#ffffff", "#d9480f"), ("#888888", "#ffffff")]
)
def test_colours_do_not_matter(ink: str, paper: str) -> None:
    (found,) = Ocr().read(line("Send reply", ink=ink, paper=paper))
    assert found.text == "Send reply"


def test_a_line_stands_where_it_is_drawn() -> None:
    (found,) = Ocr().read(line("Total amount", 14))
    assert found.x == pytest.approx(12, abs=4) and found.y == pytest.approx(10, abs=5)
    assert found.width == pytest.approx(font(14).getlength("Total amount"), abs=8)
    assert 10 <= found.height <= 26


def test_lines_come_from_the_top_down_and_left_to_right() -> None:
    image = Image.new("RGB", (400, 120), "white")
    draw = ImageDraw.Draw(image)
    for place, text in (((220, 60), "Cancel"), ((20, 10), "Delete the file?"), ((300, 61), "Delete")):
        draw.text(place, text, fill="black", font=font(15))
    assert [found.text for found in Ocr().read(np.asarray(image))] == ["Delete the file?", "Cancel", "Delete"]


def test_words_far_apart_in_a_row_are_two_lines_of_a_table() -> None:
    assert [found.text for found in Ocr().read(line("Name             Amount"))] == ["Name", "Amount"]


def test_a_lone_letter_is_read_as_a_line() -> None:
    found = Ocr().read_line(line("B", 16, width=40))
    assert found and found.text == "B"


@pytest.mark.parametrize("shape", [(40, 200, 3), (3, 3, 3), (0, 10, 3), (2, 900, 3)])
def test_nothing_is_read_where_nothing_stands(shape: tuple[int, int, int]) -> None:
    picture: NDArray[np.uint8] = np.full(shape, 240, np.uint8)
    assert Ocr().read(picture) == [] and Ocr().read_line(picture) is None


def test_noise_is_no_text() -> None:
    noise = np.random.default_rng(1).integers(0, 255, (80, 240, 3), np.uint8)
    assert Ocr().read(noise) == []


def test_the_same_picture_reads_the_same_twice() -> None:
    picture = line("Reference number 2049")
    assert Ocr().read(picture) == Ocr().read(picture)


@pytest.mark.slow
def test_reading_says_nothing_and_starts_no_python_thread() -> None:
    code = (
        "import threading, numpy as np; from jobs.media.screen.ocr import Ocr;"
        "Ocr().read(np.zeros((40, 90, 3), np.uint8)); Ocr().read_line(np.zeros((40, 90, 3), np.uint8));"
        "assert threading.active_count() == 1"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
