"""`manage.py verify_exports`: what is the same, what differs and why, and that nothing is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from anchors.models import Asset
from config.storage import storage
from exports.models import Export
from exports.services import rendering
from tests.desk import Desk
from tests.exports.asking import done
from tests.exports.operating import call
from tests.factories import Api

pytestmark = [pytest.mark.slow]

COMMAND, FORMATS = "verify_exports", sorted(Export.Format.values)


@pytest.fixture
def desk(owner: Api) -> Desk:
    """A job with a picture, and an export of it."""
    desk = Desk(owner)
    desk.picture()
    assert done(desk)["status"] == "SUCCEEDED"
    return desk


def change(table: str, **columns: str) -> None:
    """Set columns to SQL expressions, past the triggers that keep what is frozen."""
    assignments = ", ".join(f"{name} = {value}" for name, value in columns.items())
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(f"UPDATE {table} SET {assignments}")
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")


def overwrite(uri: str, content: bytes) -> None:
    with storage().local_path(uri) as path:
        path.chmod(0o600)
        path.write_bytes(content)


def lose_artifact() -> None:
    storage().delete(Export.objects.get().artifact_uri)


def change_artifact() -> None:
    overwrite(Export.objects.get().artifact_uri, b"other bytes")


def lose_picture() -> None:
    storage().delete(Asset.objects.get().uri)


def change_picture() -> None:
    overwrite(Asset.objects.get().uri, b"other bytes")


def conceal() -> None:
    change("anchors_asset", is_concealed="true")


def make_by_another_renderer() -> None:
    change("exports_export", renderer_version="'md_zip-0'")


def change_snapshot() -> None:
    change("exports_export", snapshot="snapshot || '{\"snapshot_version\": 0}'")


def change_text() -> None:
    change("exports_export", snapshot='snapshot || \'{"markdown": "# Another"}\'')


def change_version() -> None:
    change("exports_export", snapshot='snapshot || \'{"instruction_version_id": "another"}\'')


def change_set_hash() -> None:
    change("exports_export", screenshot_set_hash="repeat('0', 64)")


def change_asset_row() -> None:
    change("anchors_asset", checksum_sha256="repeat('0', 64)")


def change_manifest() -> None:
    change("exports_export", manifest='manifest || \'{"title": "Another"}\'')


def change_hash_of_artifact() -> None:
    change("exports_export", artifact_sha256="repeat('0', 64)")


def test_what_is_as_it_was_is_the_same_and_nothing_is_written(desk: Desk) -> None:
    made = [done(desk, name)["id"] for name in FORMATS]
    with CaptureQueriesContext(connection) as asked:
        status, report, _ = call(COMMAND)
    assert (status, report["totals"], report["listed"]) == (0, {"same": len(made)}, [])
    assert [query["sql"] for query in asked if not query["sql"].startswith(("SELECT", "EXPLAIN"))] == []
    assert not [query["sql"] for query in asked if "OFFSET" in query["sql"] or "COUNT(" in query["sql"]]


@pytest.mark.parametrize(
    ("damage", "outcome", "codes"),
    [
        (lose_artifact, "differs", {"ARTIFACT_MISSING"}),
        (change_artifact, "differs", {"ARTIFACT_CHANGED"}),
        (lose_picture, "differs", {"ASSET_MISSING"}),
        (change_picture, "differs", {"ASSET_CHANGED"}),
        (conceal, "not_comparable", {"PICTURE_REDACTED"}),
        (change_snapshot, "not_comparable", {"SNAPSHOT_VERSION"}),
        (change_text, "differs", {"BYTES_DIFFER", "MANIFEST_DIFFERS"}),
        (change_version, "differs", {"CHAIN_BROKEN", "BYTES_DIFFER", "MANIFEST_DIFFERS"}),
        (change_set_hash, "differs", {"CHAIN_BROKEN"}),
        (change_asset_row, "differs", {"CHAIN_BROKEN"}),
        (change_manifest, "differs", {"MANIFEST_DIFFERS"}),
        (change_hash_of_artifact, "differs", {"ARTIFACT_CHANGED", "BYTES_DIFFER"}),
        (make_by_another_renderer, "differs", {"CHAIN_BROKEN", "RENDERER_VERSION"}),
    ],
)
def test_what_differs_is_said_with_the_reason(
    desk: Desk, damage: Callable[[], None], outcome: str, codes: set[str]
) -> None:
    damage()
    status, report, _ = call(COMMAND)
    assert (status, report["totals"]) == (int(outcome == "differs"), {outcome: 1})
    (listed,) = report["listed"]
    assert set(listed["codes"]) == codes and listed["message"]
    assert listed["export_id"] == str(Export.objects.get().pk)


def test_a_file_that_cannot_be_read_does_not_end_the_run(desk: Desk) -> None:
    done(desk, "HTML")
    first, second = Export.objects.order_by("pk")
    with storage().local_path(first.artifact_uri) as path:
        path.unlink()
        path.mkdir()  # to be opened as a file, an error of the system
    status, report, _ = call(COMMAND)
    assert (status, report["totals"]) == (1, {"differs": 1, "same": 1})
    (listed,) = report["listed"]
    assert (listed["export_id"], listed["codes"]) == (str(first.pk), ["UNREADABLE"])
    assert second.artifact_uri != first.artifact_uri


def test_what_an_older_renderer_made_fits_together_and_is_no_failure(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exports.services.verification.current_renderer_version", lambda format: "md_zip-99")
    monkeypatch.setattr(rendering, "render_document", None)
    status, report, _ = call(COMMAND)
    assert (status, report["totals"], report["reasons"]) == (
        0,
        {"not_comparable": 1},
        {"RENDERER_VERSION": 1},
    )


def test_a_renderer_that_changed_without_a_new_version_is_found(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def render(*args: Any, **named: Any) -> Any:
        made = rendering.render_document(*args, **named)
        return replace(made, content=made.content.replace(b"Step", b"Stop", 1))

    monkeypatch.setattr("exports.services.verification.render_document", render)
    status, report, _ = call(COMMAND)
    assert (status, report["reasons"]) == (1, {"BYTES_DIFFER": 1})


def test_what_is_selected_is_checked_and_nothing_else(desk: Desk) -> None:
    done(desk, "PDF")
    created = Export.objects.latest("pk").created_at.isoformat()
    selections = (
        (("--format", "PDF"), 1),
        (("--renderer-version", "md_zip-"), 1),
        (("--renderer-version", "html-"), 0),
        (("--job", str(desk.job.pk)), 2),
        (("--project", str(desk.job.project_id)), 2),
        (("--since", created), 1),
        (("--until", created), 1),
        (("--limit", "1"), 1),
    )
    for options, number in selections:
        assert call(COMMAND, *options)[1]["totals"] == ({"same": number} if number else {}), options
