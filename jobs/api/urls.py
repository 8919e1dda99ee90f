from __future__ import annotations

from django.urls import path, re_path

from config.api.routers import ApiRouter
from jobs.api import viewsets

router = ApiRouter()  # tried in this order: what is asked for most comes first
router.register("internal/jobs", viewsets.CallbackViewSet, basename="callback")
router.register("jobs", viewsets.JobViewSet, basename="job")
router.register("projects", viewsets.ProjectViewSet, basename="project")
router.register("options", viewsets.OptionsViewSet, basename="options")

urlpatterns = [
    *router.urls,
    path(
        "projects/<str:project_id>/jobs",
        viewsets.ProjectJobViewSet.as_view({"get": "list", "post": "create"}),
        name="project-jobs",
    ),
    re_path(
        r"^jobs/(?P<job_id>[^/]+)/transcript\.(?P<suffix>srt|vtt)$",
        viewsets.SubtitlesViewSet.as_view({"get": "retrieve"}),
        name="job-subtitles",
    ),
]
