"""Requests that wait for a second person: a queue of their own, the oldest first."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from backoffice.books.models import Decision
from backoffice.domain.decisions import Verb
from backoffice.review.admin.deciding.asking import may_decide
from backoffice.review.caches import file_url
from backoffice.review.decision_words import reason_titles, shifts_named_in, sides_of, typed_paper, verb_of
from backoffice.review.decisions import waiting_requests
from backoffice.review.pages import console_page
from backoffice.review.rights import may_see
from backoffice.review.scope import rows_of
from backoffice.review.subjects import subjects_of

REQUESTS_SHOWN = 50


def waiting_view(request: HttpRequest) -> HttpResponse:
    """The oldest requests, each with what this reader may answer, and why not. Raises PermissionDenied."""
    if not may_see(request)["decision"]:
        raise PermissionDenied
    rows: list[Any] = list(
        waiting_requests(rows_of(request, Decision)).order_by("asked_at", "id")[: REQUESTS_SHOWN + 1]
    )
    shown = rows[:REQUESTS_SHOWN]
    prefetch_related_objects(shown, "store", "person")
    subjects, titles, called = subjects_of(shown), reason_titles(shown), shifts_named_in(shown)
    for row in shown:
        row.verb_name = verb_of(row)
        row.about_what = subjects[row.pk]
        row.reason_title = titles.get((row.verb, row.reason), row.reason)
        row.sides = [side for side in sides_of(row, None, called=called) if side.second]
        row.paper = typed_paper(row)
        row.file_url = file_url(row) if may_decide(request.user, Verb(row.verb)) else ""
        row.may_withdraw = row.person_id == request.user.pk
        row.may_answer = not row.may_withdraw and may_decide(request.user, Verb(row.verb))
    context = {"title": _("Waiting for a second person"), "rows": shown, "has_more": len(rows) > REQUESTS_SHOWN}
    return console_page(request, "console/waiting.html", context)
