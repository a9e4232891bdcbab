"""Which requests may bring a body, how large, and what is asked for before any of it is read: a token, or a session.

A body that no rule allows is never read: what Django then finds is an empty one, and it says what was wrong with the
request without looking at it. A test compares this table with the addresses that Django has.
"""

import re
from typing import NamedTuple

from django.conf import settings

from pos_api.limits import MAX_SMALL_BODY


class BodyRule(NamedTuple):
    """`most_bytes` as sent. With `needs_token` nothing is read for whoever is no terminal, with `needs_session` for
    whoever is not signed in at the console.
    """

    most_bytes: int
    needs_token: bool
    needs_session: bool = False


UPLOAD = BodyRule(settings.MAX_BATCH_BYTES, needs_token=True)
MESSAGE = BodyRule(MAX_SMALL_BODY, needs_token=True)
ACTIVATION = BodyRule(MAX_SMALL_BODY, needs_token=False)
FORM = BodyRule(settings.DATA_UPLOAD_MAX_MEMORY_SIZE, needs_token=False)
FILE = BodyRule(settings.FILE_UPLOAD_MAX_MEMORY_SIZE, needs_token=False, needs_session=True)

API = "/api/v1/"
CONSOLE = "/console/"
# Where a password is checked.
LOGINS = frozenset({"/console/login/", "/console/sign-in/again/password/"})
PROBES = frozenset({"/livez", "/readyz", "/metrics"})

_TAKES_A_BODY = re.compile(
    r"PUT /api/v1/(?:(?P<upload>shifts/[^/]+/(?:batches/[^/]+|close))|(?P<message>shifts/[^/]+|terminal/heartbeat))"
    r"|(?P<activation>POST /api/v1/activations)"
    r"|(?P<file>POST /console/fleet/terminal/cache/\Z)"
    r"|(?P<form>POST /console/)",
)
_RULES = {"upload": UPLOAD, "message": MESSAGE, "activation": ACTIVATION, "file": FILE, "form": FORM}


def body_rule(method: str, path: str) -> BodyRule | None:
    """The rule for a request; None where it may bring no body."""
    request = f"{method} {path}"
    found = _TAKES_A_BODY.match(request)
    if found is None or not found.lastgroup:
        return None
    if found.lastgroup != "form" and found.end() != len(request):
        return None
    return _RULES[found.lastgroup]
