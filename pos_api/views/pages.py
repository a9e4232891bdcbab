"""The pages for people who build terminals: the protocol, and one page for each problem.

Like the OpenAPI document they need no credential, are made once, and hold nothing of the request.
"""

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from pos_api.description import pages
from pos_api.problems import TITLES

# They load nothing: no script, no picture, no style but their own.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


@csrf_exempt  # a POST is 405, which is no case for the log
@require_safe
def show_protocol(request: HttpRequest) -> HttpResponse:
    """`/api/protocol/`."""
    return _answer(pages.protocol_page())


@csrf_exempt
@require_safe
def list_problems(request: HttpRequest) -> HttpResponse:
    """`/problems/`."""
    return _answer(pages.problems_page())


@csrf_exempt
@require_safe
def show_problem(request: HttpRequest, code: str) -> HttpResponse:
    """`/problems/{code}`: the path of a problem's `type`."""
    if code not in TITLES:
        raise Http404
    return _answer(pages.problem_page(code))


def _answer(page: str) -> HttpResponse:
    return HttpResponse(page, headers={"Content-Security-Policy": POLICY})
