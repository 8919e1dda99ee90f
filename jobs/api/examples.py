"""Examples for the API description, of each operation of this app. The names are made up."""

from __future__ import annotations

from typing import Any

from config.api.schema import examples

PROJECT_ID = "01993c5e-7a10-7c3b-9d52-4e1f6a7b8c9d"
JOB_ID = "01993c5e-8b21-7d4c-8e63-5f2a7b8c9d0e"
TICKET_ID = "01993c5e-9c32-7e5d-8f74-603b8c9d0e1f"
DISPATCH_ID = "01993c60-0d43-7f6e-9a85-714c9d0e1f20"
INSTRUCTION_ID = "01993c62-1e54-7a7f-8b96-825d0e1f2031"
EVENT_ID = "01993c5e-8b21-7d4c-8e63-6a0b1c2d3e4f"
DIGEST = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"

PROJECT = {"id": PROJECT_ID, "name": "Order desk guides", "created_at": "2026-03-02T09:30:00Z"}
VIDEO_URI = f"local://uploads/{JOB_ID}/{TICKET_ID}"
MANIFEST = {"video_uri": VIDEO_URI, "exports": []}
OPTIONS = {
    "language": "en",
    "title": "How to create an order",
    "auto_screenshots": True,
    "highlight_clicks": True,
}


def job(status: str, **changes: Any) -> dict[str, Any]:
    return {
        "id": JOB_ID,
        "project_id": PROJECT_ID,
        "status": status,
        "manifest": {"exports": []},
        "options": OPTIONS,
        "instruction_id": None,
        "failure": None,
        "queue_position": None,
        "created_at": "2026-03-02T09:30:05Z",
        "updated_at": "2026-03-02T09:30:05Z",
        **changes,
    }


DRAFTED = job(
    "DRAFT_READY",
    manifest={
        "video_uri": VIDEO_URI,
        "audio_uri": f"local://jobs/{JOB_ID}/{DIGEST}.flac",
        "screen_uri": f"local://jobs/{JOB_ID}/{DIGEST}.screen.json",
        "transcript_uri": f"local://jobs/{JOB_ID}/{DIGEST}.transcript.json",
        "draft_uri": f"local://jobs/{JOB_ID}/{DIGEST}.draft.json",
        "exports": [],
    },
    instruction_id=INSTRUCTION_ID,
    updated_at="2026-03-02T09:31:40Z",
)
RUN = {"job_id": JOB_ID, "status": "AUDIO_EXTRACTING", "dispatch_id": DISPATCH_ID, "replayed": False}
RETRY = {
    "job_id": JOB_ID,
    "status": "AUDIO_READY",
    "resume_from_status": "AUDIO_READY",
    "checkpoint_ref": f"local://jobs/{JOB_ID}/{DIGEST}.flac",
    "model_profile": "extractive",
    "dispatch_id": DISPATCH_ID,
    "replayed": False,
}
EVENT = {
    "id": EVENT_ID,
    "event_type": "JOB_UPLOAD_CONFIRMED",
    "job_id": JOB_ID,
    "project_id": PROJECT_ID,
    "actor_type": "editor",
    "actor_id": "17",
    "prev_status": "UPLOADING",
    "new_status": "UPLOADED",
    "occurred_at": "2026-03-02T09:30:20Z",
    "recorded_at": "2026-03-02T09:30:20Z",
    "correlation_id": "order-desk-42",
    "data": {},
}
TICKET = {
    "upload_url": "https://guides.example.com/api/v1/files/uploads/eyJrZXkiOiJ1cGxvYWRzIn0:1vx:Zm9v",
    "method": "PUT",
    "headers": {"Content-Type": "video/mp4"},
    "parts": [],
    "video_uri": VIDEO_URI,
    "expires_at": "2026-03-02T10:30:10Z",
    "max_size_bytes": 48211394,
}
WRONG_OPTION = {
    "field": "options.model_profile",
    "code": "invalid_choice",
    "message": '"grand" is not a valid choice.',
    "hint": "One of: extractive.",
}
SEGMENT = {"start_ms": 0, "end_ms": 2400, "text": "Click the New button."}
SCREEN_EVENT = {
    "event_id": "01993c60-2f65-7b80-8ca7-936e1f203142",
    "at_ms": 1840,
    "kind": "click",
    "label": "New",
    "region": {"x": 0.82, "y": 0.06, "width": 0.07, "height": 0.04},
    "confidence": 0.93,
}
SRT = "1\n00:00:00,000 --> 00:00:02,400\nClick the New button.\n"
VTT = "WEBVTT\n\n00:00:00.000 --> 00:00:02.400\nClick the New button.\n"
REPORT = {
    "event_id": "run-7/step-3",
    "status": "TRANSCRIPT_READY",
    "occurred_at": "2026-03-02T09:31:07Z",
    "correlation_id": "order-desk-42",
    "artifact_updates": {"transcript": {"language": "en", "segments": [SEGMENT]}},
}
REPLAY = {
    "job_id": JOB_ID,
    "event_id": "run-7/step-3",
    "replayed": True,
    "current_status": "TRANSCRIPT_READY",
    "latest_applied_occurred_at": "2026-03-02T09:31:07Z",
}

CREATE_PROJECT = examples({"name": "Order desk guides"}, {200: PROJECT, 201: PROJECT})
GET_PROJECT = LIST_PROJECTS = examples(by_status={200: PROJECT})
CREATE_JOB = examples({"options": OPTIONS}, {200: job("CREATED"), 201: job("CREATED")})
GET_JOB = LIST_JOBS = examples(by_status={200: DRAFTED})
UPLOAD_JOB = examples(
    {"filename": "create-an-order.mp4", "size_bytes": 48211394, "mime_type": "video/mp4"}, {201: TICKET}
)
CONFIRM_UPLOAD = examples(
    {"video_uri": VIDEO_URI}, {200: {"job": job("UPLOADED", manifest=MANIFEST), "replayed": False}}
)
RUN_JOB = examples(by_status={200: {**RUN, "replayed": True}, 202: RUN})
RETRY_JOB = examples(
    {"model_profile": "extractive", "client_request_id": "retry-1"},
    {200: {**RETRY, "status": "TRANSCRIBING", "replayed": True}, 202: RETRY},
)
CANCEL_JOB = examples(by_status={200: job("CANCELLED", manifest=MANIFEST)})
LIST_EVENTS = examples(by_status={200: EVENT})
GET_TRANSCRIPT = examples(by_status={200: {"items": [SEGMENT], "limit": 200, "next_cursor": None}})
GET_SCREEN_EVENTS = examples(by_status={200: {"items": [SCREEN_EVENT], "limit": 200, "next_cursor": None}})
GET_SUBTITLES = [
    *examples(by_status={200: SRT}, media="application/x-subrip"),
    *examples(by_status={200: VTT}, media="text/vtt"),
]
GET_OPTIONS = examples(
    by_status={
        200: {
            "languages": ["en"],
            "model_profiles": ["chat", "chat-or-extractive", "extractive"],
            "prompt_templates": ["guide-1", "rewrite-1", "rules-1"],
            "stt_profiles": ["default"],
            "export_formats": ["PDF", "MD_ZIP", "HTML", "DOCX"],
            "paper_sizes": ["A4", "LETTER"],
        }
    }
)
VALIDATE_OPTIONS = examples(
    {"options": {"model_profile": "grand"}}, {200: {"valid": False, "errors": [WRONG_OPTION], "warnings": []}}
)
REPORT_STATUS = examples(REPORT, {200: REPLAY})
