"""Pairs of screens, before and after, with the rectangles (pixels of the picture after) that differ between them.

They were written down before the comparison was. Its thresholds were chosen by them and by frames of the recordings in
tests/guides.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

SIZE = (1920, 1080)
Box = tuple[int, int, int, int]  # left, top, right, bottom
ROWS = (
    *("Northwind Traders", "Alpine Ski House", "Contoso", "Fabrikam", "Litware", "Proseware", "Tailspin"),
    *("Wide World Importers", "Adventure Works", "Coho Winery", "Fourth Coffee", "Lucerne Publishing"),
)
LIST: Box = (24, 130, 520, 1040)
LIST_WORDS: Box = (60, 146, 280, 1020)
BUTTON: Box = (1640, 960, 1800, 1010)
LABEL: Box = (1706, 978, 1752, 1000)
FIELD: Box = (760, 302, 1400, 342)
DIALOG = (620, 360)


@dataclass(frozen=True)
class Pair:
    """`differs` are the rectangles that have changed for a person, in pixels of the picture after."""

    before: Image.Image
    after: Image.Image
    differs: tuple[Box, ...] = ()


def screen(
    *,
    button: str = "#4F46E5",
    label: str = "Save",
    scrolled: int = 0,
    typed: str = "Northwind Traders",
    pointer: tuple[int, int] | None = (900, 700),
    caret: bool = False,
    dialog: tuple[int, int] | None = None,
    menu: bool = False,
) -> Image.Image:
    """Return a window with a list, a form and a button."""
    image = Image.new("RGB", SIZE, "#F6F7F9")
    pen = ImageDraw.Draw(image)
    small, normal = ImageFont.load_default(18), ImageFont.load_default(22)
    pen.rectangle((0, 0, SIZE[0], 56), fill="#1F2937")
    for place, word in enumerate(("File", "Edit", "Customers", "Invoices", "Reports", "Help")):
        pen.text((30 + 150 * place, 16), word, font=normal, fill="white")
    pen.rectangle(LIST, fill="white", outline="#D1D5DB")
    for place in range(19):
        name = ROWS[(place + scrolled) % len(ROWS)]
        pen.text((44, 146 + 47 * place), f"{1000 + place + scrolled}  {name}", font=small, fill="#111827")
        pen.line((24, 180 + 47 * place, 520, 180 + 47 * place), fill="#E5E7EB")
    pen.text((560, 140), "Invoice 2041", font=ImageFont.load_default(40), fill="#111827")
    for place, (name, value) in enumerate((("Customer", typed), ("Due", "14 days"), ("Currency", "EUR"))):
        top = 302 + 80 * place
        pen.text((560, top + 9), name, font=normal, fill="#374151")
        pen.rectangle((760, top, 1400, top + 40), fill="white", outline="#9CA3AF")
        pen.text((774, top + 9), value, font=small, fill="#111827")
    for place in range(9):
        pen.text(
            (560, 580 + 34 * place),
            f"{place + 1}.  Consulting, hour {place + 3}    120.00",
            font=small,
            fill="#4B5563",
        )
    pen.rounded_rectangle(BUTTON, 8, fill=button)
    pen.text((1694, 974), label, font=normal, fill="white")
    if menu:
        pen.rectangle((480, 56, 760, 296), fill="white", outline="#9CA3AF")
        for place, word in enumerate(("New", "Duplicate", "Print", "Send", "Archive")):
            pen.text((500, 70 + 44 * place), word, font=normal, fill="#111827")
    if dialog:
        _dialog(pen, dialog)
    if caret:
        pen.rectangle((960, 308, 961, 336), fill="black")
    if pointer:
        x, y = pointer
        pen.polygon([(x, y), (x, y + 18), (x + 5, y + 14), (x + 12, y + 13)], fill="black", outline="white")
    return image


def _dialog(pen: ImageDraw.ImageDraw, at: tuple[int, int]) -> None:
    x, y = at
    pen.rectangle((x, y, x + 600, y + 260), fill="white", outline="#374151", width=2)
    pen.text((x + 30, y + 30), "Send this invoice now?", font=ImageFont.load_default(26), fill="#111827")
    pen.rectangle((x + 420, y + 190, x + 570, y + 235), fill="#16A34A")
    pen.text((x + 450, y + 200), "Send", font=ImageFont.load_default(22), fill="white")


def as_jpeg(image: Image.Image, quality: int = 60) -> Image.Image:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return Image.open(io.BytesIO(out.getvalue())).convert("RGB")


def shifted(image: Image.Image, x: int, y: int) -> Image.Image:
    """Return the screen moved, with what is at its edge repeated."""
    moved = image.copy()
    moved.paste(image, (x, y))
    return moved


def _dialog_box(at: tuple[int, int]) -> Box:
    return at[0], at[1], at[0] + 600, at[1] + 260


PAIRS: dict[str, Callable[[], Pair]] = {
    "nothing": lambda: Pair(screen(), screen()),
    "quality": lambda: Pair(screen(), as_jpeg(screen())),
    "poor quality": lambda: Pair(screen(), as_jpeg(screen(), 15)),
    "scaled": lambda: Pair(screen().resize((1280, 720), Image.Resampling.LANCZOS), screen()),
    "shifted": lambda: Pair(screen(), shifted(screen(), 1, 2)),
    "pointer": lambda: Pair(screen(), screen(pointer=(1100, 240))),
    "caret": lambda: Pair(screen(), screen(caret=True)),
    "recoloured": lambda: Pair(screen(), screen(button="#DC2626"), (BUTTON,)),
    "label": lambda: Pair(screen(), screen(label="Send"), (LABEL,)),
    "moved": lambda: Pair(
        screen(dialog=DIALOG),
        screen(dialog=(1000, 600)),
        (_dialog_box(DIALOG), _dialog_box((1000, 600))),
    ),
    "scrolled": lambda: Pair(screen(), screen(scrolled=5), (LIST_WORDS,)),
    "typed": lambda: Pair(screen(), screen(typed="Contoso"), ((774, 310, 930, 334),)),
    "menu": lambda: Pair(screen(), screen(menu=True), ((480, 56, 760, 296),)),
    "label in quality": lambda: Pair(screen(), as_jpeg(screen(label="Send", pointer=(300, 800))), (LABEL,)),
    "label shifted": lambda: Pair(screen(), shifted(screen(label="Send"), 1, 1), (LABEL,)),
    "label scaled": lambda: Pair(
        screen(),
        screen(label="Send").resize((1280, 720), Image.Resampling.LANCZOS),
        tuple((box[0] * 2 // 3, box[1] * 2 // 3, box[2] * 2 // 3, box[3] * 2 // 3) for box in (LABEL,)),
    ),
}
