"""The manifest of an export, as a renderer writes it for a document without pictures."""

from __future__ import annotations

from typing import Any

from instructions.models import InstructionVersion


def bare_manifest(version: InstructionVersion, format: str, provenance: dict[str, Any]) -> dict[str, Any]:
    return {
        "manifest_version": 2,
        "format": format,
        "title": "Guide",
        "instruction_id": str(version.instruction_id),
        "instruction_version_id": str(version.pk),
        "version": version.version,
        "job_id": str(version.instruction.job_id),
        "renderer_version": "pdf-1",
        "screenshot_set_hash": "0" * 64,
        "identity_key": "0" * 64,
        "video": {"sha256": None},
        "provenance": provenance,
        "pictures": [],
        "files": [{"name": "guide.pdf", "sha256": "0" * 64, "size_bytes": 18}],
    }
