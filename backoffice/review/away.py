"""While PostgreSQL is away, pages of the console say so and try again by themselves: nothing of them needs the database."""

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.defaults import server_error
from psycopg_pool import PoolTimeout

RETRY_S = 5
# SQLSTATE: connection exceptions, too few resources, and a server that is starting, ending or was told to end it. What ran
# too long, or waited for a lock, is another thing: trying again by itself would make it worse.
OF_A_SERVER_AWAY = ("08", "53", "57P")


def failed_page(request: HttpRequest) -> HttpResponse:
    """Django's hook for what failed, wherever: a page of the console without its database is 503, and loads itself again."""
    exception = sys.exc_info()[1]
    if exception is None or not request.path.startswith(reverse("admin:index")) or not is_away(exception):
        return server_error(request)
    html = render_to_string("console/away.html", {"retry_s": RETRY_S, "was_sent": request.method == "POST"})
    return HttpResponse(html, status=503, headers={"Retry-After": str(RETRY_S), "Cache-Control": "no-store"})


def is_away(exception: BaseException) -> bool:
    """Whether an exception says that PostgreSQL cannot be reached."""
    if isinstance(exception, PoolTimeout):
        return True
    if not isinstance(exception, OperationalError | InterfaceError):
        return False
    state = getattr(exception.__cause__, "sqlstate", None)
    return state is None or state.startswith(OF_A_SERVER_AWAY)
