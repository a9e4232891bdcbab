"""Who is at work on a held order: its page says so when it is opened, again while it is, and when it is left."""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from backoffice.books.claims import claim_held, release_held
from backoffice.books.refusals import NotDecided
from backoffice.domain.decisions import Verb
from backoffice.review.admin.deciding.asking import may_decide
from backoffice.review.scope import row_of
from backoffice.sales.models import HeldItem


def claim_view(request: HttpRequest, key: str) -> HttpResponse:
    """Takes a held order for whoever looks at it, or says who has it. Raises Http404, PermissionDenied."""
    item = _item(request, key)
    if isinstance(item, HttpResponse):
        return item
    try:
        claim = claim_held(item, person=request.user, now=timezone.now())  # type: ignore[arg-type]
    except NotDecided as refusal:
        return JsonResponse({"refused": refusal.detail}, status=409)
    return JsonResponse({"until": claim.until.isoformat()})


def release_view(request: HttpRequest, key: str) -> HttpResponse:
    """Gives back what the page that is left had taken. Raises Http404, PermissionDenied."""
    item = _item(request, key)
    if isinstance(item, HttpResponse):
        return item
    until = parse_datetime(request.POST.get("until", ""))
    if until is not None and until.tzinfo is not None:
        release_held(item, person=request.user, until=until)  # type: ignore[arg-type]
    return HttpResponse(status=204)


def _item(request: HttpRequest, key: str) -> HeldItem | HttpResponse:
    if not may_decide(request.user, Verb.POST):
        raise PermissionDenied
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    return row_of(request, HeldItem, key, "store")
