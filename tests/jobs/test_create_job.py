"""A new job of a project, with its options."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.factories import Api, make_project


def test_a_new_job_is_created_with_the_default_options(owner: Api) -> None:
    project = make_project(owner.user)
    job = owner.post(f"/projects/{project.pk}/jobs").json()
    assert job["status"] == "CREATED"
    assert job["options"] == {"auto_screenshots": True, "auto_redact": False, "highlight_clicks": True}
    assert job["manifest"] == {"exports": []}
    assert job["failure"] is None and job["instruction_id"] is None and job["queue_position"] is None
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", job["created_at"])


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"language": "English"}, "options.language"),
        ({"model_profile": "odd"}, "options.model_profile"),
        ({"odd": 1}, "options.odd"),
        ({"title": ""}, "options.title"),
        ({"auto_screenshots": "perhaps"}, "options.auto_screenshots"),
    ],
)
def test_a_bad_option_is_named(owner: Api, options: dict[str, Any], field: str) -> None:
    response = owner.post(f"/projects/{make_project(owner.user).pk}/jobs", {"options": options})
    assert response.status_code == 400
    assert response.json()["details"]["errors"][0]["field"] == field
