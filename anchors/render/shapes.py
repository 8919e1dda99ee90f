"""Draw arrows, markers, pencil strokes and boxes."""

from __future__ import annotations

from itertools import pairwise
from math import hypot
from typing import Any

from PIL import Image, ImageChops, ImageColor, ImageStat

from anchors.render.canvas import Box, Ink, Panel, Part, Point, Polygon, Segment, flat, paint

HALO = "#FFFFFF"

# An arrow's measures as multiples of its thickness, and the largest share of its length that its head takes. An
# arrow shorter than `_SHORTEST` begins further back.
_HEAD_LENGTH, _HEAD_HALF_WIDTH, _HEAD_NOTCH = 4.6, 2.3, 0.8
_HEAD_SHARE = 0.62
_HEAD_ROUNDING = 0.22
_HALO_WIDTH = 0.25
_SHORTEST = 3

# Below this mean brightness (of 255) a highlighter that darkens would not be visible, and it lightens instead.
_DARK = 96


def draw_arrow(image: Image.Image, geometry: dict[str, Any], style: dict[str, Any]) -> None:
    """Draw an arrow whose tip is at `to`, with a light halo that separates it from any background."""
    start, tip = _point(image, geometry["from"]), _point(image, geometry["to"])
    thickness = _length(image, style["thickness"])
    halo = max(1.0, thickness * _HALO_WIDTH)
    paint(image, _arrow(start, tip, thickness, grown=halo), flat(HALO, 0.9))
    paint(image, _arrow(start, tip, thickness, grown=0), flat(style["color"]))


def draw_marker(image: Image.Image, geometry: dict[str, Any], style: dict[str, Any]) -> None:
    """Draw a highlighter. Text below stays readable, on dark pictures as well as on light ones."""
    parts: list[Part]
    if "points" in geometry:
        points = [_point(image, point) for point in geometry["points"]]
        parts = _stroke(points, _length(image, style["thickness"]) / 2)
    else:
        box = pixel_box(image, geometry)
        parts = [Panel(box, radius=min(3.0, (box[3] - box[1]) / 6))]
    paint(image, parts, _highlighter(image, parts, style["color"], style["opacity"]))


def draw_pencil(image: Image.Image, geometry: dict[str, Any], style: dict[str, Any]) -> None:
    """Draw a line through the points with round joins and ends."""
    points = [_point(image, point) for point in geometry["points"]]
    paint(image, _stroke(points, _length(image, style["thickness"]) / 2), flat(style["color"]))


def draw_box(image: Image.Image, geometry: dict[str, Any], style: dict[str, Any]) -> None:
    """Draw a frame along the rectangle, half of its line on either side, on whole pixels."""
    left, top, right, bottom = pixel_box(image, geometry)
    width = max(1, round(_length(image, style["thickness"])))
    out = width // 2
    outer = left - out, top - out, right + out, bottom + out
    radius = style["radius"] * max(image.size)
    paint(image, [Panel(outer, radius=radius + out if radius else 0, frame=width)], flat(style["color"]))


def pixel_box(image: Image.Image, rectangle: dict[str, float]) -> Box:
    """Return the rectangle on the nearest whole pixels of the picture, at least one pixel wide and high."""
    left = min(round(rectangle["x"] * image.width), image.width - 1)
    top = min(round(rectangle["y"] * image.height), image.height - 1)
    right = min(max(round((rectangle["x"] + rectangle["width"]) * image.width), left + 1), image.width)
    bottom = min(max(round((rectangle["y"] + rectangle["height"]) * image.height), top + 1), image.height)
    return left, top, right, bottom


def _point(image: Image.Image, point: dict[str, float]) -> Point:
    return point["x"] * image.width, point["y"] * image.height


def _length(image: Image.Image, share: float) -> float:
    return max(1.0, share * max(image.size))


def _stroke(points: list[Point], radius: float) -> list[Part]:
    return [Segment(start, end, radius) for start, end in pairwise(points)]


def _arrow(start: Point, tip: Point, thickness: float, *, grown: float) -> list[Part]:
    """Return shaft and head, `grown` pixels larger on every side. The head's barbs are swept back and rounded."""
    length = hypot(tip[0] - start[0], tip[1] - start[1])
    ahead_x, ahead_y = (tip[0] - start[0]) / length, (tip[1] - start[1]) / length
    if length < _SHORTEST * thickness:
        length = _SHORTEST * thickness
        start = tip[0] - ahead_x * length, tip[1] - ahead_y * length
    head = min(_HEAD_LENGTH * thickness, _HEAD_SHARE * length)
    scale = head / _HEAD_LENGTH
    rounding = _HEAD_ROUNDING * scale

    def at(back: float, aside: float) -> Point:
        return (
            tip[0] - ahead_x * back - ahead_y * aside,
            tip[1] - ahead_y * back + ahead_x * aside,
        )

    half_width = _HEAD_HALF_WIDTH * scale - rounding
    corners = (
        at(rounding, 0),
        at(head - rounding, half_width),
        at(head * _HEAD_NOTCH, 0),
        at(head - rounding, -half_width),
    )
    edges = _stroke([*corners, corners[0]], rounding + grown)
    shaft = Segment(start, at(head * 0.6, 0), min(thickness, scale) / 2 + grown)
    return [shaft, Polygon(corners), *edges]


def _highlighter(image: Image.Image, parts: list[Part], colour: str, opacity: float) -> Ink:
    """Return an ink that multiplies, as a real highlighter does, or that blends on a dark ground."""
    reaches = [part.reach() for part in parts]
    left, top = (max(0, int(min(reach[i] for reach in reaches))) for i in (0, 1))
    right, bottom = (int(max(reach[i] for reach in reaches)) + 1 for i in (2, 3))
    ground = image.crop(
        (left, top, min(max(right, left + 1), image.width), min(max(bottom, top + 1), image.height))
    )
    if ImageStat.Stat(ground.convert("L")).mean[0] < _DARK:
        return flat(colour, opacity)
    rgb = ImageColor.getrgb(colour)

    def lay(image: Image.Image, box: Box, mask: Image.Image) -> None:
        below = image.crop(box)
        inked = ImageChops.multiply(below, Image.new("RGB", below.size, rgb))
        image.paste(Image.blend(below, inked, opacity), box, mask)

    return lay
