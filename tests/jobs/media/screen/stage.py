"""A stage for recordings in tests: a page with controls, a pointer that moves over it, and what is done there.

Everything done takes time, in which frames are drawn; `Stage.times_ms` says when what was done.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from tests.anchors.videos import write_video
from tests.jobs.media.screen.lettering import font

Draw = Callable[[ImageDraw.ImageDraw], None]
Rect = tuple[int, int, int, int]
ARROW = ((0, 0), (0, 16), (4, 12), (7, 18), (9, 17), (6, 11), (11, 11))


class Stage:
    def __init__(
        self,
        *,
        size: tuple[int, int] = (800, 480),
        fps: int = 15,
        is_dark: bool = False,
        has_pointer: bool = True,
    ) -> None:
        self.size, self.fps, self.has_pointer = size, fps, has_pointer
        self.paper, self.ink, self.face = (
            ("#181a20", "#e8e8ee", "#30343f") if is_dark else ("#ffffff", "#202020", "#e4e7ec")
        )
        self.frames: list[Image.Image] = []
        self.times_ms: dict[str, int] = {}
        self.parts: dict[str, Draw] = {}
        self.at = (size[0] - 60, size[1] - 40)
        self.moving: Callable[[int], Draw] | None = None
        self.pointer_scale = 1

    @property
    def now_ms(self) -> int:
        return len(self.frames) * 1000 // self.fps

    def text(self, name: str, at: tuple[int, int], text: str, *, size: int = 15) -> None:
        self.parts[name] = lambda draw: draw.text(at, text, fill=self.ink, font=font(size))

    def button(self, name: str, rect: Rect, text: str, *, face: str | None = None) -> None:
        def draw_button(draw: ImageDraw.ImageDraw) -> None:
            draw.rounded_rectangle(rect, 5, fill=face or self.face, outline="#8a8f9c")
            place = (rect[0] + rect[2]) / 2, (rect[1] + rect[3]) / 2
            draw.text(place, text, fill=self.ink, font=font(15), anchor="mm")

        self.parts[name] = draw_button

    def hovered(self, name: str, rect: Rect, text: str) -> None:
        """A button that looks another way while the pointer is over it."""

        def draw_hovered(draw: ImageDraw.ImageDraw) -> None:
            is_over = rect[0] <= self.at[0] < rect[2] and rect[1] <= self.at[1] < rect[3]
            self.button(f"{name} itself", rect, text, face="#a9c4f5" if is_over else None)
            self.parts.pop(f"{name} itself")(draw)

        self.parts[name] = draw_hovered

    def field(
        self, name: str, rect: Rect, text: str = "", *, is_focused: bool = False, has_caret: bool = False
    ) -> None:
        def draw_field(draw: ImageDraw.ImageDraw) -> None:
            draw.rectangle(
                rect, fill=self.paper, outline="#4a7bd0" if is_focused else "#8a8f9c", width=1 + is_focused
            )
            draw.text((rect[0] + 8, rect[1] + 5), text, fill=self.ink, font=font(15))
            if has_caret:
                x = rect[0] + 9 + round(font(15).getlength(text))
                draw.line((x, rect[1] + 6, x, rect[3] - 6), fill=self.ink)

        self.parts[name] = draw_field

    def window(self, name: str, rect: Rect, title: str) -> None:
        def draw_window(draw: ImageDraw.ImageDraw) -> None:
            draw.rectangle(rect, fill=self.face, outline="#60646e", width=2)
            draw.text((rect[0] + 20, rect[1] + 16), title, fill=self.ink, font=font(22))
            draw.text((rect[0] + 20, rect[1] + 66), "This cannot be undone.", fill=self.ink, font=font(14))

        self.parts[name] = draw_window

    def wait(self, seconds: float) -> None:
        for _ in range(max(1, round(seconds * self.fps))):
            self.frames.append(self._picture())

    def move(self, x: int, y: int, seconds: float = 0.6) -> None:
        steps, (left, top) = max(2, round(seconds * self.fps)), self.at
        for step in range(1, steps + 1):
            share = step / steps
            share = share * share * (3 - 2 * share)
            self.at = round(left + (x - left) * share), round(top + (y - top) * share)
            self.frames.append(self._picture())

    def mark(self, name: str) -> None:
        self.times_ms[name] = self.now_ms

    def press(self, name: str, change: Callable[[], None]) -> None:
        """Rest a moment, and do something that changes the page."""
        self.wait(0.6)
        self.mark(name)
        change()
        self.wait(1)

    def type(
        self, name: str, rect: Rect, text: str, *, shown: str | None = None, each_s: float = 0.15
    ) -> None:
        """Type a text into a field, letter by letter; `shown` is what it shows of each letter instead."""
        self.mark(f"{name} typed")
        for count in range(1, len(text) + 1):
            letters = text[:count] if shown is None else shown * count
            self.field(name, rect, letters, is_focused=True, has_caret=True)
            self.wait(each_s)
        for blink in range(4):
            letters = text if shown is None else shown * len(text)
            self.field(name, rect, letters, is_focused=True, has_caret=bool(blink % 2))
            self.wait(0.5)

    def record(self, path: Path, **options: Any) -> Path:
        pictures = [np.asarray(image) for image in self.frames]
        pts = [number * 1000 // self.fps for number in range(len(pictures))]
        options = {"options": {"preset": "veryfast", "g": "150", "crf": "20"}, "pix_fmt": "yuv420p"} | options
        return write_video(path, pictures=pictures, pts=pts, **options)

    def _picture(self) -> Image.Image:
        image = Image.new("RGB", self.size, self.paper)
        draw = ImageDraw.Draw(image)
        for part in list(self.parts.values()):
            part(draw)
        if self.moving:
            self.moving(len(self.frames))(draw)
        if self.has_pointer:
            corners = [
                (self.at[0] + x * self.pointer_scale, self.at[1] + y * self.pointer_scale) for x, y in ARROW
            ]
            draw.polygon(corners, fill="black", outline="white")
        return image
