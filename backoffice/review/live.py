"""Pages that refresh themselves: the script asks for the same address again and gets the one part that may have changed.

An unchanged part is 304 by its ETag. With each answer goes what the part is as of, which is no part of it: else nothing
would ever be unchanged.
"""

import hashlib
from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.http import quote_etag

from backoffice.review.reach import my_stores

ASKS, AS_OF, IS_FINAL = "X-Live-Part", "X-As-Of", "X-Live-Final"
EVERY_S = 10


def is_live_request(request: HttpRequest) -> bool:
    """Whether the script asks, and no person: nobody is at work who only looks at a page."""
    return ASKS in request.headers


def answer_live(request: HttpRequest, page: HttpResponse, *, part: str, is_final: bool = False) -> HttpResponse:
    """The page, which says how to refresh its part; to its script the part alone, or 304.

    What is final changes no more: its page has nothing to refresh, and the script of a page from before stops.
    """
    if not isinstance(page, TemplateResponse):
        return page  # a list sends elsewhere whoever asks for what it cannot show
    context = page.context_data or {}
    moment = as_of(timezone.now(), context.get("zone") or zone_of(request))
    page.context_data = {**context, "part": part, "live_every_s": 0 if is_final else EVERY_S, "as_of": moment}
    patch_vary_headers(page, [ASKS])
    if not is_live_request(request):
        return page
    page.template_name = part
    answer: HttpResponse = page.render()
    etag = quote_etag(hashlib.sha256(answer.content).hexdigest()[:32])
    answer["ETag"] = etag
    answer = get_conditional_response(request, etag=etag, response=answer) or answer
    answer[AS_OF] = moment
    if is_final:
        answer[IS_FINAL] = "1"
    return answer


def zone_of(request: HttpRequest) -> str:
    """The time zone of the reader's stores."""
    return common_zone(my_stores(request).order_by().values_list("timezone", flat=True).distinct()[:2])


def common_zone(zones: Iterable[str]) -> str:
    """The one time zone of some stores; UTC for stores in several, or none."""
    found = set(zones)
    return found.pop() if len(found) == 1 else "UTC"


def as_of(now: datetime, zone: str) -> str:
    """`14:03:10, Europe/Paris`."""
    return f"{now.astimezone(ZoneInfo(zone)):%H:%M:%S}, {zone}"
