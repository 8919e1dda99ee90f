from __future__ import annotations

from django.urls import path

from config.api.routers import DetailRouter
from exports.api.viewsets import ComparisonViewSet, ExportViewSet, GuideTemplateViewSet, KeyViewSet

router = DetailRouter()
router.register("exports", ExportViewSet, basename="export")

urlpatterns = [
    *router.urls,
    path("keys", KeyViewSet.as_view({"get": "retrieve"}), name="keys"),
    path(
        "jobs/<str:job_id>/exports",
        ExportViewSet.as_view({"get": "list", "post": "create"}),
        name="job-exports",
    ),
    path(
        "instructions/<str:instruction_id>/compare",
        ComparisonViewSet.as_view({"get": "retrieve"}),
        name="instruction-compare",
    ),
    path(
        "projects/<str:project_id>/template",
        GuideTemplateViewSet.as_view({"get": "retrieve", "post": "create"}),
        name="project-template",
    ),
]
