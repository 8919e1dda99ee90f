"""Drawn screens with people and numbers that are invented, and where on them something should be hidden.

Every layout is drawn five times. Half of the screens are set apart (`is_apart`): rules are made and tuned by the
others, and these only say how well they do on what they were not made for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from random import Random

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from tests.anchors.sensitive import values

WIDTH, HEIGHT = 1280, 720
_FONTS = {
    "sans": ("manimgx_fonts", "NotoSans[wght].ttf"),
    "italic": ("manimgx_fonts", "NotoSans-Italic[wght].ttf"),
    "cjk": ("manimgx_fonts_cjk", "NotoSansCJK-VF.otf.ttc"),
    "mono": ("fontpkg_jetbrains_mono", "files/JetBrainsMono[wght].ttf"),
}
_THEMES = [
    ("#ffffff", "#202124", "#5f6368"),
    ("#f4f5f7", "#172b4d", "#44546f"),
    ("#1e1e1e", "#e4e4e4", "#a0a0a0"),
]


@dataclass(frozen=True)
class Truth:
    """What should be hidden: left, top, right and bottom of its letters in pixels."""

    kind: str
    text: str
    box: tuple[int, int, int, int]


@cache
def font(family: str, size: int) -> ImageFont.FreeTypeFont:
    package, name = _FONTS[family]
    return ImageFont.truetype(str(files(package).joinpath(name)), size)


@dataclass
class Screen:
    """One that is being drawn."""

    name: str
    seed: int
    is_apart: bool
    truths: list[Truth] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        self.half = int(self.is_apart)
        self.size = self.random.randint(11, 18)
        self.family = self.random.choice(["sans", "sans", "cjk"])
        self.paper, self.ink, self.faint = _THEMES[self.seed % 3]
        self.image = Image.new("RGB", (WIDTH, HEIGHT), self.paper)
        self.draw = ImageDraw.Draw(self.image)
        self.step = round(self.size * 2.4)

    @property
    def picture(self) -> NDArray[np.uint8]:
        return np.asarray(self.image)

    def write(
        self, x: int, y: int, text: str, kind: str = "", *, part: str = "", family: str = "", ink: str = ""
    ) -> int:
        """Write a line, of which all, or a part, is of a kind that should be hidden; return where it ends."""
        letters = font(family or self.family, self.size)
        self.draw.text((x, y), text, fill=ink or self.ink, font=letters)
        if kind:
            before = text[: text.index(part)] if part else ""
            left, top, right, bottom = self.draw.textbbox((x, y), part or text, font=letters)
            shift = round(self.draw.textlength(before, font=letters))
            box = round(left) + shift, round(top), round(right) + shift, round(bottom)
            self.truths.append(Truth(kind, part or text, box))
        return x + round(self.draw.textlength(text, font=letters))

    def avatar(self, x: int, y: int, side: int, name: str) -> None:
        """A picture of a person: a face in a circle or a rounded square, or initials in a circle."""
        colour = tuple(self.random.randint(60, 200) for _ in range(3))
        box = (x, y, x + side, y + side)
        form = self.random.choice(["initials", "face", "square"])
        if form == "square":
            self.draw.rounded_rectangle(box, side // 6, fill=colour)
        else:
            self.draw.ellipse(box, fill=colour)
        if form == "initials":
            initials = "".join(word[0] for word in name.split())
            self.draw.text(
                (x + side / 2, y + side / 2), initials, "white", font(self.family, round(side * 0.4)), "mm"
            )
            return
        skin = (224, 180, 150)
        self.draw.ellipse((x + side * 0.3, y + side * 0.2, x + side * 0.7, y + side * 0.6), fill=skin)
        self.draw.pieslice(
            (x + side * 0.15, y + side * 0.62, x + side * 0.85, y + side * 1.3), 180, 360, fill="#345"
        )

    def value(self, kind: str) -> str:
        makers: dict[str, Callable[[], str]] = {
            "email": lambda: values.email(self.random, values.person(self.random)),
            "phone": lambda: values.phone(self.random, self.half),
            "card": lambda: values.card(self.random),
            "token": lambda: values.token(self.random, self.half),
        }
        return makers[kind]()


def _table(screen: Screen) -> None:
    screen.write(40, 30, "Customers", ink=screen.faint)
    columns = [40, 260, 560, 800, 1020]
    for x, head in zip(columns, ["Name", "Email", "Phone", "Since", "Total"], strict=True):
        screen.write(x, 80, head, ink=screen.faint)
    for row in range(9):
        y, name = 80 + (row + 1) * screen.step, values.person(screen.random)
        screen.draw.line((40, y - 6, 1240, y - 6), fill=screen.faint)
        screen.write(columns[0], y, name)
        screen.write(columns[1], y, values.email(screen.random, name), "email")
        screen.write(columns[2], y, screen.value("phone"), "phone")
        screen.write(columns[3], y, values.harmless(screen.random))
        screen.write(columns[4], y, f"{screen.random.randint(10, 999)}.00")


def _form(screen: Screen) -> None:
    kinds = ["email", "phone", "card", "", "token", ""]
    labels = ["Email address", "Phone number", "Card number", "Reference", "API key", "Company"]
    for row, (label, kind) in enumerate(zip(labels, kinds, strict=True)):
        y = 60 + row * (screen.step + 45)
        screen.write(80, y, label, ink=screen.faint)
        box = (80, y + screen.step - 6, 760, y + 2 * screen.step)
        screen.draw.rounded_rectangle(box, 5, outline=screen.faint)
        text = screen.value(kind) if kind else values.harmless(screen.random)
        screen.write(92, y + screen.step, text, kind)
    screen.draw.rounded_rectangle((80, 660, 200, 700), 6, fill="#2563eb")
    screen.write(96, 668, "Save changes", ink="white")


def _chat(screen: Screen) -> None:
    for row in range(6):
        y, name = 40 + row * 105, values.person(screen.random)
        side = screen.random.choice([28, 36, 44])
        screen.avatar(60, y, side, name)
        end = screen.write(60 + side + 14, y, name, "name")
        screen.write(end + 16, y, "10:4" + str(row), ink=screen.faint)
        kind = screen.random.choice(["email", "phone", ""])
        part = screen.value(kind) if kind else values.harmless(screen.random)
        said = screen.random.choice(["Please write to {} about it", "I can be had at {}", "Here it is: {}"])
        screen.write(60 + side + 14, y + screen.step, said.format(part), kind, part=part if kind else "")


def _tokens(screen: Screen) -> None:
    screen.write(60, 40, "Personal access tokens")
    for row in range(7):
        y = 100 + row * (screen.step + 30)
        screen.write(60, y, screen.random.choice(["Deploy", "Laptop", "Nightly build", "Backup"]))
        kind = "token" if row % 3 != 2 else ""
        text = screen.value("token") if kind else f"{screen.random.getrandbits(160):040x}"[:7] + " main"
        screen.write(330, y, text, kind, family="mono")
        screen.write(1000, y, values.harmless(screen.random), ink=screen.faint)


def _terminal(screen: Screen) -> None:
    screen.family = "mono"
    for row in range(14):
        y = 30 + row * round(screen.size * 1.9)
        kind = ["", "token", "", "", "email", ""][row % 6]
        part = screen.value(kind) if kind else values.harmless(screen.random)
        line = {"token": "$ export API_TOKEN={}", "email": "Author: dev <{}>"}.get(kind, "> {}").format(part)
        screen.write(30, y, line, kind, part=part if kind else "")


def _payment(screen: Screen) -> None:
    screen.write(60, 40, "Payment methods")
    for row in range(7):
        y = 100 + row * (screen.step + 36)
        screen.draw.rounded_rectangle((50, y - 12, 900, y + screen.step), 8, outline=screen.faint)
        kind = "card" if row % 2 == 0 else ""
        part = screen.value("card") if kind else values.harmless(screen.random)
        screen.write(70, y, f"Visa {part}" if row == 4 else part, kind, part=part if kind else "")
        screen.write(620, y, f"Expires {screen.random.randint(1, 12):02d}/29", ink=screen.faint)


def _people(screen: Screen) -> None:
    for row in range(8):
        x, y, name = 60 + row % 2 * 600, 60 + row // 2 * 140, values.person(screen.random)
        side = screen.random.choice([40, 48, 56])
        screen.avatar(x, y, side, name)
        screen.write(x + side + 16, y, name, "name")
        screen.write(
            x + side + 16, y + round(screen.size * 1.7), screen.value("email"), "email", ink=screen.faint
        )


def _header(screen: Screen) -> None:
    screen.draw.rectangle((0, 0, WIDTH, 56), fill="#24364b")
    screen.draw.rounded_rectangle((20, 14, 48, 42), 4, fill="#f59e0b")
    screen.write(60, 18, "Invoice Manager", ink="white")
    name = values.person(screen.random)
    screen.avatar(1010, 10, 36, name)
    screen.write(1056, 18, name, "name", ink="white")
    for row, word in enumerate(["Dashboard", "New Order", "Sales Report", "User Settings", "Price List"]):
        y = 90 + row * 48
        screen.draw.rounded_rectangle((24, y, 42, y + 18), 3, fill=screen.faint)
        screen.write(54, y, word)
    for row in range(10):
        y = 90 + row * screen.step
        for x in (320, 640, 940):
            screen.write(x, y, values.harmless(screen.random))
    mail = screen.value("email")
    screen.write(320, 640, f"Signed in as {mail}", "email", part=mail)


LAYOUTS: list[Callable[[Screen], None]] = [
    _table,
    _form,
    _chat,
    _tokens,
    _terminal,
    _payment,
    _people,
    _header,
]


def screens() -> Iterator[Screen]:
    """Draw all, one after another."""
    for number, layout in enumerate(LAYOUTS):
        for variant in range(5):
            seed = 100 * number + variant
            screen = Screen(f"{layout.__name__[1:]}-{variant}", seed, is_apart=(number + variant) % 2 == 1)
            layout(screen)
            yield screen
