from __future__ import annotations

from django.urls import path

from config.web import views

urlpatterns = [
    path("", views.start_page, name="start"),
    path("sign-in", views.sign_in, name="sign-in"),
    path("sign-out", views.sign_out, name="sign-out"),
]
