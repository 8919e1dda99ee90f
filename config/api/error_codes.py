"""The codes of error bodies, each with its status, its meaning and an example of its `details`.

This is the table in section 1 of the contract. `ApiError` refuses other codes. The API description lists the codes
of each operation with these meanings.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Code:
    """A code. `details` is an example of the field with this name; when empty, the error body has none."""

    status: int
    meaning: str
    details: dict[str, Any] = field(default_factory=dict)


_ID = "01993c5e-7a10-7c3b-9d52-4e1f6a7b8c9d"
_OTHER_ID = "01993c5e-8b21-7d4c-8e63-5f2a7b8c9d0e"
_TRANSITION = {
    "current_status": "UPLOADED",
    "attempted_status": "EDITING",
    "allowed_next_statuses": ["AUDIO_EXTRACTING", "CANCELLED"],
}
_ENDED = {"current_status": "CANCELLED", "attempted_status": "AUDIO_EXTRACTING", "allowed_next_statuses": []}
_WRONG_FIELD = {"field": "name", "code": "blank", "message": "This field may not be blank."}
_WRONG_VIDEO = {"field": "video_uri", "code": "NOT_A_VIDEO", "message": "The file is not a video."}

CODES: dict[str, Code] = {
    "VALIDATION_ERROR": Code(
        400, "The body, query or a header is off; `field` is a dotted path.", {"errors": [_WRONG_FIELD]}
    ),
    "EXPORT_REQUEST_INVALID": Code(
        400, "The format is unknown, or the version is not one of this job's instruction."
    ),
    "DOCUMENT_TOO_COMPLEX": Code(
        400,
        "The Markdown has over 5,000 blocks, 64 levels of nesting, 20,000 lines or 100,000 marks outside of code, "
        "or its lists, quotations, tables and definitions of links take more than 400,000 steps to read.",
    ),
    "COMPARISON_TOO_LARGE": Code(
        400, "The two guides have more steps or pictures than are compared at once."
    ),
    "UPLOAD_VERIFICATION_FAILED": Code(
        400, "The stored bytes differ from what was declared.", {"mismatches": [_WRONG_VIDEO]}
    ),
    "UNAUTHENTICATED": Code(401, "There is no token, or it is not valid, or it has expired."),
    "CALLBACK_UNAUTHENTICATED": Code(401, "The callback secret is missing or wrong."),
    "RESOURCE_NOT_FOUND": Code(
        404, "There is no such resource: missing, somebody else's and malformed ids are answered alike."
    ),
    "METHOD_NOT_ALLOWED": Code(405, "The path does not take this method."),
    "NOT_ACCEPTABLE": Code(406, "The answer cannot be given in a media type that Accept names."),
    "REQUEST_TIMEOUT": Code(408, "The body came too slowly."),
    "FSM_TRANSITION_INVALID": Code(409, "The job's status does not allow it.", _TRANSITION),
    "FSM_TERMINAL_IMMUTABLE": Code(409, "The job is FAILED, CANCELLED or DONE and stays so.", _ENDED),
    "VIDEO_URI_CONFLICT": Code(
        409,
        "Another video is confirmed for this job.",
        {
            "current_video_uri": f"local://uploads/{_ID}/{_ID}",
            "submitted_video_uri": f"local://uploads/{_ID}/{_OTHER_ID}",
        },
    ),
    "EVENT_ID_PAYLOAD_MISMATCH": Code(
        409, "The event_id was used with another payload.", {"event_id": "run-7/step-2"}
    ),
    "CALLBACK_OUT_OF_ORDER": Code(
        409,
        "A later event was applied already.",
        {
            "latest_applied_occurred_at": "2026-03-02T09:31:07Z",
            "current_status": "TRANSCRIBING",
            "attempted_status": "AUDIO_READY",
        },
    ),
    "ARTIFACT_IMMUTABLE": Code(409, "The callback would change the job's video.", {"key": "video_uri"}),
    "VERSION_CONFLICT": Code(
        409, "The document has a newer version.", {"base_version": 3, "current_version": 4}
    ),
    "DISPATCH_SUPERSEDED": Code(
        409,
        "The callback is of an execution that is not the job's current one.",
        {"dispatch_id": _ID, "current_dispatch_id": _OTHER_ID},
    ),
    "RETRY_NOT_ALLOWED_STATE": Code(
        409, "Only a job that has failed can be retried.", {"current_status": "EDITING"}
    ),
    "JOB_ALREADY_RUNNING": Code(409, "The job is being processed.", {"current_status": "TRANSCRIBING"}),
    "REGENERATE_IN_PROGRESS": Code(409, "A task works on this instruction already.", {"active_task_id": _ID}),
    "TRANSCRIPT_NOT_READY": Code(409, "There is no transcript yet.", {"current_status": "TRANSCRIBING"}),
    "UPLOAD_NOT_RECEIVED": Code(409, "The signed upload was not used yet."),
    "UPLOAD_EXPIRED": Code(409, "The signed upload came too late."),
    "EXPORT_NOT_READY": Code(409, "The export has no artifact yet.", {"status": "RUNNING"}),
    "ASSET_MISSING": Code(409, "A picture is missing from the storage, or is damaged there."),
    "SCREEN_EVENTS_NOT_READY": Code(
        409,
        "The video is still being looked at; ask again after Retry-After.",
        {"current_status": "DRAFT_READY"},
    ),
    "IDEMPOTENCY_KEY_REUSED": Code(409, "The key was used with another payload."),
    "LENGTH_REQUIRED": Code(411, "The body came in chunks, without a Content-Length."),
    "PRECONDITION_FAILED": Code(412, "If-Match was given and is stale."),
    "PAYLOAD_TOO_LARGE": Code(413, "The body is larger than this path takes."),
    "UNSUPPORTED_MEDIA_TYPE": Code(415, "The body's media type is not taken here."),
    "RANGE_NOT_SATISFIABLE": Code(416, "The file has no such part; Content-Range says how long it is."),
    "RATE_LIMITED": Code(
        429,
        "Too many requests; or, with `details`, too much work of this kind that waits or runs.",
        {"limit": 100, "open": 100},
    ),
    "ACTIVE_JOB_LIMIT_REACHED": Code(
        429, "Too many of the owner's jobs are being processed.", {"limit": 3, "active": 3}
    ),
    "INTERNAL_ERROR": Code(500, "Something went wrong on the server's side."),
    "ORCHESTRATOR_DISPATCH_FAILED": Code(
        502, "The orchestrator did not take the job; its status is as it was, and calling again is safe."
    ),
    "SERVICE_UNAVAILABLE": Code(
        503,
        "The database, or the identity provider, cannot be reached, another call does this now, or too many wait.",
    ),
    "STORAGE_FULL": Code(
        507,
        "The storage has no room for these bytes, or the owner's quota has none; then there are details.",
        {"limit_bytes": 100 * 2**30, "used_bytes": 99 * 2**30},
    ),
}
