from __future__ import annotations

from django.urls import path, re_path

from jobs.api import callback, views

urlpatterns = [
    path("projects", views.Projects.as_view()),
    path("projects/<str:project_id>", views.ProjectDetail.as_view()),
    path("projects/<str:project_id>/jobs", views.ProjectJobs.as_view()),
    path("jobs", views.Jobs.as_view()),
    path("jobs/<str:job_id>", views.JobDetail.as_view()),
    path("jobs/<str:job_id>/upload", views.JobUpload.as_view()),
    path("jobs/<str:job_id>/confirm-upload", views.JobConfirmUpload.as_view()),
    path("jobs/<str:job_id>/run", views.JobRun.as_view()),
    path("jobs/<str:job_id>/retry", views.JobRetry.as_view()),
    path("jobs/<str:job_id>/cancel", views.JobCancel.as_view()),
    path("jobs/<str:job_id>/events", views.JobEvents.as_view()),
    path("jobs/<str:job_id>/transcript", views.Transcript.as_view()),
    re_path(r"^jobs/(?P<job_id>[^/]+)/transcript\.(?P<suffix>srt|vtt)$", views.Subtitles.as_view()),
    path("options/validate", views.ValidateOptions.as_view()),
    path("internal/jobs/<str:job_id>/status", callback.Callback.as_view()),
]
