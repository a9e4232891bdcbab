"""Tills in a browser: pages of which origins may send requests and read the answers (CORS, fetch.spec.whatwg.org).

None may unless the operator names it. It is decided here and not in Django, because what the gate answers by itself must be
readable as well, and a browser's question takes no thread (ADR 30). A token goes in a header that only the page's own code
sets, so no cookie ever counts, and `Access-Control-Allow-Credentials` is never answered.
"""

from django.conf import settings

from backoffice import metrics
from backoffice.gate.environ import Environ
from backoffice.gate.replies import Headers, Reply
from backoffice.gate.rules import API
from backoffice.tracing import HEADER, request_id

ALLOWED = frozenset(settings.CORS_ALLOWED_ORIGINS)
METHODS = "GET, PUT, POST"
TAKEN_HEADERS = "Authorization, Content-Type, Content-Encoding, Content-Digest, Prefer, X-Request-ID"
SHOWN_HEADERS = "Location, Retry-After, WWW-Authenticate, Allow, X-Request-ID"
# The most that any browser keeps the answer (Chromium: two hours).
KEPT_S = 7200
NO_CONTENT = 204


def preflight(environ: Environ) -> Reply | None:
    """The answer to a browser that asks whether a page of an allowed origin may send a request; None for all else.

    It says nothing of who may do what: the request that follows needs its token as any other does.
    """
    is_asked = environ["REQUEST_METHOD"] == "OPTIONS" and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ
    if not is_asked or not _is_allowed(environ):
        return None
    metrics.count_request(address="gate", status=NO_CONTENT)
    headers = [
        ("Access-Control-Allow-Methods", METHODS),
        ("Access-Control-Allow-Headers", TAKEN_HEADERS),
        ("Access-Control-Max-Age", str(KEPT_S)),
        (HEADER, request_id(environ.get("HTTP_X_REQUEST_ID"))),
    ]
    return Reply(NO_CONTENT, headers, b"")


def readable(environ: Environ, answer: Reply) -> Reply:
    """The answer with what a browser needs to show it to a page of an allowed origin."""
    if not ALLOWED or not environ["PATH_INFO"].startswith(API):
        return answer
    headers: Headers = [*answer.headers, ("Vary", "Origin")]
    if _is_allowed(environ):
        headers.append(("Access-Control-Allow-Origin", environ["HTTP_ORIGIN"]))
        headers.append(("Access-Control-Expose-Headers", SHOWN_HEADERS))
    return answer._replace(headers=headers)


def _is_allowed(environ: Environ) -> bool:
    return environ.get("HTTP_ORIGIN") in ALLOWED and environ["PATH_INFO"].startswith(API)
