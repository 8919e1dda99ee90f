from __future__ import annotations

from django.urls import path

from config.web import views

urlpatterns = [path("", views.start_page, name="start")]
