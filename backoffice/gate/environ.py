"""A request as WSGI has it (PEP 3333), except the body."""

import sys
from typing import Any

from granian.rsgi import Scope

Environ = dict[str, Any]

# The two headers that have names of their own in WSGI.
OWN_NAMES = {"content-length": "CONTENT_LENGTH", "content-type": "CONTENT_TYPE"}


def wsgi_environ(scope: Scope) -> Environ:
    """The request's environ.

    Headers with an underscore in their name are left out: WSGI could not tell them from those that a proxy sets or removes.
    """
    server, _, port = scope.server.rpartition(":")
    client, _, client_port = scope.client.rpartition(":")
    environ = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": _as_wsgi(scope.path),
        "QUERY_STRING": _as_wsgi(scope.query_string),
        "SERVER_NAME": server,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": client.strip("[]"),
        "REMOTE_PORT": client_port,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in scope.headers.items():
        if "_" in name:
            continue
        key = OWN_NAMES.get(name) or f"HTTP_{name.upper().replace('-', '_')}"
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    if scope.authority and "HTTP_HOST" not in environ:  # HTTP/2
        environ["HTTP_HOST"] = scope.authority
    return environ


def content_length(environ: Environ) -> int:
    """The declared length of the body; 0 where it is absent or not a number, which Django judges."""
    declared = environ.get("CONTENT_LENGTH", "")
    return int(declared) if declared.isascii() and declared.isdigit() and len(declared) < MOST_DIGITS else 0


# A longer number is none that a body has, and turning one of thousands of digits into an int raises.
MOST_DIGITS = 19


def _as_wsgi(text: str) -> str:
    # WSGI has each byte as the character with its number.
    return text if text.isascii() else text.encode().decode("latin-1")
