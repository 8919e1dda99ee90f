"""Where two screens differ: what a person sees is found, and what nobody would call a change is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from anchors.render import ImageUnreadable
from exports.comparison.changes import WHOLE, Region
from exports.comparison.pictures import WORKING_SIDE, changed_regions, read_screen
from exports.comparison.regions import MAX_REGIONS, Box, as_region, few
from tests.exports.compared_screens import BUTTON, PAIRS, Pair, screen
from tests.exports.compared_screens import Box as Pixels
from tests.exports.documents import encoded

SAME = [name for name, make in PAIRS.items() if not make().differs]
DIFFERENT = [name for name in PAIRS if name not in SAME]
MARGIN = 16  # pixels that a region may be larger on each side


def found(pair: Pair) -> list[Region]:
    before, after = (read_screen(encoded(image, compress_level=1)) for image in (pair.before, pair.after))
    return changed_regions(before, after)


def mask(boxes: list[Pixels], size: tuple[int, int], margin: int = 0) -> np.ndarray[Any, Any]:
    covered = np.zeros((size[1], size[0]), bool)
    for left, top, right, bottom in boxes:
        covered[max(0, top - margin) : bottom + margin, max(0, left - margin) : right + margin] = True
    return covered


def in_pixels(region: Region, size: tuple[int, int]) -> Pixels:
    width, height = size
    left, top = round(region.x * width), round(region.y * height)
    return left, top, left + round(region.width * width), top + round(region.height * height)


@pytest.mark.parametrize("name", SAME)
def test_what_no_person_sees_is_no_change(name: str) -> None:
    assert found(PAIRS[name]()) == []


@pytest.mark.parametrize("name", DIFFERENT)
def test_what_differs_is_found_where_it_is(name: str) -> None:
    pair = PAIRS[name]()
    size = pair.after.size
    boxes = [in_pixels(region, size) for region in found(pair)]
    for true in pair.differs:
        assert (mask(boxes, size) & mask([true], size)).sum() >= 0.5 * mask([true], size).sum()
    around = Box(*pair.differs[0])
    for true in pair.differs[1:]:
        around = around.joined(Box(*true))
    assert not (mask(boxes, size) & ~mask([around], size, MARGIN)).any()


def test_the_order_of_the_two_does_not_matter_for_whether() -> None:
    pair = PAIRS["label"]()
    assert found(Pair(pair.after, pair.before))


def test_a_part_that_stands_two_pixels_elsewhere_is_no_change() -> None:
    after = screen()
    form = screen().crop((560, 280, 1420, 560))
    after.paste(form, (562, 281))
    assert found(Pair(screen(), after)) == []
    after.paste(form, (590, 281))
    assert found(Pair(screen(), after))


def test_a_faint_flat_change_counts_from_twenty_levels_on() -> None:
    def flat(level: int) -> Image.Image:
        image = screen()
        ImageDraw.Draw(image).rectangle(BUTTON, fill=(level, level, level))
        return image

    assert found(Pair(flat(200), flat(230)))
    assert found(Pair(flat(200), flat(206))) == []


def test_pictures_of_another_shape_have_changed_as_a_whole() -> None:
    assert found(Pair(screen(), screen().crop((0, 0, 1920, 900)))) == [WHOLE]
    assert found(Pair(screen(), screen().resize((1919, 1080)))) == []


def test_regions_lie_inside_of_the_picture() -> None:
    after = screen()
    pen = ImageDraw.Draw(after)
    for box in ((0, 0, 200, 40), (1700, 1050, 1919, 1079)):
        pen.rectangle(box, fill="#DC2626")
    regions = found(Pair(screen(), after))
    assert len(regions) == 2
    for x, y, width, height in regions:
        assert 0 <= x < x + width <= 1 and 0 <= y < y + height <= 1


def test_many_changes_become_few_regions_that_do_not_touch() -> None:
    spots = [Box(80 * n, 60 * (n % 7), 80 * n + 40, 60 * (n % 7) + 30) for n in range(20)]
    regions = few(spots)
    assert 1 < len(regions) <= MAX_REGIONS
    assert not any(one.touches(other) for one in regions for other in regions if one is not other)
    for spot in spots:
        assert any(region.joined(spot) == region for region in regions)
    assert few([]) == [] and few(spots[:3]) == sorted(spots[:3], key=lambda box: (box.top, box.left))


def test_shares_are_rounded_and_end_at_the_edge() -> None:
    assert as_region(Box(1, 1, 3, 3), (3, 3)) == (0.3333, 0.3333, 0.6667, 0.6667)


def test_a_clear_picture_is_laid_on_white_and_a_large_one_made_smaller() -> None:
    clear = Image.new("RGBA", (40, 30), (0, 0, 0, 0))
    assert (
        changed_regions(
            read_screen(encoded(clear)), read_screen(encoded(Image.new("RGB", (40, 30), "white")))
        )
        == []
    )
    assert read_screen(encoded(Image.new("RGB", (3840, 2160)))).shape == (1080, WORKING_SIDE, 3)


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (13, 5000)])
def test_the_smallest_and_narrowest_pictures_are_compared(size: tuple[int, int]) -> None:
    black, white = (read_screen(encoded(Image.new("RGB", size, colour))) for colour in ("black", "white"))
    assert changed_regions(black, black) == []
    assert all(0 < region.width <= 1 and 0 < region.height <= 1 for region in changed_regions(black, white))


@pytest.mark.parametrize("content", [b"", b"GIF89a", encoded(screen())[:9000]])
def test_what_is_no_whole_picture_is_refused(content: bytes) -> None:
    with pytest.raises(ImageUnreadable):
        read_screen(content)
