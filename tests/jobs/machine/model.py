"""A job as the contract's sections 2 to 5 tell of it, in plain Python: what each call has to answer.

Nothing here is taken from the code under test: the tables are those of `tests.contract`. A call that is refused
raises `Refused`. What only the server can choose (ids, URIs of content that was sent inline) is learned from its
first answer and holds from then on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.contract import CALLBACK, CHECKPOINTS, OWNER, PROCESSING, TERMINAL, targets

SHOWS_TRANSCRIPT = ("TRANSCRIPT_READY", "GENERATING", "DRAFT_READY", "EDITING", "FAILED")
FAILURE_FIELDS = ("failure_code", "failure_message", "failed_stage")
CONTENT = ("transcript", "draft")


class Refused(Exception):
    def __init__(self, status: int, code: str, **details: Any) -> None:
        super().__init__(status, code, details)
        self.status, self.code, self.details = status, code, details


@dataclass(eq=False)
class Dispatch:
    """One execution. `id` is the server's choice, known when the orchestrator has been asked."""

    id: str = ""
    model_profile: str = ""
    is_open: bool = False
    is_accepted: bool = False
    lost: int = 0  # sendings whose answer never came
    resume: str = ""  # of a retry: where it goes on, and the artifact it goes on from
    checkpoint: str = ""


@dataclass(eq=False)
class Job:
    id: str
    project_id: str
    options: dict[str, Any]
    key: str | None = None
    status: str = "CREATED"
    manifest: dict[str, Any] = field(default_factory=lambda: {"exports": []})
    failure: dict[str, Any] | None = None
    has_instruction: bool = False
    is_deleted: bool = False
    tickets: dict[str, bool] = field(default_factory=dict)  # video_uri: the bytes are there
    superseded: set[str] = field(default_factory=set)  # tickets that later ones have closed
    dispatch: Dispatch | None = None  # the current one
    run: Dispatch | None = None
    retries: dict[str, Dispatch] = field(default_factory=dict)
    latest: datetime | None = None
    ledger: dict[str, Any] = field(default_factory=dict)
    files: dict[str, Any] = field(default_factory=dict)  # content the orchestrator put into our storage
    newest: dict[str, Any] = field(default_factory=dict)  # kind of artifact: its newest value as it was sent
    versions: dict[str, int] = field(default_factory=dict)
    segments: list[dict[str, Any]] | None = None
    edits: int = 0
    history: list[tuple[str | None, str, str]] = field(default_factory=lambda: [(None, "CREATED", "editor")])

    def exists(self) -> None:
        if self.is_deleted:
            raise Refused(404, "RESOURCE_NOT_FOUND")

    def refuse(self, attempted: str, *, by: str = OWNER, code: str = "") -> Refused:
        is_over = self.status in TERMINAL
        return Refused(
            409,
            code or ("FSM_TERMINAL_IMMUTABLE" if is_over else "FSM_TRANSITION_INVALID"),
            current_status=self.status,
            attempted_status=attempted,
            allowed_next_statuses=targets(self.status, by),
        )

    def owner_may(self, target: str) -> None:
        if target not in targets(self.status, OWNER):
            raise self.refuse(target)

    def move(self, target: str, actor: str) -> None:
        self.history.append((self.status, target, actor))
        self.status = target

    # The owner's calls

    def upload(self) -> None:
        self.exists()
        if self.status != "UPLOADING":  # asked again: a fresh ticket
            self.owner_may("UPLOADING")
            self.move("UPLOADING", "editor")
        for uri in list(self.tickets)[:-4]:  # with the one to come, five are open
            self.superseded.add(uri)

    def confirm(self, uri: str) -> bool:
        """Answers `replayed`."""
        self.exists()
        current = self.manifest.get("video_uri")
        if current == uri:
            return True
        if current:
            raise Refused(409, "VIDEO_URI_CONFLICT", current_video_uri=current, submitted_video_uri=uri)
        self.owner_may("UPLOADED")
        if uri not in self.tickets:
            raise Refused(400, "VALIDATION_ERROR")
        if uri in self.superseded:
            raise Refused(409, "UPLOAD_EXPIRED")
        if not self.tickets[uri]:
            raise Refused(409, "UPLOAD_NOT_RECEIVED")
        self.manifest["video_uri"], self.versions["video"] = uri, 1
        self.move("UPLOADED", "editor")
        return False

    def cancel(self) -> None:
        self.exists()
        if self.status in TERMINAL:
            raise self.refuse("CANCELLED")
        self.move("CANCELLED", "editor")
        self.close_dispatch()

    def delete(self) -> None:
        self.exists()
        if self.status not in TERMINAL or self.has_open_dispatch:
            # Also a FAILED job with a retry on its way: it may be anything but over.
            raise self.refuse("DELETED", code="FSM_TRANSITION_INVALID")
        self.is_deleted = True

    def edit(self) -> None:
        """The owner's first write to the document, and the next ones."""
        if self.status == "DRAFT_READY":
            self.move("EDITING", "editor")
        elif self.status != "EDITING":
            raise self.refuse("EDITING")
        self.edits += 1

    def transcript(self) -> list[dict[str, Any]]:
        self.exists()
        if self.segments is None or self.status not in SHOWS_TRANSCRIPT:
            raise Refused(409, "TRANSCRIPT_NOT_READY", current_status=self.status)
        return self.segments

    # Executions

    @property
    def has_open_dispatch(self) -> bool:
        return self.dispatch is not None and self.dispatch.is_open

    @property
    def is_active(self) -> bool:
        return not self.is_deleted and (self.status in PROCESSING or self.has_open_dispatch)

    def close_dispatch(self) -> None:
        if self.dispatch:
            self.dispatch.is_open = False

    def begin_run(self, *, active: int, limit: int) -> tuple[Dispatch, bool]:
        """The dispatch, and whether it is a replay; else it is to be sent. `active`: the owner's other jobs."""
        self.exists()
        if self.status in TERMINAL:
            raise self.refuse("AUDIO_EXTRACTING")
        if self.run and self.run.is_accepted:
            return self.run, True
        self.owner_may("AUDIO_EXTRACTING")
        if self.has_open_dispatch and self.dispatch is not self.run:
            raise Refused(409, "JOB_ALREADY_RUNNING", current_status=self.status)
        self._take_a_place(active, limit)
        self.run = self.dispatch = self.run or Dispatch()
        self.run.lost = self.run.lost if self.run.is_open else 0
        self.run.is_open = True
        return self.run, False

    def begin_retry(self, request_id: str, profile: str, *, active: int, limit: int) -> tuple[Dispatch, bool]:
        self.exists()
        known = self.retries.get(request_id)
        if known and known.model_profile != profile:
            raise Refused(409, "IDEMPOTENCY_KEY_REUSED")
        if known and known.is_accepted:
            return known, True
        if self.status in PROCESSING:
            raise Refused(409, "JOB_ALREADY_RUNNING", current_status=self.status)
        if self.status != "FAILED":
            raise Refused(409, "RETRY_NOT_ALLOWED_STATE", current_status=self.status)
        if self.has_open_dispatch and self.dispatch is not known:
            raise Refused(409, "JOB_ALREADY_RUNNING", current_status=self.status)
        self._take_a_place(active, limit)
        was_open = known is not None and known.is_open
        self.dispatch = self.retries[request_id] = known or Dispatch(model_profile=profile)
        self.dispatch.is_open = True
        if not was_open:
            self.dispatch.lost = 0
            self.dispatch.resume, uri = next(
                (status, name) for status, name in CHECKPOINTS.items() if name in self.manifest
            )
            self.dispatch.checkpoint = self.manifest[uri]
        return self.dispatch, False

    def _take_a_place(self, active: int, limit: int) -> None:
        if active >= limit and not self.has_open_dispatch:  # what is sent again has its place
            raise Refused(429, "ACTIVE_JOB_LIMIT_REACHED", limit=limit, active=active)

    def accept(self, dispatch: Dispatch) -> None:
        dispatch.is_accepted = dispatch.is_open = True
        self.move(dispatch.resume or "AUDIO_EXTRACTING", "editor")
        self.failure = None
        if self.status == "DRAFT_READY":  # nothing is left to do
            dispatch.is_open = False

    # The callback

    def callback(
        self, payload: dict[str, Any], dispatch_id: str | None, now: datetime
    ) -> dict[str, Any] | None:
        """None when it is applied (204), else the replay's body (200)."""
        updates = payload.get("artifact_updates", {})
        self._read(payload, now)
        self.exists()
        current = self.dispatch.id if self.dispatch else None
        if dispatch_id is not None and dispatch_id != current:
            raise Refused(409, "DISPATCH_SUPERSEDED", dispatch_id=dispatch_id, current_dispatch_id=current)
        if payload["event_id"] in self.ledger:
            if self.ledger[payload["event_id"]] != payload:
                raise Refused(409, "EVENT_ID_PAYLOAD_MISMATCH", event_id=payload["event_id"])
            return {"event_id": payload["event_id"], "replayed": True, "current_status": self.status}
        content = {kind: self._content(kind, updates) for kind in CONTENT}
        waits_at = "FAILED" if self.dispatch and self.dispatch.resume else "UPLOADED"
        unanswered = self.dispatch and not self.dispatch.is_accepted and self.status == waits_at
        if unanswered and (self.has_open_dispatch or dispatch_id):
            self.accept(self.dispatch)  # whoever reports has taken it, whatever was answered
        occurred, status = datetime.fromisoformat(payload["occurred_at"]), payload["status"]
        if self.latest and occurred < self.latest:
            raise Refused(409, "CALLBACK_OUT_OF_ORDER", current_status=self.status, attempted_status=status)
        if status not in targets(self.status, CALLBACK):
            raise self.refuse(status, by=CALLBACK)
        if updates.get("video_uri", self.manifest["video_uri"]) != self.manifest["video_uri"]:
            raise Refused(409, "ARTIFACT_IMMUTABLE", key="video_uri")
        self._apply(payload, content)
        self.latest, self.ledger[payload["event_id"]] = occurred, payload
        return None

    def _read(self, payload: dict[str, Any], now: datetime) -> None:
        late = datetime.fromisoformat(payload["occurred_at"]) > now + timedelta(minutes=5)
        lacks = payload["status"] == "FAILED" and not all(name in payload for name in FAILURE_FIELDS)
        if late or lacks:
            raise Refused(400, "VALIDATION_ERROR")

    def _content(self, kind: str, updates: dict[str, Any]) -> Any:
        """What the update says, inline or in a file of this job; None when it says nothing we can read."""
        uri = updates.get(f"{kind}_uri", "")
        content = updates.get(kind, self.files.get(uri))
        if content is None and uri.startswith("local:"):
            raise Refused(400, "VALIDATION_ERROR")
        segments = (content or {}).get("segments", ())
        if content is not None and any(one["end_ms"] < one["start_ms"] for one in segments):
            raise Refused(400, "VALIDATION_ERROR")
        return content

    def _apply(self, payload: dict[str, Any], content: dict[str, Any]) -> None:
        status, updates = payload["status"], payload.get("artifact_updates", {})
        if status == "DRAFT_READY" and not content["draft"] and not self.newest.get("a draft"):
            raise Refused(400, "VALIDATION_ERROR")
        for name, value in updates.items():
            kind = name.removesuffix("_uri")
            if kind == "export":
                self.manifest["exports"] = [*self.manifest["exports"], value]
                self.versions[kind] = self.versions.get(kind, 0) + 1
            elif kind != "video" and self.newest.get(kind) != value:
                self.newest[kind] = value
                self.versions[kind] = self.versions.get(kind, 0) + 1
                if kind in ("audio", *CONTENT):
                    self.manifest[f"{kind}_uri"] = value if name != kind else None  # None: to be learned
        self.newest["a draft"] = content["draft"] or self.newest.get("a draft")
        self.newest["a transcript"] = content["transcript"] or self.newest.get("a transcript")
        if status in ("TRANSCRIPT_READY", "GENERATING", "DRAFT_READY") and self.newest["a transcript"]:
            segments = self.newest["a transcript"]["segments"]
            self.segments = sorted(segments, key=lambda one: one["start_ms"])
        self.move(status, payload.get("actor_type", "orchestrator"))
        self.has_instruction |= status == "DRAFT_READY"
        if status in ("FAILED", "DRAFT_READY"):
            self.close_dispatch()
        if status == "FAILED":
            names = (*FAILURE_FIELDS, "correlation_id")
            self.failure = {name: payload[name] for name in names}

    # What is read

    def shown(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "project_id": self.project_id,
            "status": self.status,
            "manifest": self.manifest,
            "options": self.options,
            "failure": self.failure,
            "queue_position": None,
        }

    def seen(self) -> tuple[Any, ...]:
        """What a new ETag stands for; with a copy, for the model's own dictionaries are changed in place."""
        return {**self.shown(), "manifest": dict(self.manifest)}, len(self.history), self.edits

    def learn(self, manifest: dict[str, Any]) -> None:
        """Take the URIs that the server gave to inline content: of its own storage, under this job's prefix."""
        for name in [name for name, value in self.manifest.items() if value is None]:
            assert manifest[name].startswith(f"local://jobs/{self.id}/")
            self.manifest[name] = manifest[name]
