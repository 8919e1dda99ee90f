"""A virtual screen, and a hand that moves its pointer and types on its keyboard."""

from __future__ import annotations

import ctypes
import math
import os
import random
import subprocess
import time
from collections.abc import Callable
from types import TracebackType

KEYS = {"\b": 0xFF08, "\t": 0xFF09, "\n": 0xFF0D, "\x1b": 0xFF1B}
SHIFT = 0xFFE1
POINTER_HZ = 90


class Display:
    """An X server without a monitor, with a window manager. `width` and `height` are pixels."""

    def __init__(self, number: int, width: int, height: int) -> None:
        self.name, self.width, self.height = f":{number}", width, height
        self._running: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Display:
        os.environ |= {"DISPLAY": self.name, "XCURSOR_THEME": "Adwaita", "XCURSOR_SIZE": "24"}
        self.run("Xvfb", self.name, "-screen", "0", f"{self.width}x{self.height}x24", "-nolisten", "tcp")
        self._wait_until_open()
        self.run("openbox")
        self.run("xsetroot", "-cursor_name", "left_ptr")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in reversed(self._running):
            process.terminate()
            process.wait(10)

    def run(self, *command: str) -> None:
        """Start a program that ends with the screen."""
        self._running.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

    def _wait_until_open(self) -> None:
        for _ in range(100):
            if subprocess.run(["xset", "q"], capture_output=True).returncode == 0:
                return
            time.sleep(0.1)
        raise RuntimeError(f"the screen {self.name} does not open")


class Hand:
    """A hand on mouse and keyboard, through XTest. The same seed makes the same moves."""

    def __init__(self, display: Display, seed: str) -> None:
        self._x, self._test = ctypes.CDLL("libX11.so.6"), ctypes.CDLL("libXtst.so.6")
        self._x.XOpenDisplay.restype = ctypes.c_void_p
        self._x.XKeysymToKeycode.restype = ctypes.c_ubyte
        self._x.XkbKeycodeToKeysym.restype = ctypes.c_ulong
        self._display = ctypes.c_void_p(self._x.XOpenDisplay(display.name.encode()))
        self._random = random.Random(seed)
        self.at = (display.width * 0.55, display.height * 0.6)
        self._place(*self.at)

    def pause(self, shortest: float = 0.5, longest: float = 1.1) -> None:
        time.sleep(self._random.uniform(shortest, longest))

    def move(self, x: float, y: float) -> None:
        """Move the pointer along a slight curve, first faster and then slower, in 0.4 to 0.9 seconds."""
        from_x, from_y = self.at
        distance = math.hypot(x - from_x, y - from_y)
        seconds = min(0.9, 0.4 + distance / 2200)
        bend = self._random.uniform(-0.14, 0.14)
        across = (-(y - from_y) * bend, (x - from_x) * bend)
        begin = time.monotonic()
        while (share := (time.monotonic() - begin) / seconds) < 1:
            eased = share**3 * (10 - 15 * share + 6 * share**2)  # least jerk: Flash and Hogan, 1985
            swing = math.sin(math.pi * eased)
            self._place(
                from_x + (x - from_x) * eased + across[0] * swing,
                from_y + (y - from_y) * eased + across[1] * swing,
            )
            time.sleep(1 / POINTER_HZ)
        self._place(x, y)
        self.at = (x, y)

    def aim(self, box: tuple[float, float, float, float]) -> None:
        """Move into a box (x, y, width, height in pixels): near its middle, in a wide one more to the left."""
        x, y, width, height = box
        reach = min(width, 160)
        self.move(x + reach * self._random.uniform(0.35, 0.65), y + height * self._random.uniform(0.4, 0.62))

    def click(self, while_down: Callable[[], None] = lambda: None) -> float:
        """Press, do something meanwhile, and let go. Return when the button went down (time.time())."""
        self._button(1, True)
        at = time.time()
        until = at + self._random.uniform(0.07, 0.11)
        while time.time() < until:
            while_down()
            time.sleep(0.005)
        self._button(1, False)
        return at

    def turn_wheel(self, notches: int) -> tuple[float, float]:
        """Turn the wheel, down if positive. Return when it began and ended."""
        begin = time.time()
        for _ in range(abs(notches)):
            self._button(5 if notches > 0 else 4, True)
            self._button(5 if notches > 0 else 4, False)
            end = time.time()
            time.sleep(self._random.uniform(0.11, 0.2))
        return begin, end

    def type(self, text: str) -> tuple[float, float]:
        """Type letter by letter; a backspace in it takes back the letter before. Return when it began and ended."""
        begin = time.time()
        for letter in text:
            self._key(letter)
            end = time.time()
            self.pause(0.06, 0.16)
        return begin, end

    def _key(self, letter: str) -> None:
        symbol = KEYS.get(letter, ord(letter))
        code = self._x.XKeysymToKeycode(self._display, ctypes.c_ulong(symbol))
        shifted = self._x.XkbKeycodeToKeysym(self._display, code, 0, 0) != symbol
        shift = self._x.XKeysymToKeycode(self._display, ctypes.c_ulong(SHIFT))
        for pressed in (True, False):
            if shifted and pressed:
                self._test.XTestFakeKeyEvent(self._display, shift, True, ctypes.c_ulong(0))
            self._test.XTestFakeKeyEvent(self._display, code, pressed, ctypes.c_ulong(0))
            if shifted and not pressed:
                self._test.XTestFakeKeyEvent(self._display, shift, False, ctypes.c_ulong(0))
            self._x.XFlush(self._display)
            time.sleep(0.02 if pressed else 0)

    def _button(self, button: int, pressed: bool) -> None:
        self._test.XTestFakeButtonEvent(self._display, button, pressed, ctypes.c_ulong(0))
        self._x.XFlush(self._display)

    def _place(self, x: float, y: float) -> None:
        self._test.XTestFakeMotionEvent(self._display, -1, round(x), round(y), ctypes.c_ulong(0))
        self._x.XFlush(self._display)
