"""The addresses of the service: the terminals' API, the console, and the probes for operators."""

from django.contrib import admin
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import RedirectView

from pos_api.views.description import DescriptionPage, DescriptionView
from pos_api.views.health import livez, metrics, readyz
from pos_api.views.pages import list_problems, show_problem, show_protocol

handler400 = "pos_api.problems.refused_request"
handler500 = "backoffice.review.away.failed_page"

urlpatterns = [
    path("", csrf_exempt(RedirectView.as_view(pattern_name="admin:index", http_method_names=["get", "head"]))),
    path("api/v1/", include("pos_api.urls")),
    path("api/schema/", DescriptionView.as_view(), name="schema"),
    path("api/docs/", DescriptionPage.as_view(), name="docs"),
    path("api/protocol/", show_protocol, name="protocol"),
    path("problems/", list_problems, name="problems"),
    path("problems/<slug:code>", show_problem, name="problem"),
    path("livez", livez),
    path("readyz", readyz),
    path("metrics", metrics),
    path("console/sign-in/", include("backoffice.review.entrance.urls")),
    path("console/", admin.site.urls),
]
