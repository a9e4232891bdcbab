"""The lanes of a web process, and the console's own connections."""

from copy import deepcopy

from django.conf import settings
from django.db import connections

from backoffice.gate.gate import Lanes
from backoffice.gate.lanes import Lane
from backoffice.postgres.backend.base import ConsoleConnections

# Strangers, probes and logins are answered in a moment, and need no more. One login at a time: hashing a password takes a
# processor for a tenth of a second.
STRANGERS, PROBES, CONSOLE, LOGINS = 2, 2, 4, 1


def make_lanes(*, tills: int) -> Lanes:
    """Lanes of threads for one web process, `tills` of them for terminals."""
    return Lanes(
        tills=Lane("tills", threads=tills),
        strangers=Lane("strangers", threads=STRANGERS),
        probes=Lane("probes", threads=PROBES),
        console=Lane("console", threads=CONSOLE, prepare=use_console_connections),
        login=Lane("login", threads=LOGINS, prepare=use_console_connections),
    )


def use_console_connections() -> None:
    """Gives this thread a connection to the same database from the console's own pool, which takes none of the tills'."""
    configured = deepcopy(connections.settings["default"])
    if settings.ROLE != "web":
        return
    configured["OPTIONS"]["application_name"] = "backoffice-console"
    configured["OPTIONS"]["pool"] |= {"min_size": 0, "max_size": settings.CONSOLE_CONNECTIONS}
    connections["default"] = ConsoleConnections(configured)
