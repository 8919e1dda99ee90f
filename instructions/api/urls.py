from __future__ import annotations

from django.urls import path

from instructions.api import views

urlpatterns = [
    path("instructions/<str:instruction_id>", views.InstructionDetail.as_view()),
    path("instructions/<str:instruction_id>/versions", views.Versions.as_view()),
]
