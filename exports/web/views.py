"""Pages on which owners watch their jobs. They stand in this app, the uppermost, as they show exports too."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from config.accounts.models import User
from config.api import errors
from config.api.ownership import get_visible, parse_id
from config.storage import download_url
from config.web.polling import polled
from config.web.signed_in import signed_in
from exports.models import Export
from exports.web import shown, words
from jobs.services.audit import by_editor
from jobs.services.jobs import cancel_job
from jobs.services.runs import retry_as_before


@signed_in("GET")
def jobs(request: HttpRequest, user: User) -> HttpResponse:
    """Show a page of the user's jobs, of all or of one group of states."""
    context = _list(request, user)
    groups = [(name, label, _address("jobs-page", state=name)) for name, label in words.GROUPS.items()]
    return render(request, "web/jobs/list.html", {**context, "groups": groups, "person": user})


@signed_in("GET")
def job_rows(request: HttpRequest, user: User) -> HttpResponse:
    """Return the part of that page that changes by itself."""
    return polled(request, "web/jobs/rows.html", _list(request, user))


def _list(request: HttpRequest, user: User) -> dict[str, Any]:
    group, before = request.GET.get("state", ""), request.GET.get("before", "")
    if group not in words.GROUPS:
        raise errors.invalid("state", "There is no such group of states.")
    found, following = shown.page_of_jobs(user, group, before)
    return {
        "jobs": found,
        "group": group,
        "group_label": words.GROUPS[group],
        "is_live": any(job.is_live for job in found),
        "rows_url": _address("jobs-page-rows", state=group, before=before),
        "next_url": _address("jobs-page", state=group, before=following) if following else None,
        "first_url": _address("jobs-page", state=group) if before else None,
    }


def _address(name: str, **query: Any) -> str:
    given = {key: value for key, value in query.items() if value}
    return reverse(name) + (f"?{urlencode(given)}" if given else "")


@signed_in("GET")
def job(request: HttpRequest, user: User, job_id: str) -> HttpResponse:
    """Show one job of the user's: how far it is, what it went through, what may be downloaded."""
    return render(request, "web/jobs/job.html", {**_job(user, job_id), "person": user})


@signed_in("GET")
def job_now(request: HttpRequest, user: User, job_id: str) -> HttpResponse:
    """Return the part of that page that changes by itself."""
    return polled(request, "web/jobs/now.html", _job(user, job_id))


def _job(user: User, job_id: str) -> dict[str, Any]:
    found = shown.one_job(user, job_id)
    exports = shown.exports_of(user, found)
    is_live = found.is_live or any(each.words.group == words.RUNNING for each in exports)
    return {"job": found, "steps": shown.steps_of(found), "exports": exports, "is_live": is_live}


@signed_in("GET", "POST")
def cancel(request: HttpRequest, user: User, job_id: str) -> HttpResponse:
    """Ask whether to cancel, and do it. Where scripts run, the job's own page asks, and posts its answer here."""
    found = shown.one_job(user, job_id)
    if request.method == "POST":
        cancel_job(job_id=found.row.id, by=by_editor(user))
        return HttpResponseRedirect(reverse("job-page", args=[found.row.id]))
    return render(request, "web/jobs/cancel.html", {"job": found, "person": user})


@signed_in("GET", "POST")
def retry(request: HttpRequest, user: User, job_id: str) -> HttpResponse:
    """Ask whether to try a failed job again, and do it, once for each failure.

    The form says by the job's revision which failure it saw: sent twice it is one retry, and who has not seen that the
    job has failed again since is asked anew.
    """
    found = shown.one_job(user, job_id)
    seen = request.POST.get("revision", "")
    if request.method == "POST" and (seen == str(found.row.revision) or not found.may_retry):
        request_id = f"page-{quote(seen)[:100]}"  # whatever was sent, of few characters
        retry_as_before(job_id=found.row.id, by=by_editor(user), client_request_id=request_id)
        return HttpResponseRedirect(reverse("job-page", args=[found.row.id]))
    return render(request, "web/jobs/retry.html", {"job": found, "person": user})


@signed_in("GET")
def download(request: HttpRequest, user: User, job_id: str, export_id: str) -> HttpResponse:
    """Lead to a file. Its signed URL is made when it is asked for, so no page holds one that has expired."""
    export = get_visible(Export.objects.visible_to(user).filter(job=parse_id(job_id)), export_id)
    if export.status != Export.SUCCEEDED:
        raise errors.conflict("EXPORT_NOT_READY", "This export has no file yet.", status=export.status)
    url, _ = download_url(
        export.artifact_uri, filename=export.artifact_name, mime_type=export.artifact_mime_type
    )
    return HttpResponseRedirect(url)
