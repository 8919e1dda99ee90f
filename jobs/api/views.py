"""Routes of projects and jobs. A view validates, fetches what the user may see, calls one service, answers."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.http import HttpResponse
from django.utils.http import parse_etags
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.api import errors
from config.api.endpoint import Endpoint
from config.api.files import AnyAccept
from config.api.idempotency import create_once, created, read_key
from config.api.ownership import get_visible
from config.api.pagination import PageQuery, page_response, read_page
from config.api.schema import accepted, answers, created_once
from config.api.serializers import NoBody, read_body
from jobs import queries
from jobs.api import examples as ex
from jobs.api import serializers as s
from jobs.api.options import read_options, validate_options
from jobs.models import Job, Project
from jobs.services import jobs as service
from jobs.services.deletion import delete_job
from jobs.services.runs import retry_job, run_job
from jobs.speech import Segment
from jobs.states import MAY_SHOW_TRANSCRIPT
from jobs.subtitles import to_srt, to_vtt


class Projects(Endpoint):
    queries = {"GET": PageQuery}

    @extend_schema(
        operation_id="createProject",
        summary="Create a project",
        request=s.ProjectBody,
        responses=created_once(s.ProjectSerializer),
        examples=ex.CREATE_PROJECT,
    )
    def post(self, request: Request) -> Response:
        name = read_body(s.ProjectBody, request)["name"]
        project, replayed = create_once(
            Project.objects.visible_to(request.user),
            key=read_key(request),
            body={"name": name},
            create=partial(service.create_project, owner=request.user, name=name),
        )
        return created(s.ProjectSerializer(project).data, replayed)

    @extend_schema(
        operation_id="listProjects",
        summary="List projects",
        responses=answers(200, s.ProjectSerializer, many=True),
        examples=ex.LIST_PROJECTS,
    )
    def get(self, request: Request) -> Response:
        rows, following = read_page(Project.objects.visible_to(request.user), request, self.query)
        return page_response(s.ProjectSerializer(rows, many=True).data, following)


class ProjectDetail(Endpoint):
    @extend_schema(
        operation_id="getProject",
        summary="Get a project",
        responses=answers(200, s.ProjectSerializer),
        examples=ex.GET_PROJECT,
    )
    def get(self, request: Request, project_id: str) -> Response:
        return Response(
            s.ProjectSerializer(get_visible(Project.objects.visible_to(request.user), project_id)).data
        )


class ProjectJobs(Endpoint):
    queries = {"GET": s.JobQuery}

    @extend_schema(
        operation_id="createJob",
        summary="Create a job in a project",
        request=s.JobBody,
        responses=created_once(s.JobSerializer),
        examples=ex.CREATE_JOB,
    )
    def post(self, request: Request, project_id: str) -> Response:
        project = get_visible(Project.objects.visible_to(request.user), project_id)
        options = read_options(request)
        job, replayed = create_once(
            project.jobs.all(),
            key=read_key(request),
            body={"options": options},
            create=partial(service.create_job, project=project, options=options),
        )
        return created(s.JobSerializer(queries.as_created(job)).data, replayed)

    @extend_schema(
        operation_id="listProjectJobs",
        summary="List the jobs of a project",
        responses=answers(200, s.JobSerializer, many=True),
        examples=ex.LIST_JOBS,
    )
    def get(self, request: Request, project_id: str) -> Response:
        project = get_visible(Project.objects.visible_to(request.user), project_id)
        jobs = queries.with_queue_position(Job.objects.visible_to(request.user).filter(project=project))
        rows, following = read_page(queries.narrow_jobs(jobs, self.query), request, self.query)
        return page_response(s.JobSerializer(rows, many=True).data, following)


class Jobs(Endpoint):
    queries = {"GET": s.JobQuery}

    @extend_schema(
        operation_id="listJobs",
        summary="List jobs",
        responses=answers(200, s.JobSerializer, many=True),
        examples=ex.LIST_JOBS,
    )
    def get(self, request: Request) -> Response:
        jobs = queries.with_queue_position(Job.objects.visible_to(request.user))
        rows, following = read_page(queries.narrow_jobs(jobs, self.query), request, self.query)
        return page_response(s.JobSerializer(rows, many=True).data, following)


class JobDetail(Endpoint):
    @extend_schema(
        operation_id="getJob",
        summary="Get a job",
        responses=answers(200, s.JobSerializer, sends=("ETag",), takes=("If-None-Match",)),
        examples=ex.GET_JOB,
    )
    def get(self, request: Request, job_id: str) -> HttpResponse:
        job = get_visible(queries.with_queue_position(Job.objects.visible_to(request.user)), job_id)
        if (
            getattr(job, "queue_position", None) is not None
        ):  # others move it without touching this row: no ETag meanwhile
            return Response(s.JobSerializer(job).data)
        etag = f'"{job.revision}"'
        known = {tag.removeprefix("W/") for tag in parse_etags(request.headers.get("If-None-Match", ""))}
        if known & {etag, "*"}:
            return HttpResponse(status=304, headers={"ETag": etag})
        return Response(s.JobSerializer(job).data, headers={"ETag": etag})

    @extend_schema(
        operation_id="deleteJob",
        summary="Delete a job that is over, and all that hangs on it",
        request=None,
        responses=answers(202, None, "FSM_TRANSITION_INVALID"),
    )
    def delete(self, request: Request, job_id: str) -> Response:
        job = get_visible(Job.objects.visible_to(request.user), job_id)
        read_body(NoBody, request)
        delete_job(job_id=job.pk, user=request.user)
        return Response(status=202, headers={"Location": f"/api/v1/jobs/{job.pk}", "Retry-After": "1"})


class JobUpload(Endpoint):
    @extend_schema(
        operation_id="uploadJob",
        summary="Get a ticket to upload the video",
        request=s.UploadBody,
        responses=answers(201, s.UploadTicketSerializer, "FSM_TRANSITION_INVALID", "FSM_TERMINAL_IMMUTABLE"),
        examples=ex.UPLOAD_JOB,
    )
    def post(self, request: Request, job_id: str) -> Response:
        job = get_visible(Job.objects.visible_to(request.user), job_id)
        body = read_body(s.UploadBody, request)
        ticket = service.upload_job(job_id=job.pk, user=request.user, **body)
        return Response(s.UploadTicketSerializer(ticket).data, 201)


class JobConfirmUpload(Endpoint):
    @extend_schema(
        operation_id="confirmUpload",
        summary="Say which video it is",
        request=s.ConfirmUploadBody,
        responses=answers(
            200,
            s.ConfirmedSerializer,
            "FSM_TRANSITION_INVALID",
            "FSM_TERMINAL_IMMUTABLE",
            "VIDEO_URI_CONFLICT",
            "UPLOAD_NOT_RECEIVED",
            "UPLOAD_VERIFICATION_FAILED",
            "STORAGE_FULL",
        ),
        examples=ex.CONFIRM_UPLOAD,
    )
    def post(self, request: Request, job_id: str) -> Response:
        job = get_visible(Job.objects.visible_to(request.user), job_id)
        body = read_body(s.ConfirmUploadBody, request)
        job, replayed = service.confirm_upload_job(job=job, user=request.user, video_uri=body["video_uri"])
        return Response(s.ConfirmedSerializer({"job": job, "replayed": replayed}).data)


class JobRun(Endpoint):
    @extend_schema(
        operation_id="runJob",
        summary="Start the pipeline, once",
        request=None,
        responses=accepted(
            s.RunSerializer,
            "FSM_TRANSITION_INVALID",
            "FSM_TERMINAL_IMMUTABLE",
            "ACTIVE_JOB_LIMIT_REACHED",
            "ORCHESTRATOR_DISPATCH_FAILED",
        ),
        examples=ex.RUN_JOB,
    )
    def post(self, request: Request, job_id: str) -> Response:
        job = get_visible(Job.objects.visible_to(request.user), job_id)
        read_body(NoBody, request)
        job, dispatch, replayed = run_job(job_id=job.pk, user=request.user)
        content = {"job_id": job.pk, "status": job.status, "dispatch_id": dispatch.pk, "replayed": replayed}
        poll = {} if replayed else {"Location": f"/api/v1/jobs/{job.pk}", "Retry-After": "2"}
        return Response(s.RunSerializer(content).data, 200 if replayed else 202, headers=poll)


class JobRetry(Endpoint):
    @extend_schema(
        operation_id="retryJob",
        summary="Let a failed job go on from its latest checkpoint",
        request=s.RetryBody,
        responses=accepted(
            s.RetrySerializer,
            "FSM_TERMINAL_IMMUTABLE",
            "RETRY_NOT_ALLOWED_STATE",
            "JOB_ALREADY_RUNNING",
            "IDEMPOTENCY_KEY_REUSED",
            "ACTIVE_JOB_LIMIT_REACHED",
            "ORCHESTRATOR_DISPATCH_FAILED",
        ),
        examples=ex.RETRY_JOB,
    )
    def post(self, request: Request, job_id: str) -> Response:
        job = get_visible(Job.objects.visible_to(request.user), job_id)
        body = read_body(s.RetryBody, request)
        job, dispatch, replayed = retry_job(job_id=job.pk, user=request.user, **body)
        content = {
            "job_id": job.pk,
            "status": job.status if replayed else dispatch.resume_from_status,
            "resume_from_status": dispatch.resume_from_status,
            "checkpoint_ref": dispatch.checkpoint_ref,
            "model_profile": dispatch.model_profile,
            "dispatch_id": dispatch.pk,
            "replayed": replayed,
        }
        poll = {} if replayed else {"Location": f"/api/v1/jobs/{job.pk}", "Retry-After": "2"}
        return Response(s.RetrySerializer(content).data, 200 if replayed else 202, headers=poll)


class JobCancel(Endpoint):
    @extend_schema(
        operation_id="cancelJob",
        summary="Cancel a job",
        request=None,
        responses=answers(200, s.JobSerializer, "FSM_TERMINAL_IMMUTABLE"),
        examples=ex.CANCEL_JOB,
    )
    def post(self, request: Request, job_id: str) -> Response:
        job = get_visible(Job.objects.visible_to(request.user), job_id)
        read_body(NoBody, request)
        return Response(s.JobSerializer(service.cancel_job(job_id=job.pk, user=request.user)).data)


class JobEvents(Endpoint):
    queries = {"GET": PageQuery}

    @extend_schema(
        operation_id="listJobEvents",
        summary="List what happened to a job, oldest first",
        responses=answers(200, s.EventSerializer, many=True),
        examples=ex.LIST_EVENTS,
    )
    def get(self, request: Request, job_id: str) -> Response:
        job = get_visible(Job.objects.visible_to(request.user), job_id)
        rows, following = read_page(job.events.all(), request, self.query, oldest_first=True)
        return page_response(s.EventSerializer(rows, many=True).data, following)


def _job_with_transcript(request: Request, job_id: str) -> Job:
    job = get_visible(Job.objects.visible_to(request.user), job_id)
    if job.status not in MAY_SHOW_TRANSCRIPT or "transcript" not in job.taken_in:
        raise errors.conflict(
            "TRANSCRIPT_NOT_READY", "There is no transcript yet.", current_status=job.status
        )
    return job


class Transcript(Endpoint):
    queries = {"GET": s.TranscriptQuery}

    @extend_schema(
        operation_id="getTranscript",
        summary="Read the transcript",
        responses=answers(200, s.TranscriptSerializer, "TRANSCRIPT_NOT_READY"),
        examples=ex.GET_TRANSCRIPT,
    )
    def get(self, request: Request, job_id: str) -> Response:
        job = _job_with_transcript(request, job_id)
        limit = self.query["limit"]
        items, cursor = queries.read_transcript(job, limit=limit, cursor=self.query.get("cursor"))
        content = {"items": items, "limit": limit, "next_cursor": cursor}
        return Response(s.TranscriptSerializer(content).data)


class Subtitles(Endpoint):
    """The transcript as a subtitle file, SubRip or WebVTT."""

    content_negotiation_class = AnyAccept
    formats: dict[str, Any] = {
        "srt": (to_srt, "application/x-subrip"),
        "vtt": (to_vtt, "text/vtt; charset=utf-8"),
    }

    @extend_schema(
        operation_id="getSubtitles",
        parameters=[OpenApiParameter("suffix", str, OpenApiParameter.PATH, enum=["srt", "vtt"])],
        summary="Read the transcript as subtitles",
        responses=answers(200, str, "TRANSCRIPT_NOT_READY", media=("application/x-subrip", "text/vtt")),
        examples=ex.GET_SUBTITLES,
    )
    def get(self, request: Request, job_id: str, suffix: str) -> HttpResponse:
        job = _job_with_transcript(request, job_id)
        write, mime_type = self.formats[suffix]
        segments = [Segment(*row) for row in queries.segments(job).values_list("start_ms", "end_ms", "text")]
        return HttpResponse(write(segments), content_type=mime_type)


class ValidateOptions(Endpoint):
    @extend_schema(
        operation_id="validateOptions",
        summary="Check options as createJob would",
        request=s.AskedOptionsBody,
        responses=answers(200, s.ValidatedSerializer),
        examples=ex.VALIDATE_OPTIONS,
    )
    def post(self, request: Request) -> Response:
        return Response(s.ValidatedSerializer(validate_options(request)).data)
