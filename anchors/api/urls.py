from __future__ import annotations

from django.urls import path

from anchors.api import views

urlpatterns = [
    path("instructions/<str:instruction_id>/anchors", views.Anchors.as_view()),
    path("anchors/<str:anchor_id>", views.AnchorDetail.as_view()),
    path("anchors/<str:anchor_id>/annotations", views.Annotations.as_view()),
    path("jobs/<str:job_id>/screenshots/extract", views.Extract.as_view()),
    path("screenshot-tasks/<str:task_id>", views.TaskDetail.as_view()),
    path("assets/<str:asset_id>/content", views.AssetContent.as_view()),
]
