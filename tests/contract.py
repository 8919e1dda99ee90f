"""The contract's tables, written out by hand: nothing here is taken from the code that the tests hold against it."""

from __future__ import annotations

# Section 2: the statuses of a job.
STATUSES = (
    "CREATED",
    "UPLOADING",
    "UPLOADED",
    "AUDIO_EXTRACTING",
    "AUDIO_READY",
    "TRANSCRIBING",
    "TRANSCRIPT_READY",
    "GENERATING",
    "DRAFT_READY",
    "EDITING",
    "REGENERATING",
    "EXPORTING",
    "DONE",
    "FAILED",
    "CANCELLED",
)
# What an orchestrator reports of an uploaded job, one after the other.
ROAD = ("AUDIO_EXTRACTING", "AUDIO_READY", "TRANSCRIBING", "TRANSCRIPT_READY", "GENERATING", "DRAFT_READY")
PROCESSING = ("AUDIO_EXTRACTING", "AUDIO_READY", "TRANSCRIBING", "TRANSCRIPT_READY", "GENERATING")
TERMINAL = ("DONE", "FAILED", "CANCELLED")
OPEN = tuple(status for status in STATUSES if status not in TERMINAL)
# What a retry goes back to, best first, and the artifact that must exist for it; below them all is UPLOADED.
CHECKPOINTS = {
    "DRAFT_READY": "draft_uri",
    "TRANSCRIPT_READY": "transcript_uri",
    "AUDIO_READY": "audio_uri",
    "UPLOADED": "video_uri",
}
_REPORTING = ("UPLOADED", *ROAD)

OWNER, CALLBACK, SYSTEM, STAFF, RETRY = "owner", "callback", "system", "staff", "an accepted retry"
# From, to, and by whom.
_TABLE: tuple[tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]], ...] = (
    (("CREATED",), ("UPLOADING", "UPLOADED"), (OWNER,)),
    (("UPLOADING",), ("UPLOADED",), (OWNER,)),
    (("UPLOADED",), ("AUDIO_EXTRACTING",), (OWNER, CALLBACK)),
    (("AUDIO_EXTRACTING",), ("AUDIO_EXTRACTING", "AUDIO_READY"), (CALLBACK,)),
    (("AUDIO_READY",), ("TRANSCRIBING",), (CALLBACK,)),
    (("TRANSCRIBING",), ("TRANSCRIBING", "TRANSCRIPT_READY"), (CALLBACK,)),
    (("TRANSCRIPT_READY",), ("GENERATING",), (CALLBACK,)),
    (("GENERATING",), ("GENERATING", "DRAFT_READY"), (CALLBACK,)),
    (("DRAFT_READY",), ("EDITING",), (OWNER,)),
    (("EDITING",), ("REGENERATING", "EXPORTING"), (OWNER,)),
    (("REGENERATING",), ("EDITING",), (SYSTEM,)),
    (("EXPORTING",), ("DONE", "EDITING"), (SYSTEM,)),
    (_REPORTING, ("FAILED",), (CALLBACK, SYSTEM)),
    (tuple(status for status in OPEN if status not in _REPORTING), ("FAILED",), (SYSTEM, STAFF)),
    (OPEN, ("CANCELLED",), (OWNER, STAFF)),
    (("FAILED",), tuple(CHECKPOINTS), (RETRY,)),
)
PAIRS: dict[tuple[str, str], frozenset[str]] = {
    (source, target): frozenset(who)
    for sources, targets, who in _TABLE
    for source in sources
    for target in targets
}


def targets(source: str, *who: str) -> set[str]:
    """Return where these may move a job from this status; without `who`, where anybody may."""
    return {target for (start, target), by in PAIRS.items() if start == source and (not who or by & set(who))}


# Section 1: every code of an error, and its status.
ERROR_CODES = {
    "VALIDATION_ERROR": 400,
    "EXPORT_REQUEST_INVALID": 400,
    "UPLOAD_VERIFICATION_FAILED": 400,
    "COMPARISON_TOO_LARGE": 400,
    "DOCUMENT_TOO_COMPLEX": 400,
    "UNAUTHENTICATED": 401,
    "CALLBACK_UNAUTHENTICATED": 401,
    "RESOURCE_NOT_FOUND": 404,
    "METHOD_NOT_ALLOWED": 405,
    "NOT_ACCEPTABLE": 406,
    "REQUEST_TIMEOUT": 408,
    "FSM_TRANSITION_INVALID": 409,
    "FSM_TERMINAL_IMMUTABLE": 409,
    "VIDEO_URI_CONFLICT": 409,
    "EVENT_ID_PAYLOAD_MISMATCH": 409,
    "CALLBACK_OUT_OF_ORDER": 409,
    "ARTIFACT_IMMUTABLE": 409,
    "VERSION_CONFLICT": 409,
    "DISPATCH_SUPERSEDED": 409,
    "RETRY_NOT_ALLOWED_STATE": 409,
    "JOB_ALREADY_RUNNING": 409,
    "REGENERATE_IN_PROGRESS": 409,
    "TRANSCRIPT_NOT_READY": 409,
    "UPLOAD_NOT_RECEIVED": 409,
    "UPLOAD_EXPIRED": 409,
    "EXPORT_NOT_READY": 409,
    "ASSET_MISSING": 409,
    "SCREEN_EVENTS_NOT_READY": 409,
    "IDEMPOTENCY_KEY_REUSED": 409,
    "LENGTH_REQUIRED": 411,
    "PRECONDITION_FAILED": 412,
    "PAYLOAD_TOO_LARGE": 413,
    "UNSUPPORTED_MEDIA_TYPE": 415,
    "RANGE_NOT_SATISFIABLE": 416,
    "RATE_LIMITED": 429,
    "ACTIVE_JOB_LIMIT_REACHED": 429,
    "INTERNAL_ERROR": 500,
    "ORCHESTRATOR_DISPATCH_FAILED": 502,
    "SERVICE_UNAVAILABLE": 503,
    "STORAGE_FULL": 507,
}
# Of calls and limits that are not built yet.
NOT_BUILT: set[str] = set()
