"""The API description of projects, jobs, options and callbacks."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view

from config.api.schema import Responses, accepted, created_once, responses
from jobs.api import callback, examples, screen_events, serializers, transcripts

projects = extend_schema_view(
    create=extend_schema(
        operation_id="createProject",
        summary="Create a project",
        description="Makes a project of the caller's own.",
        request=serializers.ProjectBody,
        responses=created_once(serializers.ProjectSerializer),
        examples=examples.CREATE_PROJECT,
    ),
    list=extend_schema(
        operation_id="listProjects",
        summary="List projects",
        description="The caller's projects, newest first.",
        responses=responses(200, serializers.ProjectSerializer, many=True),
        examples=examples.LIST_PROJECTS,
    ),
    retrieve=extend_schema(
        operation_id="getProject",
        summary="Get a project",
        description="One project of the caller's own.",
        responses=responses(200, serializers.ProjectSerializer),
        examples=examples.GET_PROJECT,
    ),
)
project_jobs = extend_schema_view(
    create=extend_schema(
        operation_id="createJob",
        summary="Create a job in a project",
        description="Makes a job in CREATED. What is wrong with its options is refused with a hint; "
        "validateOptions says the same.",
        request=serializers.JobBody,
        responses=created_once(serializers.JobSerializer),
        examples=examples.CREATE_JOB,
    ),
    list=extend_schema(
        operation_id="listProjectJobs",
        summary="List the jobs of a project",
        description="The jobs of one project, newest first, narrowed by status and time.",
        responses=responses(200, serializers.JobSerializer, many=True),
        examples=examples.LIST_JOBS,
    ),
)
jobs = extend_schema_view(
    list=extend_schema(
        operation_id="listJobs",
        summary="List jobs",
        description="The caller's jobs in all projects, newest first, narrowed by status and time.",
        responses=responses(200, serializers.JobSerializer, many=True),
        examples=examples.LIST_JOBS,
    ),
    retrieve=extend_schema(
        operation_id="getJob",
        summary="Get a job",
        description="Where the job stands. Poll it with If-None-Match: while nothing has changed the answer is "
        "304, and costs little.",
        responses=responses(
            200,
            serializers.JobSerializer,
            response_headers=("ETag",),
            request_headers=("If-None-Match",),
        ),
        examples=examples.GET_JOB,
    ),
    destroy=extend_schema(
        operation_id="deleteJob",
        summary="Delete a job that is over, and all that hangs on it",
        description="Only of a job that is DONE, FAILED or CANCELLED. Its files go soon after; afterwards it is "
        "404.",
        request=None,
        responses=responses(202, None, "FSM_TRANSITION_INVALID"),
    ),
    upload=extend_schema(
        operation_id="uploadJob",
        summary="Get a ticket to upload the video",
        description=(
            "Moves the job to UPLOADING. Send the bytes to `upload_url` with the ticket's headers, then call "
            "confirmUpload. Called again, it gives a fresh ticket; five of a job may be open: the sixth closes the "
            "first. 507 when the owner's jobs would keep more than the quota, open tickets counted by the size that "
            "they were asked for."
        ),
        request=serializers.UploadBody,
        responses=responses(
            201,
            serializers.UploadTicketSerializer,
            "FSM_TRANSITION_INVALID",
            "FSM_TERMINAL_IMMUTABLE",
            "STORAGE_FULL",
        ),
        examples=examples.UPLOAD_JOB,
    ),
    confirm_upload=extend_schema(
        operation_id="confirmUpload",
        summary="Say which video it is",
        description=(
            "Looks at the video, keeps it under a name that no ticket writes to, and moves the job to UPLOADED. The "
            "same video_uri again is a replay; a job's video never changes. A file that is no video is refused and "
            "removed; asked again the refusal is the same, until another PUT with the ticket."
        ),
        request=serializers.ConfirmUploadBody,
        responses=responses(
            200,
            serializers.ConfirmedUploadSerializer,
            "FSM_TRANSITION_INVALID",
            "FSM_TERMINAL_IMMUTABLE",
            "VIDEO_URI_CONFLICT",
            "UPLOAD_NOT_RECEIVED",
            "UPLOAD_EXPIRED",
            "UPLOAD_VERIFICATION_FAILED",
            "STORAGE_FULL",
        ),
        examples=examples.CONFIRM_UPLOAD,
    ),
    run=extend_schema(
        operation_id="runJob",
        summary="Start the pipeline, once",
        description="Hands the job to the orchestrator, once: called again, it answers the same dispatch. After a "
        "502 it is safe to call again.",
        request=None,
        responses=accepted(
            serializers.RunResultSerializer,
            "FSM_TRANSITION_INVALID",
            "FSM_TERMINAL_IMMUTABLE",
            "ACTIVE_JOB_LIMIT_REACHED",
            "ORCHESTRATOR_DISPATCH_FAILED",
        ),
        examples=examples.RUN_JOB,
    ),
    retry=extend_schema(
        operation_id="retryJob",
        summary="Let a failed job go on from its latest checkpoint",
        description="Only of a FAILED job. What was finished before its latest checkpoint is not done again.",
        request=serializers.RetryBody,
        responses=accepted(
            serializers.RetryResultSerializer,
            "FSM_TERMINAL_IMMUTABLE",
            "RETRY_NOT_ALLOWED_STATE",
            "JOB_ALREADY_RUNNING",
            "IDEMPOTENCY_KEY_REUSED",
            "ACTIVE_JOB_LIMIT_REACHED",
            "ORCHESTRATOR_DISPATCH_FAILED",
        ),
        examples=examples.RETRY_JOB,
    ),
    cancel=extend_schema(
        operation_id="cancelJob",
        summary="Cancel a job",
        description="Ends a job that is not over. What works on it stops within seconds, and later reports are "
        "refused.",
        request=None,
        responses=responses(200, serializers.JobSerializer, "FSM_TERMINAL_IMMUTABLE"),
        examples=examples.CANCEL_JOB,
    ),
    events=extend_schema(
        operation_id="listJobEvents",
        summary="List what happened to a job, oldest first",
        description="Every change of the job and who made it; append-only.",
        responses=responses(200, serializers.AuditEventSerializer, many=True),
        examples=examples.LIST_EVENTS,
    ),
    transcript=extend_schema(
        operation_id="getTranscript",
        summary="Read the transcript",
        description="What is said, passage by passage, from TRANSCRIPT_READY on; the next page by `next_cursor`.",
        responses=responses(200, transcripts.TranscriptSerializer, "TRANSCRIPT_NOT_READY"),
        examples=examples.GET_TRANSCRIPT,
    ),
    screen_events=extend_schema(
        operation_id="getScreenEvents",
        summary="Read what the screen shows being done",
        description="Clicks, typing, scrolling and windows that open, as they are seen in the video, by time; the next "
        "page by `next_cursor`.",
        responses=responses(200, screen_events.ScreenEventsSerializer, "SCREEN_EVENTS_NOT_READY"),
        examples=examples.GET_SCREEN_EVENTS,
    ),
)
subtitles = extend_schema_view(
    retrieve=extend_schema(
        operation_id="getSubtitles",
        parameters=[OpenApiParameter("suffix", str, OpenApiParameter.PATH, enum=["srt", "vtt"])],
        summary="Read the transcript as subtitles",
        description="The transcript as a subtitle file, SubRip or WebVTT.",
        responses=responses(200, str, "TRANSCRIPT_NOT_READY", media=("application/x-subrip", "text/vtt")),
        examples=examples.GET_SUBTITLES,
    )
)
options = extend_schema_view(
    list=extend_schema(
        operation_id="getOptions",
        summary="List what may be chosen here",
        description="Names to send in a job's options, in a retry, in a rewriting and in an export. Which they are "
        "depends on how this service is set up.",
        responses=responses(200, serializers.InstalledOptionsSerializer),
        examples=examples.GET_OPTIONS,
    ),
    validate=extend_schema(
        operation_id="validateOptions",
        summary="Check options as createJob would",
        description="Wrong options are part of the answer here, each with a hint; nothing is made.",
        request=serializers.OptionsCheckBody,
        responses=responses(200, serializers.OptionsCheckSerializer),
        examples=examples.VALIDATE_OPTIONS,
    ),
)
callbacks = extend_schema_view(
    report=extend_schema(
        operation_id="reportStatus",
        summary="Report how a dispatch goes",
        description="For orchestrators. An event is applied once: sent again it is answered 200 and changes "
        "nothing. What is refused changes nothing either.",
        auth=[{"callbackSecret": []}],  # type: ignore[list-item]
        request=callback.CallbackBody,
        responses=Responses(
            {200: callback.CallbackReplaySerializer, 204: None},
            (
                "CALLBACK_UNAUTHENTICATED",
                "DOCUMENT_TOO_COMPLEX",
                "FSM_TRANSITION_INVALID",
                "FSM_TERMINAL_IMMUTABLE",
                "EVENT_ID_PAYLOAD_MISMATCH",
                "CALLBACK_OUT_OF_ORDER",
                "ARTIFACT_IMMUTABLE",
                "DISPATCH_SUPERSEDED",
                "STORAGE_FULL",
            ),
        ),
        examples=examples.REPORT_STATUS,
    )
)
