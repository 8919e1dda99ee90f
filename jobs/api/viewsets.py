"""Projects, jobs, options and callbacks. Each action validates, fetches through `visible_to`, calls one service."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.urls import reverse
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.api import errors
from config.api.idempotency import create_once, read_key
from config.api.ownership import get_visible, parse_id
from config.api.pagination import PageQuery
from config.api.responses import accepted, created, matches_etag
from config.api.serializers import NoBody, read_body
from config.api.translation import translate
from config.api.viewsets import AnyAccept, ApiViewSet
from jobs import queries
from jobs.api import callback, schema, screen_events, serializers, transcripts
from jobs.api.options import choices, read_options, validate_options
from jobs.media.subtitles import to_srt, to_vtt
from jobs.media.transcripts import Segment
from jobs.models import Job, Project
from jobs.services.audit import by_editor
from jobs.services.callbacks import apply_callback
from jobs.services.confirmation import confirm_upload_job
from jobs.services.deletion import delete_job
from jobs.services.jobs import cancel_job, create_job, create_project
from jobs.services.refusals import note_refusal
from jobs.services.runs import retry_job, run_job
from jobs.services.uploads import upload_job
from jobs.states import MAY_SHOW_TRANSCRIPT


@schema.projects
class ProjectViewSet(ApiViewSet[Project]):
    lookup_url_kwarg = "project_id"
    query_serializers = {"list": PageQuery}

    def get_queryset(self) -> QuerySet[Project]:
        return Project.objects.visible_to(self.request.user)

    def create(self, request: Request) -> Response:
        name = read_body(serializers.ProjectBody, request)["name"]
        project, replayed = create_once(
            self.get_queryset(),
            key=read_key(request),
            body={"name": name},
            create=partial(create_project, owner=request.user, name=name),
        )
        return created(serializers.ProjectSerializer(project).data, replayed=replayed)

    def list(self, request: Request) -> Response:
        return self.page(self.get_queryset(), serializers.ProjectSerializer)

    def retrieve(self, request: Request, project_id: str) -> Response:
        return Response(serializers.ProjectSerializer(self.get_object()).data)


@schema.project_jobs
class ProjectJobViewSet(ApiViewSet[Job]):
    """The jobs of one project."""

    query_serializers = {"list": serializers.JobQuery}

    def create(self, request: Request, project_id: str) -> Response:
        project = get_visible(Project.objects.visible_to(request.user), project_id)
        options = read_options(request)
        job, replayed = create_once(
            project.jobs.all(),
            key=read_key(request),
            body={"options": options},
            create=partial(create_job, project=project, options=options),
        )
        return created(serializers.JobSerializer(queries.as_created(job)).data, replayed=replayed)

    def list(self, request: Request, project_id: str) -> Response:
        project = get_visible(Project.objects.visible_to(request.user), project_id)
        return self.page(
            queries.list_jobs(request.user, self.query, project=project), serializers.JobSerializer
        )


@schema.jobs
class JobViewSet(ApiViewSet[Job]):
    lookup_url_kwarg = "job_id"
    query_serializers = {
        "list": serializers.JobQuery,
        "events": PageQuery,
        "transcript": transcripts.TranscriptQuery,
        "screen_events": screen_events.ScreenEventQuery,
    }

    def get_queryset(self) -> QuerySet[Job]:
        return Job.objects.visible_to(self.request.user)

    def list(self, request: Request) -> Response:
        return self.page(queries.list_jobs(request.user, self.query), serializers.JobSerializer)

    def retrieve(self, request: Request, job_id: str) -> HttpResponse:
        job = queries.read_job(request.user, job_id)
        if job.queue_position is not None:
            # The position changes without a change of this row, so there is no ETag while the job waits.
            return Response(serializers.JobSerializer(job).data)
        etag = f'"{job.revision}"'
        if matches_etag(request, etag):
            return HttpResponse(status=304, headers={"ETag": etag})
        return Response(serializers.JobSerializer(job).data, headers={"ETag": etag})

    def destroy(self, request: Request, job_id: str) -> Response:
        job = self.get_object()
        read_body(NoBody, request)
        delete_job(job_id=job.pk, user=request.user)
        return accepted(None, location=_job_path(job), retry_after=1)

    @action(detail=True, methods=["post"])
    def upload(self, request: Request, job_id: str) -> Response:
        job = self.get_object()
        body = read_body(serializers.UploadBody, request)
        ticket = upload_job(job_id=job.pk, user=request.user, **body)
        return created(serializers.UploadTicketSerializer(ticket).data)

    @action(detail=True, methods=["post"], url_path="confirm-upload")
    def confirm_upload(self, request: Request, job_id: str) -> Response:
        job = self.get_object()
        body = read_body(serializers.ConfirmUploadBody, request)
        job, replayed = confirm_upload_job(job=job, user=request.user, **body)
        return Response(serializers.ConfirmedUploadSerializer({"job": job, "replayed": replayed}).data)

    @action(detail=True, methods=["post"])
    def run(self, request: Request, job_id: str) -> Response:
        job = self.get_object()
        read_body(NoBody, request)
        job, dispatch, replayed = run_job(job_id=job.pk, by=by_editor(request.user))
        content = {"dispatch": dispatch, "status": job.status, "replayed": replayed}
        answer = serializers.RunResultSerializer(content).data
        return accepted(answer, location=_job_path(job), retry_after=2, replayed=replayed)

    @action(detail=True, methods=["post"])
    def retry(self, request: Request, job_id: str) -> Response:
        job = self.get_object()
        body = read_body(serializers.RetryBody, request)
        job, dispatch, replayed = retry_job(job_id=job.pk, by=by_editor(request.user), **body)
        status = job.status if replayed else dispatch.resume_from_status
        content = {"dispatch": dispatch, "status": status, "replayed": replayed}
        answer = serializers.RetryResultSerializer(content).data
        return accepted(answer, location=_job_path(job), retry_after=2, replayed=replayed)

    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, job_id: str) -> Response:
        job = self.get_object()
        read_body(NoBody, request)
        cancelled = cancel_job(job_id=job.pk, by=by_editor(request.user))
        return Response(serializers.JobSerializer(cancelled).data)

    @action(detail=True)
    def events(self, request: Request, job_id: str) -> Response:
        return self.page(self.get_object().events.all(), serializers.AuditEventSerializer, oldest_first=True)

    @action(detail=True)
    def transcript(self, request: Request, job_id: str) -> Response:
        job = _require_transcript(self.get_object())
        limit = self.query["limit"]
        items, cursor = queries.read_transcript(job, limit=limit, cursor=self.query.get("cursor"))
        content = {"items": items, "limit": limit, "next_cursor": cursor}
        return Response(transcripts.TranscriptSerializer(content).data)

    @action(detail=True, url_path="screen-events")
    def screen_events(self, request: Request, job_id: str) -> Response:
        job = screen_events.require_events(self.get_object())
        limit = self.query["limit"]
        items, cursor = queries.read_screen_events(job, limit=limit, cursor=self.query.get("cursor"))
        content = {"items": items, "limit": limit, "next_cursor": cursor}
        return Response(screen_events.ScreenEventsSerializer(content).data)


@schema.subtitles
class SubtitlesViewSet(ApiViewSet[Job]):
    """The transcript of a job as a subtitle file, SubRip or WebVTT."""

    lookup_url_kwarg = "job_id"
    content_negotiation_class = AnyAccept
    formats: dict[str, Any] = {
        "srt": (to_srt, "application/x-subrip"),
        "vtt": (to_vtt, "text/vtt; charset=utf-8"),
    }

    def get_queryset(self) -> QuerySet[Job]:
        return Job.objects.visible_to(self.request.user)

    def retrieve(self, request: Request, job_id: str, suffix: str) -> HttpResponse:
        job = _require_transcript(self.get_object())
        write, mime_type = self.formats[suffix]
        segments = [Segment(*row) for row in queries.segments(job).values_list("start_ms", "end_ms", "text")]
        return HttpResponse(write(segments), content_type=mime_type)


@schema.options
class OptionsViewSet(ApiViewSet[Any]):
    def list(self, request: Request) -> Response:
        return Response(serializers.InstalledOptionsSerializer(choices()).data)

    @action(detail=False, methods=["post"])
    def validate(self, request: Request) -> Response:
        return Response(serializers.OptionsCheckSerializer(validate_options(request)).data)


@schema.callbacks
class CallbackViewSet(ApiViewSet[Any]):
    """Reports of the orchestrator on a job. It signs in by a secret of its own, not as a user."""

    lookup_url_kwarg = "job_id"
    query_serializers = {"report": callback.CallbackQuery}
    authentication_classes = [callback.CallbackSecret]
    permission_classes: list[Any] = []

    def handle_exception(self, exc: Exception) -> Response:
        """Answer, and keep that the callback was refused: what was begun for it has been rolled back."""
        error, answer = translate(exc), super().handle_exception(exc)
        if error.status < 500 and callback.is_from_orchestrator(self.request):
            sent_id = self.request.query_params.get("dispatch_id", "")
            note_refusal(parse_id(self.kwargs["job_id"]), callback.read_refused(self.request, error, sent_id))
        return answer

    @action(detail=True, methods=["post"], url_path="status")
    def report(self, request: Request, job_id: str) -> HttpResponse:
        report = callback.read_report(read_body(callback.CallbackBody, request), dict(request.data))
        dispatch_id = self.query.get("dispatch_id")
        replay = apply_callback(job_id=parse_id(job_id), report=report, dispatch_id=dispatch_id)
        if replay is None:
            return HttpResponse(status=204)
        content = {"job_id": job_id, "event_id": report.event_id, "replayed": True, **vars(replay)}
        return Response(callback.CallbackReplaySerializer(content).data)


def _job_path(job: Job) -> str:
    return reverse("job-detail", args=[job.pk])


def _require_transcript(job: Job) -> Job:
    """Return the job; raise a 409 while it has no transcript."""
    if job.status not in MAY_SHOW_TRANSCRIPT or "transcript" not in job.ingested_uris:
        raise errors.conflict(
            "TRANSCRIPT_NOT_READY", "There is no transcript yet.", current_status=job.status
        )
    return job
