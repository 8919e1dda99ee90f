from __future__ import annotations

from django.urls import path

from exports.web import views

urlpatterns = [
    path("jobs", views.jobs, name="jobs-page"),
    path("jobs/rows", views.job_rows, name="jobs-page-rows"),
    path("jobs/<str:job_id>", views.job, name="job-page"),
    path("jobs/<str:job_id>/now", views.job_now, name="job-page-now"),
    path("jobs/<str:job_id>/cancel", views.cancel, name="job-page-cancel"),
    path("jobs/<str:job_id>/retry", views.retry, name="job-page-retry"),
    path("jobs/<str:job_id>/exports/<str:export_id>", views.download, name="job-page-download"),
]
