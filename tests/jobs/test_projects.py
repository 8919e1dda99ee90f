"""Projects: create."""

from __future__ import annotations

from typing import Any

import pytest

from tests.factories import Api


@pytest.mark.parametrize("name", ["", "   ", "x" * 201, None, 7.5, ["a"]])
def test_a_project_needs_a_name(owner: Api, name: Any) -> None:
    response = owner.post("/projects", {"name": name})
    assert (response.status_code, response.json()["details"]["errors"][0]["field"]) == (400, "name")


def test_a_projects_name_is_trimmed(owner: Api) -> None:
    assert owner.post("/projects", {"name": "  Guides  "}).json()["name"] == "Guides"
