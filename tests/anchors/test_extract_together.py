"""Pictures that lie close together are taken by one pass over the video."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import F
from PIL import Image

from anchors.models import Asset, ScreenshotTask
from anchors.services import taking
from config.storage import storage
from tests import sandbox_engines
from tests.desk import Desk
from tests.factories import work_off
from tests.media.frame_counter import read_counter

pytestmark = [pytest.mark.slow, pytest.mark.both_storages]

CLOSE = [12_000, 10_000, 10_400, 14_000, 16_000, 10_400]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The engines that were called in children."""
    called: list[str] = []
    call = taking.sandbox.call

    def noted(engine: Callable[..., Any], *args: Any, **options: Any) -> Any:
        called.append(engine.__name__)
        return call(engine, *args, **options)

    monkeypatch.setattr(taking.sandbox, "call", noted)
    return called


def ask(desk: Desk, *times: int) -> list[str]:
    """Ask for a picture at each of the times, two of the same time in two formats; return the tasks' ids."""
    formats = ["webp" if at in times[:number] else "png" for number, at in enumerate(times)]
    tasks = [
        desk.extract(timestamp_ms=at, format=name).json() for at, name in zip(times, formats, strict=True)
    ]
    return [task["task_id"] for task in tasks]


def rows(ids: list[str]) -> list[ScreenshotTask]:
    found = ScreenshotTask.objects.select_related("asset").in_bulk(ids)
    return [found[pk] for pk in map(type(next(iter(found))), ids)]


def number_of(asset: Asset) -> int:
    with storage().open(asset.uri) as file, Image.open(io.BytesIO(file.read())) as image:
        return read_counter(image.convert("RGB"))


def test_close_pictures_are_those_that_are_taken_one_by_one(desk: Desk, calls: list[str]) -> None:
    ids = ask(desk, *CLOSE)
    work_off()
    assert calls == ["grab_encoded_together"]
    found = rows(ids)
    assert [task.status for task in found] == ["SUCCEEDED"] * 6
    assert [number_of(task.asset) for task in found if task.asset] == [at * 15 // 1000 for at in CLOSE]
    assert len({task.anchor_id for task in found}) == Asset.objects.count() == 6
    together = {
        task.at_ms: task.asset.checksum_sha256 for task in found if task.asset and task.image_format == "png"
    }
    Asset.objects.all().delete()
    for at_ms, checksum in together.items():
        ScreenshotTask.objects.all().delete()
        assert desk.picture(timestamp_ms=at_ms)["task_id"]
        assert Asset.objects.latest("created_at").checksum_sha256 == checksum


def test_far_pictures_and_key_frames_are_taken_by_themselves(desk: Desk, calls: list[str]) -> None:
    ids = ask(desk, 5_000, 30_000)
    ids.append(desk.extract(timestamp_ms=5_500, strategy="nearest_keyframe").json()["task_id"])
    work_off()
    assert calls == ["grab_encoded"] * 3
    assert [task.status for task in rows(ids)] == ["SUCCEEDED"] * 3


def test_no_more_are_taken_together_than_fit_into_memory(desk: Desk, calls: list[str]) -> None:
    ids = ask(desk, *range(10_000, 11_000, 100))
    work_off()
    assert calls == ["grab_encoded_together"] * 2
    assert {task.status for task in rows(ids)} == {"SUCCEEDED"}


def test_one_that_cannot_be_had_costs_the_others_nothing(desk: Desk) -> None:
    ids = ask(desk, 45_000, 46_000, 47_000)
    ScreenshotTask.objects.filter(pk=ids[1]).update(at_ms=54_000)
    work_off()
    assert [task.status for task in rows(ids)] == ["SUCCEEDED", "FAILED", "SUCCEEDED"]
    assert rows(ids)[1].failure_code == "TIMESTAMP_OUT_OF_RANGE"


def test_a_pass_that_ends_its_child_is_made_picture_by_picture(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking, "grab_encoded_together", sandbox_engines.Whatever(sandbox_engines.abort))
    ids = ask(desk, 10_000, 10_500)
    work_off()
    assert [task.status for task in rows(ids)] == ["SUCCEEDED"] * 2


def test_one_that_was_taken_over_meanwhile_is_left_to_who_has_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = ask(desk, 10_000, 10_500, 11_000)
    grab = taking._grab_together

    def slow(*args: Any) -> Any:
        ScreenshotTask.objects.filter(pk=ids[1]).update(attempt=F("attempt") + 1)
        return grab(*args)

    monkeypatch.setattr(taking, "_grab_together", slow)
    work_off()
    assert [(task.status, task.attempt) for task in rows(ids)] == [
        ("SUCCEEDED", 1),
        ("RUNNING", 2),
        ("SUCCEEDED", 1),
    ]
    assert Asset.objects.count() == 2


def test_what_was_claimed_along_goes_back_when_the_first_fails(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = ask(desk, 10_000, 10_500)
    keep = taking._keep

    def fail_first(task: ScreenshotTask, *args: Any) -> None:
        if str(task.pk) == ids[0] and not task.retries:
            raise RuntimeError("not this time")
        keep(task, *args)

    monkeypatch.setattr(taking, "_keep", fail_first)
    work_off()
    first, second = rows(ids)
    assert (first.status, first.retries, first.attempt) == ("PENDING", 1, 1)
    assert (second.status, second.retries, second.attempt) == ("SUCCEEDED", 0, 2)


@pytest.mark.parametrize("failed", [0, 1])
def test_one_that_failed_before_is_taken_by_itself(desk: Desk, calls: list[str], failed: int) -> None:
    ids = ask(desk, 10_000, 10_500, 11_000)
    ScreenshotTask.objects.filter(pk=ids[failed]).update(retries=1)
    work_off()
    assert sorted(calls) == ["grab_encoded", "grab_encoded_together"]
    assert {task.status for task in rows(ids)} == {"SUCCEEDED"}
