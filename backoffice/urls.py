"""The addresses of the service: the terminals' API, the console, and the probes for operators."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularSwaggerView

from pos_api.views.description import DescriptionView
from pos_api.views.health import livez, metrics, readyz

handler400 = "pos_api.problems.refused_request"

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("api/v1/", include("pos_api.urls")),
    path("api/schema/", DescriptionView.as_view(), name="schema"),
    path(
        "api/docs/",
        SpectacularSwaggerView.as_view(url_name="schema", authentication_classes=[], permission_classes=[]),
        name="docs",
    ),
    path("livez", livez),
    path("readyz", readyz),
    path("metrics", metrics),
    path("console/", admin.site.urls),
]
