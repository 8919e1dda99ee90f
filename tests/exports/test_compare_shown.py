"""Which pictures of two guides are compared: what is shown, without drawings, and nothing that is hidden."""

from __future__ import annotations

from typing import Any

import pytest
from PIL import Image, ImageDraw

from anchors.models import Asset
from config import sandbox
from config.locks import media_place
from config.storage import storage
from exports.services import comparing
from tests.exports.compared_screens import screen
from tests.exports.comparing import RecordedGuide, changes, compare
from tests.exports.documents import encoded
from tests.factories import Api
from tests.races import at_once

HIDDEN = (760, 302, 1400, 342)


def drawn_on(picture: Image.Image, colour: str = "#E5484D") -> Image.Image:
    drawn = picture.copy()
    ImageDraw.Draw(drawn).rectangle((300, 400, 900, 800), outline=colour, width=12)
    return drawn


def hidden_in(picture: Image.Image) -> Image.Image:
    hidden = picture.copy()
    ImageDraw.Draw(hidden).rectangle(HIDDEN, fill="black")
    return hidden


def guide_with(api: Api, base: Image.Image, shown: Image.Image | None = None, **fields: Any) -> RecordedGuide:
    """Return a guide of one step with this picture; with `shown`, that was drawn on it and is the active one."""
    guide = RecordedGuide(api, ("Save", "Click Save.", [base]))
    if shown is not None:
        (below,) = guide.assets
        drawn = {"kind": Asset.Kind.ANNOTATED, "version": 2, "ops_hash": "ab" * 32, **fields}
        guide.assets.append(guide.show(below.anchor, shown, rendered_from=below, **drawn))
    return guide


def only_change(api: Api, old: RecordedGuide, new: RecordedGuide) -> str:
    ((_, _, change),) = changes(api, old, new)
    return change


def lose(asset: Asset) -> None:
    storage().delete(asset.uri)


def test_what_was_drawn_on_a_picture_is_no_change(owner: Api) -> None:
    old, new = guide_with(owner, screen()), guide_with(owner, screen(), drawn_on(screen()))
    assert only_change(owner, old, new) == only_change(owner, new, old) == "same"
    other = guide_with(owner, screen(menu=True), drawn_on(screen(menu=True)))
    assert only_change(owner, new, other) == "picture"


def test_what_lies_below_several_drawings_is_compared(owner: Api) -> None:
    old, new = guide_with(owner, screen()), guide_with(owner, screen(), drawn_on(screen()))
    twice = drawn_on(drawn_on(screen()), "#3730a3")
    new.show(
        new.assets[0].anchor,
        twice,
        kind=Asset.Kind.ANNOTATED,
        version=3,
        ops_hash="cd" * 32,
        rendered_from=new.assets[1],
    )
    assert only_change(owner, old, new) == "same"


def test_redacted_pictures_are_compared_as_they_are_shown(owner: Api) -> None:
    """What differs under the bars is told by nothing: the pictures below are not even read."""
    first, second = screen(), screen(typed="Contoso")
    guides = [guide_with(owner, base, hidden_in(base), is_redacted=True) for base in (first, second)]
    for guide in guides:
        lose(guide.assets[0])
    assert only_change(owner, *guides) == "same"
    page = compare(owner, *guides, accept="text/html")
    assert page.status_code == 200 and b"1</strong> the same" in page.content


def test_drawings_on_redacted_pictures_count_as_they_are_shown(owner: Api) -> None:
    base = screen()
    old = guide_with(owner, base, hidden_in(base), is_redacted=True)
    new = guide_with(owner, base, drawn_on(hidden_in(base)), is_redacted=True)
    assert only_change(owner, old, new) == "picture"


def test_nothing_is_told_while_a_picture_is_to_be_redacted(owner: Api) -> None:
    guide = guide_with(owner, screen())
    Asset.objects.filter(pk=guide.assets[0].pk).update(is_concealed=True)
    assert compare(owner, guide, guide_with(owner, screen())).status_code == 503


@pytest.mark.parametrize("number", [0, 1], ids=["below", "shown"])
def test_nothing_is_told_of_a_picture_that_was_concealed_meanwhile(
    owner: Api, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    old, new = guide_with(owner, screen()), guide_with(owner, screen(), drawn_on(screen()))
    call = sandbox.call

    def conceal_meanwhile(*args: Any, **options: Any) -> Any:
        compared = call(*args, **options)
        Asset.objects.filter(pk=new.assets[number].pk).update(is_concealed=True)
        return compared

    monkeypatch.setattr(sandbox, "call", conceal_meanwhile)
    answer = compare(owner, old, new)
    assert (answer.status_code, answer.json()["code"]) == (503, "SERVICE_UNAVAILABLE")


def test_a_picture_that_was_concealed_before_its_file_is_read_is_not_read(
    owner: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = guide_with(owner, screen()), guide_with(owner, screen(), drawn_on(screen()))
    read = comparing.resolved_pictures

    def conceal_meanwhile(*args: Any) -> Any:
        Asset.objects.filter(pk=new.assets[0].pk).update(is_concealed=True)
        return read(*args)

    monkeypatch.setattr(comparing, "resolved_pictures", conceal_meanwhile)
    monkeypatch.setattr(sandbox, "call", None)
    assert compare(owner, old, new).status_code == 503


@pytest.mark.both_storages
@pytest.mark.parametrize("accept", ["application/json", "text/html"])
def test_a_picture_whose_file_is_gone_is_409(owner: Api, accept: str) -> None:
    old, new = guide_with(owner, screen()), guide_with(owner, screen(menu=True))
    lose(new.assets[0])
    answer = compare(owner, old, new, accept=accept)
    assert (answer.status_code, answer.json()["code"]) == (409, "ASSET_MISSING")


@pytest.mark.file_system
def test_a_picture_with_other_bytes_is_409(owner: Api) -> None:
    old, new = guide_with(owner, screen()), guide_with(owner, screen(menu=True))
    with storage().local_path(new.assets[0].uri) as path:
        path.chmod(0o600)
        path.write_bytes(encoded(screen(menu=True), compress_level=2))
    answer = compare(owner, old, new)
    assert (answer.status_code, answer.json()["code"]) == (409, "ASSET_MISSING")


def test_more_pictures_than_are_compared_are_refused_before_they_are_read(
    owner: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    guide = RecordedGuide(owner, ("Save", "", [screen(), screen(menu=True)]))
    monkeypatch.setattr(comparing, "MAX_PICTURES", 1)
    monkeypatch.setattr(sandbox, "call", None)
    answer = compare(owner, guide, guide)
    assert (answer.status_code, answer.json()["code"]) == (400, "COMPARISON_TOO_LARGE")
    assert answer.json()["message"] == "A guide has over 1 pictures."


@pytest.mark.parametrize(
    ("may_pass", "status", "code"), [(True, 503, "SERVICE_UNAVAILABLE"), (False, 400, "COMPARISON_TOO_LARGE")]
)
def test_a_child_that_was_ended_is_told(
    owner: Api, monkeypatch: pytest.MonkeyPatch, may_pass: bool, status: int, code: str
) -> None:
    def end(*args: Any, **options: Any) -> None:
        raise sandbox.SandboxError(sandbox.OUT_OF_MEMORY, may_pass=may_pass)

    guide = guide_with(owner, screen())
    monkeypatch.setattr(sandbox, "call", end)
    answer = compare(owner, guide, guide)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.django_db(transaction=True)
def test_an_owner_has_few_comparisons_at_a_time(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("config.locks.MAX_MEDIA_CALLS", 1)
    guide = guide_with(api, screen())
    with media_place(api.user.pk):
        (refused,) = at_once(1, lambda _: compare(api, guide, guide))
    assert (refused.status_code, refused.json()["code"]) == (429, "RATE_LIMITED")
    (answer,) = at_once(1, lambda _: compare(api, guide, guide))
    assert answer.status_code == 200


def test_all_pictures_are_read_in_one_child(owner: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = [(f"Step {n}", "", [screen(scrolled=n)]) for n in range(3)]
    guides = RecordedGuide(owner, *steps), RecordedGuide(owner, *reversed(steps))
    call, calls = sandbox.call, []

    def counted(function: Any, *args: Any, **options: Any) -> Any:
        calls.append(function.__name__)
        return call(function, *args, **options)

    def read_here(content: bytes) -> None:
        raise AssertionError("a picture is decoded in the web process")

    monkeypatch.setattr(sandbox, "call", counted)
    monkeypatch.setattr("exports.comparison.compare.read_screen", read_here)
    assert compare(owner, *guides).status_code == 200
    assert compare(owner, *guides, accept="text/html").status_code == 200
    assert calls == ["compare_steps", "compare_on_page"]
