"""The paths of the service. A trailing slash is a 404, as a redirect would lose the body of a request."""

from __future__ import annotations

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularSwaggerSplitView

from config import description, health
from config.accounts.pages import second_factor

admin.autodiscover()
admin.site.index_template, admin.site.login_template = "admin/front.html", "admin/sign_in.html"
handler400 = "config.api.translation.handler400"
handler403 = "config.web.admin_errors.handler403"
handler404 = "config.web.admin_errors.handler404"
handler500 = "config.web.admin_errors.handler500"

api: list[URLPattern | URLResolver] = [
    path("", include("jobs.api.urls")),
    path("", include("instructions.api.urls")),
    path("", include("anchors.api.urls")),
    path("", include("exports.api.urls")),
    path("", include("config.storage.urls")),
    path("openapi.json", description.DescriptionView.as_view(), name="openapi"),
]
urlpatterns = [
    path("api/v1/", include(api)),
    path(
        "api/docs", SpectacularSwaggerSplitView.as_view(url_name="openapi", metadata_class=None), name="docs"
    ),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("admin/second-factor/", admin.site.admin_view(second_factor), name="second_factor"),
    path("admin/", admin.site.urls),
    path("", include("exports.web.urls")),
    path("", include("config.web.urls")),
]
