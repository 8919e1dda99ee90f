"""The twin: projects and jobs of the contract by FastAPI and pydantic, with dictionaries instead of a database.

What a request for a job must have is here too: the token is checked with PyJWT, ownership by one and the same 404, an
ETag, If-None-Match, the request id, the one shape of errors, lists with a limit, a cursor and Link. BENCH_TWIN names a
JSON file with the rules of tokens and the jobs that each worker starts with.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import jwt
from fastapi import Depends, FastAPI, Header, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uuid6 import uuid7

START: dict[str, Any] = json.loads(Path(os.environ["BENCH_TWIN"]).read_text())
RULES: dict[str, Any] = START["jwt"]
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")


class Options(BaseModel):
    model_config = ConfigDict(extra="forbid")
    language: str | None = None
    model_profile: str | None = None
    prompt_template_id: str | None = None
    stt_profile: str | None = None
    title: str | None = None
    auto_screenshots: bool = True
    highlight_clicks: bool = True
    auto_redact: bool = False


class Manifest(BaseModel):
    video_uri: str | None = None
    audio_uri: str | None = None
    transcript_uri: str | None = None
    draft_uri: str | None = None
    exports: list[str] | None = None


class Failure(BaseModel):
    failure_code: str
    failure_message: str
    failed_stage: str | None
    correlation_id: str


class Job(BaseModel):
    id: str
    project_id: str
    status: str
    manifest: Manifest
    options: Options
    instruction_id: str | None = None
    failure: Failure | None = None
    queue_position: int | None = None
    created_at: datetime
    updated_at: datetime


class Project(BaseModel):
    id: str
    name: str
    created_at: datetime


class ProjectBody(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class JobBody(BaseModel):
    model_config = ConfigDict(extra="forbid")
    options: Options = Field(default_factory=Options)


class ApiError(Exception):
    def __init__(self, status: int, code: str, message: str, **details: Any) -> None:
        self.status, self.code, self.message, self.details = status, code, message, details


class RequestIds:
    """ASGI middleware: takes a request's id, or makes one, and gives it back."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = next(
            (value.decode("latin-1") for name, value in scope["headers"] if name == b"x-request-id"), ""
        )
        scope["state"]["request_id"] = found = given if REQUEST_ID.fullmatch(given) else str(uuid7())

        async def with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["X-Request-ID"] = found
            await send(message)

        await self.app(scope, receive, with_id)


app = FastAPI()
app.add_middleware(RequestIds)
jobs: dict[str, tuple[str, int, Job]] = {}
"""By id: owner, revision, job; oldest first."""
projects: dict[str, tuple[str, Project]] = {}
for row in START["jobs"]:
    jobs[row["id"]] = START["owner"], 1, Job(**row)


async def user(authorization: Annotated[str, Header()] = "") -> str:
    scheme, _, token = authorization.partition(" ")
    try:
        rules = {"algorithms": RULES["ALGORITHMS"], "issuer": RULES["ISSUER"], "audience": RULES["AUDIENCE"]}
        options: Any = {"require": ["exp", "iss", "aud", "sub"]}
        claims = jwt.decode(token, RULES["SECRET"], leeway=RULES["LEEWAY_SECONDS"], options=options, **rules)
    except jwt.PyJWTError as error:
        raise ApiError(401, "UNAUTHENTICATED", "The token is not valid.") from error
    subject: str = claims["sub"]
    return subject


User = Annotated[str, Depends(user)]
Limit = Annotated[int, Query(ge=1, le=500)]


@app.post("/api/v1/projects", status_code=201)
async def create_project(body: ProjectBody, owner: User) -> Project:
    made = Project(id=str(uuid7()), name=body.name, created_at=datetime.now(UTC))
    projects[made.id] = owner, made
    return made


@app.post("/api/v1/projects/{project_id}/jobs", status_code=201, response_model_exclude_unset=True)
async def create_job(project_id: str, body: JobBody, owner: User) -> Job:
    if projects.get(project_id, ("",))[0] != owner:
        raise not_found()
    now = datetime.now(UTC)
    about: dict[str, Any] = {"project_id": project_id, "status": "CREATED", "manifest": Manifest()}
    made = Job(id=str(uuid7()), **about, options=body.options, created_at=now, updated_at=now)
    jobs[made.id] = owner, 1, made
    return made


@app.get("/api/v1/jobs", response_model=list[Job], response_model_exclude_unset=True)
async def list_jobs(
    request: Request, response: Response, owner: User, limit: Limit = 100, cursor: str | None = None
) -> list[Job]:
    found = list(newest(owner, cursor, limit + 1))
    if len(found) > limit:
        following = request.url.include_query_params(cursor=found[limit - 1].id)
        response.headers["Link"] = f'<{following}>; rel="next"'
    return found[:limit]


def newest(owner: str, cursor: str | None, count: int) -> Iterator[Job]:
    for its_owner, _, job in reversed(jobs.values()):
        if its_owner == owner and (cursor is None or job.id < cursor):
            yield job
            count -= 1
            if not count:
                return


@app.get("/api/v1/jobs/{job_id}", response_model=Job, response_model_exclude_unset=True)
async def get_job(
    job_id: str, response: Response, owner: User, if_none_match: Annotated[str, Header()] = ""
) -> Any:
    its_owner, revision, job = jobs.get(job_id, ("", 0, None))
    if job is None or its_owner != owner:
        raise not_found()
    etag = f'"{revision}"'
    if if_none_match == etag:
        return Response(status_code=304, headers={"ETag": etag})
    response.headers["ETag"] = etag
    return job


@app.get("/healthz")
async def healthz() -> dict[str, str]:
    return {"status": "ok"}


def not_found() -> ApiError:
    return ApiError(404, "RESOURCE_NOT_FOUND", "There is no such resource.")


@app.exception_handler(ApiError)
async def show_error(request: Request, error: ApiError) -> JSONResponse:
    content = {"code": error.code, "message": error.message, "request_id": request.state.request_id}
    return JSONResponse(content | ({"details": error.details} if error.details else {}), error.status)


@app.exception_handler(RequestValidationError)
async def show_invalid(request: Request, error: RequestValidationError) -> JSONResponse:
    found = [
        {"field": ".".join(map(str, one["loc"][1:])), "code": one["type"], "message": one["msg"]}
        for one in error.errors()
    ]
    invalid = ApiError(400, "VALIDATION_ERROR", "The request is not valid.", errors=found)
    return await show_error(request, invalid)


@app.exception_handler(HTTPException)
async def show_http_error(request: Request, error: HTTPException) -> JSONResponse:
    if error.status_code == 404:
        return await show_error(request, not_found())
    return await show_error(request, ApiError(error.status_code, "METHOD_NOT_ALLOWED", "Not taken here."))
