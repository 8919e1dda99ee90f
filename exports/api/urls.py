from __future__ import annotations

from django.urls import path

from config.api.routers import DetailRouter
from exports.api.viewsets import ExportViewSet

router = DetailRouter()
router.register("exports", ExportViewSet, basename="export")

urlpatterns = [
    *router.urls,
    path(
        "jobs/<str:job_id>/exports",
        ExportViewSet.as_view({"get": "list", "post": "create"}),
        name="job-exports",
    ),
]
