from __future__ import annotations

from django.urls import path

from anchors.api.viewsets import (
    AnchorAssetViewSet,
    AnchorUploadViewSet,
    AnchorViewSet,
    AssetViewSet,
    RedactionSuggestionViewSet,
    RedactionViewSet,
    ScreenshotConfirmationViewSet,
    ScreenshotTaskViewSet,
    ScreenshotUploadViewSet,
    SuggestionViewSet,
)
from config.api.routers import DetailRouter

router = DetailRouter()
router.register("anchors", AnchorViewSet, basename="anchor")
router.register("screenshot-tasks", ScreenshotTaskViewSet, basename="screenshot-task")
router.register("assets", AssetViewSet, basename="asset")
router.register("redactions", RedactionViewSet, basename="redaction")

urlpatterns = [
    *router.urls,
    path(
        "instructions/<str:instruction_id>/anchors",
        AnchorViewSet.as_view({"get": "list", "post": "create"}),
        name="instruction-anchors",
    ),
    path(
        "anchors/<str:anchor_id>/assets/<str:asset_id>",
        AnchorAssetViewSet.as_view({"delete": "destroy"}),
        name="anchor-asset",
    ),
    path(
        "jobs/<str:job_id>/screenshots/suggestions",
        SuggestionViewSet.as_view({"get": "list"}),
        name="job-screenshots-suggestions",
    ),
    path(
        "jobs/<str:job_id>/screenshots/auto",
        SuggestionViewSet.as_view({"post": "create"}),
        name="job-screenshots-auto",
    ),
    path(
        "jobs/<str:job_id>/redactions",
        RedactionViewSet.as_view({"get": "list", "post": "create"}),
        name="job-redactions",
    ),
    path(
        "jobs/<str:job_id>/redactions/suggestions",
        RedactionSuggestionViewSet.as_view({"get": "list"}),
        name="job-redaction-suggestions",
    ),
    path(
        "jobs/<str:job_id>/redactions/suggestions/accept",
        RedactionSuggestionViewSet.as_view({"post": "create"}),
        name="job-redaction-suggestions-accept",
    ),
    path(
        "jobs/<str:job_id>/screenshots/extract",
        ScreenshotTaskViewSet.as_view({"post": "create"}),
        name="job-screenshots-extract",
    ),
    path(
        "jobs/<str:job_id>/screenshots/uploads",
        ScreenshotUploadViewSet.as_view({"post": "create"}),
        name="job-screenshot-uploads",
    ),
    path(
        "jobs/<str:job_id>/screenshots/uploads/<str:upload_id>/confirm",
        ScreenshotConfirmationViewSet.as_view({"post": "create"}),
        name="job-screenshot-upload-confirm",
    ),
    path(
        "anchors/<str:anchor_id>/attach-upload",
        AnchorUploadViewSet.as_view({"post": "create"}),
        name="anchor-attach-upload",
    ),
]
