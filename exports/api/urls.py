from __future__ import annotations

from django.urls import path

from exports.api import views

urlpatterns = [
    path("jobs/<str:job_id>/exports", views.JobExports.as_view()),
    path("exports/<str:export_id>", views.ExportDetail.as_view()),
    path("exports/<str:export_id>/manifest", views.ExportManifest.as_view()),
]
