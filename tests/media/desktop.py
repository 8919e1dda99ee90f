"""What stands around the application's screens: wallpaper, windows, side bar, the recorder's bar."""

from __future__ import annotations

from functools import lru_cache

from frame_counter import BASE_SIZE, CELL, STRIP, cells_for
from paint import Rect, box, gradient, lines, shadow, text
from PIL import Image

ACCENT, ACCENT_DARK, LINE, SOFT = "#3b5bdb", "#2f4ac0", "#dfe3ea", "#f5f6f9"
WINDOW: Rect = (28, 18, 1196, 678)


@lru_cache(maxsize=1)
def empty_window() -> Image.Image:
    """The wallpaper, a window with notes, and before it the application's window with its side bar."""
    image = gradient(BASE_SIZE, (52, 92, 160), (142, 78, 140))
    notes = (1010, 74, 1264, 420)
    shadow(image, notes, radius=10)
    box(image, notes, "#fff6d6", radius=10)
    for row, words in enumerate(("paper", "order ink", "post office", "call bank", "new chairs")):
        text(image, (1254, 104 + 26 * row), words, size=12, fill="#6d5f2a", anchor="r")
    shadow(image, WINDOW, radius=12, spread=24, opacity=0.5)
    box(image, WINDOW, "#ffffff", radius=12)
    box(image, (28, 18, 1196, 66), "#e9ecf2", radius=12)
    box(image, (28, 54, 1196, 66), "#ffffff")
    box(image, (28, 54, 208, 678), SOFT, radius=12)
    box(image, (28, 54, 208, 70), SOFT)
    box(image, (196, 70, 208, 678), SOFT)
    box(image, (208, 54, 209, 678), LINE)
    box(image, (28, 53, 1196, 54), LINE)
    for index, colour in enumerate(("#ff5f57", "#febc2e", "#28c840")):
        box(image, (44 + 20 * index, 30, 56 + 20 * index, 42), colour, radius=6)
    for place, words in ((124, "File"), (164, "Edit"), (206, "View"), (252, "Help")):
        text(image, (place, 36), words, size=13, fill="#3c4250")
    text(image, (612, 36), "Paperlane", size=13, weight=600, fill="#3c4250", anchor="m")
    box(image, (48, 74, 76, 102), ACCENT, radius=8)
    lines(image, [(56, 94), (56, 82), (65, 82), (68, 86), (65, 90), (57, 90)], "#ffffff", width=2.2)
    text(image, (86, 88), "Paperlane", size=17, weight=700)
    for row, words in enumerate(("Home", "Invoices", "Customers", "Products", "Reports", "Settings")):
        top, active = 126 + 40 * row, words == "Invoices"
        if active:
            box(image, (40, top, 196, top + 34), "#dde4ff", radius=8)
        colour = ACCENT_DARK if active else "#4b5260"
        _icon(image, 54, top + 9, words, colour)
        text(image, (80, top + 17), words, weight=600 if active else 400, fill=colour)
    box(image, (44, 626, 72, 654), "#f08c00", radius=14)
    text(image, (58, 640), "BO", size=11, weight=700, fill="#ffffff", anchor="m")
    text(image, (82, 640), "Back office", size=13, fill="#4b5260")
    return image


def _icon(image: Image.Image, x: int, y: int, kind: str, colour: str) -> None:
    """A small line drawing of 16 by 16 pixels."""
    strokes: dict[str, list[list[tuple[int, int]]]] = {
        "Home": [[(1, 8), (8, 2), (15, 8)], [(3, 7), (3, 14), (13, 14), (13, 7)]],
        "Invoices": [[(3, 1), (13, 1), (13, 15), (3, 15), (3, 1)], [(6, 5), (10, 5)], [(6, 9), (10, 9)]],
        "Customers": [[(5, 5), (8, 2), (11, 5), (8, 8), (5, 5)], [(2, 15), (4, 11), (12, 11), (14, 15)]],
        "Products": [[(2, 5), (8, 2), (14, 5), (14, 12), (8, 15), (2, 12), (2, 5), (8, 8), (14, 5)]],
        "Reports": [[(3, 14), (3, 9)], [(8, 14), (8, 3)], [(13, 14), (13, 6)]],
        "Settings": [[(1, 4), (15, 4)], [(1, 12), (15, 12)], [(5, 2), (5, 6)], [(11, 10), (11, 14)]],
    }
    for stroke in strokes[kind]:
        lines(image, [(x + px, y + py) for px, py in stroke], colour)


def status_bar(image: Image.Image, frame: int, *, fps: int) -> None:
    """The recorder's bar at the bottom: a blinking light, a clock, and the frame counter."""
    box(image, (0, 696, 1280, 720), "#15181f")
    lit = frame % fps < fps * 0.6
    box(image, (16, 703, 26, 713), "#ff4d4f" if lit else "#7a2a2e", radius=5)
    words = f"Recording   ·   1280 × 720   ·   {fps} fps   ·   Microphone on"
    text(image, (34, 708), words, size=12, fill="#aeb4c0")
    tenths = frame * 10 // fps
    clock = f"{tenths // 600}:{tenths // 10 % 60:02}.{tenths % 10}"
    text(image, (STRIP[0] - 14, 708), clock, size=13, weight=600, fill="#e9ecf2", anchor="r")
    for index, light in enumerate(cells_for(frame)):
        left = STRIP[0] + CELL[0] * index
        image.paste("#f4f6fa" if light else "#07080b", (left, STRIP[1], left + CELL[0], STRIP[1] + CELL[1]))
