"""What should be hidden in a recording, and when it is found to be on the screen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from anchors.sensitive import Found, Region, find_sensitive, fitting
from jobs.media.probe import UnreadableVideo
from tests.anchors.sensitive.pages import HEIGHT, MAIL, WIDTH, Picture, page
from tests.anchors.sensitive.screens import font
from tests.anchors.videos import write_video


def film(folder: Path, *shots: tuple[int, Picture]) -> list[Found]:
    """Search a video of shots, each of so many tenths of a second."""
    pictures = [picture for count, picture in shots for _ in range(count)]
    return find_sensitive(
        write_video(folder / "film.mp4", pts=range(0, 100 * len(pictures), 100), pictures=pictures)
    )


def test_what_is_there_from_start_to_end_is_one_finding(tmp_path: Path) -> None:
    (found,) = film(tmp_path, (30, page(MAIL)))
    assert (found.kind, found.start_ms) == ("email", 0)
    assert found.end_ms >= 2_900
    assert found.confidence > 0.8
    assert found.region.x * WIDTH < 200 and found.region.y * HEIGHT < 104
    assert (found.region.x + found.region.width) * WIDTH > 200 + font("sans", 14).getlength(MAIL[2])


def test_a_span_holds_all_of_the_time_in_which_it_is_shown(tmp_path: Path) -> None:
    (found,) = film(tmp_path, (20, page()), (20, page(MAIL)), (20, page()))
    assert 1_700 <= found.start_ms <= 2_000
    assert 3_900 <= found.end_ms <= 4_700


def test_a_pointer_that_passes_over_it_ends_nothing(tmp_path: Path) -> None:
    passing = [(2, page(MAIL, pointer=(200 + 10 * step, 100))) for step in range(8)]
    (found,) = film(tmp_path, (15, page(MAIL)), *passing, (15, page(MAIL)))
    assert (found.start_ms, found.end_ms >= 4_500) == (0, True)


def test_a_page_that_is_scrolled_is_hidden_on_the_way(tmp_path: Path) -> None:
    rows = [page((200, 300 - 20 * step, MAIL[2])) for step in range(11)]
    found = film(tmp_path, (15, rows[0]), *[(1, row) for row in rows[1:-1]], (15, rows[-1]))
    for tenth, y in [(5, 300), (20, 300 - 20 * 6), (30, 100)]:
        hidden = [each for each in found if each.start_ms <= tenth * 100 <= each.end_ms]
        assert any(_covers(each, y + 6) for each in hidden), tenth


def test_ways_of_several_are_not_put_together() -> None:
    from anchors.sensitive.reading import Sighting
    from anchors.sensitive.search import _merged, _Track

    ways = [
        _Track(Sighting("email", f"{at}@example.com", (0, at, 100, 300 + at), 0.9), at, 99, is_way=True)
        for at in range(3)
    ]
    assert len(_merged(ways)) == 3
    stays = [_Track(Sighting("email", "a@example.com", (0, 0, 100, 20), 0.9), at, at + 9) for at in (0, 90)]
    (one,) = _merged(stays)
    assert (one.start_ms, one.end_ms) == (0, 99)


def _covers(found: Found, y: int) -> bool:
    return found.region.y * HEIGHT <= y <= (found.region.y + found.region.height) * HEIGHT


def test_what_is_typed_is_found_once_it_is_there(tmp_path: Path) -> None:
    text = MAIL[2]
    typing = [(1, page((200, 100, text[:count]))) for count in range(1, len(text))]
    found = film(tmp_path, (10, page()), *typing, (20, page(MAIL)))
    at_end = [each for each in found if each.end_ms >= 5_000]
    assert at_end and min(each.start_ms for each in at_end) <= 3_300


def test_what_never_comes_to_rest_is_read_all_the_same(tmp_path: Path) -> None:
    flicker = [(2, page((200, 100, f"bo{count % 2}@example.com"))) for count in range(30)]
    found = film(tmp_path, (10, page()), *flicker)
    assert any(each.kind == "email" for each in found)


def test_a_video_of_another_size_from_some_time_on_is_read_anew() -> None:
    from anchors.sensitive.search import Search

    search = Search()
    search.add(0, page(MAIL))
    search.add(1_000, np.repeat(np.repeat(page(MAIL), 2, 0), 2, 1))
    search.add(2_000, np.repeat(np.repeat(page(MAIL), 2, 0), 2, 1))
    found = search.finish()
    assert [each.kind for each in found] == ["email", "email"]
    assert abs(found[0].region.x - found[1].region.x) < 0.02


def test_nothing_harmless_is_found(tmp_path: Path) -> None:
    assert film(tmp_path, (10, page((200, 100, "Order 10023"), (200, 140, "2026-11-26 12:30")))) == []


def test_a_file_without_pictures_is_unreadable(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"no video")
    with pytest.raises(UnreadableVideo):
        find_sensitive(path)


def test_progress_is_told_and_may_stop_the_work(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", pts=range(0, 6_000, 100), pictures=[page()] * 60)
    told: list[float] = []
    find_sensitive(path, on_progress=told.append)
    assert told == sorted(told) and told[-1] > 0.8

    def stop(_: float) -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        find_sensitive(path, on_progress=stop)


def test_what_is_more_than_may_be_is_put_together() -> None:
    found = [Found("email", 10 * at, 10 * at + 5, Region(0.1, at / 10, 0.2, 0.05), 0.9) for at in range(9)]
    few = fitting(found, 4)
    assert len(few) <= 4
    for each in found:
        assert any(
            every.start_ms <= each.start_ms
            and each.end_ms <= every.end_ms
            and every.region.y <= each.region.y
            and each.region.y + each.region.height <= every.region.y + every.region.height + 1e-9
            for every in few
        )
    assert fitting(found, 9) == found
