"""Routes of projects and jobs. A view validates, fetches what the user may see, calls one service, answers."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.utils.http import parse_etags
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.api import errors
from config.api.files import AnyAccept
from config.api.ownership import get_visible
from config.api.pagination import PageQuery, page_response, read_page
from config.api.schema import accepted, answers
from config.api.serializers import read_body, read_query
from jobs import queries
from jobs.api import serializers as s
from jobs.models import Job, Project
from jobs.services import jobs as service
from jobs.speech import Segment
from jobs.states import MAY_SHOW_TRANSCRIPT
from jobs.subtitles import to_srt, to_vtt


class Projects(APIView):
    @extend_schema(
        operation_id="createProject", request=s.ProjectBody, responses=answers(201, s.ProjectSerializer)
    )
    def post(self, request: Request) -> Response:
        body = read_body(s.ProjectBody, request)
        project = service.create_project(owner=request.user, name=body["name"])
        return Response(s.ProjectSerializer(project).data, 201)

    @extend_schema(
        operation_id="listProjects",
        parameters=[PageQuery],
        responses=answers(200, s.ProjectSerializer, many=True),
    )
    def get(self, request: Request) -> Response:
        rows, following = read_page(Project.objects.visible_to(request.user), request)
        return page_response(s.ProjectSerializer(rows, many=True).data, following)


class ProjectDetail(APIView):
    @extend_schema(operation_id="getProject", responses=answers(200, s.ProjectSerializer, 404))
    def get(self, request: Request, project_id: str) -> Response:
        return Response(
            s.ProjectSerializer(get_visible(Project.objects.visible_to(request.user), project_id)).data
        )


class ProjectJobs(APIView):
    @extend_schema(operation_id="createJob", request=s.JobBody, responses=answers(201, s.JobSerializer, 404))
    def post(self, request: Request, project_id: str) -> Response:
        project = get_visible(Project.objects.visible_to(request.user), project_id)
        body = read_body(s.JobBody, request)
        job = service.create_job(
            project=project, options=dict(body.get("options", {"auto_screenshots": True}))
        )
        return Response(s.JobSerializer(job).data, 201)

    @extend_schema(
        operation_id="listProjectJobs",
        parameters=[s.JobQuery],
        responses=answers(200, s.JobSerializer, 404, many=True),
    )
    def get(self, request: Request, project_id: str) -> Response:
        project = get_visible(Project.objects.visible_to(request.user), project_id)
        jobs = Job.objects.visible_to(request.user).filter(project=project)
        rows, following = read_page(jobs, request, query=s.JobQuery, narrow=queries.narrow_jobs)
        return page_response(s.JobSerializer(rows, many=True).data, following)


class Jobs(APIView):
    @extend_schema(
        operation_id="listJobs", parameters=[s.JobQuery], responses=answers(200, s.JobSerializer, many=True)
    )
    def get(self, request: Request) -> Response:
        jobs = Job.objects.visible_to(request.user)
        rows, following = read_page(jobs, request, query=s.JobQuery, narrow=queries.narrow_jobs)
        return page_response(s.JobSerializer(rows, many=True).data, following)


class JobDetail(APIView):
    @extend_schema(operation_id="getJob", responses=answers(200, s.JobSerializer, 304, 404))
    def get(self, request: Request, job_id: str) -> HttpResponse:
        job = get_visible(queries.with_queue_position(Job.objects.visible_to(request.user)), job_id)
        if (
            getattr(job, "queue_position", None) is not None
        ):  # others move it without touching this row: no ETag meanwhile
            return Response(s.JobSerializer(job).data)
        etag = f'"{job.revision}"'
        if etag in parse_etags(request.headers.get("If-None-Match", "")):
            return HttpResponse(status=304, headers={"ETag": etag})
        return Response(s.JobSerializer(job).data, headers={"ETag": etag})


class JobUpload(APIView):
    @extend_schema(
        operation_id="uploadJob",
        request=s.UploadBody,
        responses=answers(201, s.UploadTicketSerializer, 404, 409),
    )
    def post(self, request: Request, job_id: str) -> Response:
        job = get_visible(Job.objects.visible_to(request.user), job_id)
        body = read_body(s.UploadBody, request)
        ticket = service.upload_job(job_id=job.pk, user=request.user, **body)
        return Response(s.UploadTicketSerializer(ticket).data, 201)


class JobConfirmUpload(APIView):
    @extend_schema(
        operation_id="confirmUpload",
        request=s.ConfirmUploadBody,
        responses=answers(200, s.ConfirmedSerializer, 404, 409),
    )
    def post(self, request: Request, job_id: str) -> Response:
        job = get_visible(Job.objects.visible_to(request.user), job_id)
        body = read_body(s.ConfirmUploadBody, request)
        job, replayed = service.confirm_upload_job(job=job, user=request.user, video_uri=body["video_uri"])
        return Response(s.ConfirmedSerializer({"job": job, "replayed": replayed}).data)


class JobRun(APIView):
    @extend_schema(
        operation_id="runJob", request=None, responses=accepted(s.RunSerializer, 404, 409, 429, 502)
    )
    def post(self, request: Request, job_id: str) -> Response:
        job = get_visible(Job.objects.visible_to(request.user), job_id)
        job, dispatch, replayed = service.run_job(job_id=job.pk, user=request.user)
        content = {"job_id": job.pk, "status": job.status, "dispatch_id": dispatch.pk, "replayed": replayed}
        poll = {} if replayed else {"Location": f"/api/v1/jobs/{job.pk}", "Retry-After": "2"}
        return Response(s.RunSerializer(content).data, 200 if replayed else 202, headers=poll)


class JobCancel(APIView):
    @extend_schema(operation_id="cancelJob", request=None, responses=answers(200, s.JobSerializer, 404, 409))
    def post(self, request: Request, job_id: str) -> Response:
        job = get_visible(Job.objects.visible_to(request.user), job_id)
        return Response(s.JobSerializer(service.cancel_job(job_id=job.pk, user=request.user)).data)


class JobEvents(APIView):
    @extend_schema(
        operation_id="listJobEvents",
        parameters=[PageQuery],
        responses=answers(200, s.EventSerializer, 404, many=True),
    )
    def get(self, request: Request, job_id: str) -> Response:
        job = get_visible(Job.objects.visible_to(request.user), job_id)
        rows, following = read_page(job.events.all(), request, oldest_first=True)
        return page_response(s.EventSerializer(rows, many=True).data, following)


def _job_with_transcript(request: Request, job_id: str) -> Job:
    job = get_visible(Job.objects.visible_to(request.user), job_id)
    if job.status not in MAY_SHOW_TRANSCRIPT or "transcript_uri" not in job.manifest:
        raise errors.conflict(
            "TRANSCRIPT_NOT_READY", "There is no transcript yet.", current_status=job.status
        )
    return job


class Transcript(APIView):
    @extend_schema(
        operation_id="getTranscript",
        parameters=[s.TranscriptQuery],
        responses=answers(200, s.TranscriptSerializer, 404, 409),
    )
    def get(self, request: Request, job_id: str) -> Response:
        job = _job_with_transcript(request, job_id)
        query = read_query(s.TranscriptQuery, request)
        items, cursor = queries.read_transcript(job, limit=query["limit"], cursor=query.get("cursor"))
        content = {"items": items, "limit": query["limit"], "next_cursor": cursor}
        return Response(s.TranscriptSerializer(content).data)


class Subtitles(APIView):
    """The transcript as a subtitle file, SubRip or WebVTT."""

    content_negotiation_class = AnyAccept
    formats: dict[str, Any] = {
        "srt": (to_srt, "application/x-subrip"),
        "vtt": (to_vtt, "text/vtt; charset=utf-8"),
    }

    @extend_schema(operation_id="getSubtitles", responses=answers(200, str, 404, 409))
    def get(self, request: Request, job_id: str, suffix: str) -> HttpResponse:
        job = _job_with_transcript(request, job_id)
        write, mime_type = self.formats[suffix]
        segments = [Segment(*row) for row in queries.segments(job).values_list("start_ms", "end_ms", "text")]
        return HttpResponse(write(segments), content_type=mime_type)
