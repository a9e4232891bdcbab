"""A connection whose client reads nothing is ended after a while, and with it the answer that waits to be read.

The server has no time-out for writing, but the kernel has one: it ends a connection on which nothing that was sent is
acknowledged, or whose other side takes nothing more, for so long (tcp(7), TCP_USER_TIMEOUT). Connections inherit it from
the socket that they come in by.
"""

import os
import socket
from contextlib import suppress

DESCRIPTORS = "/proc/self/fd"


def end_unread_connections(*, after_s: float) -> int:
    """Sets the time-out on every socket on which this process listens over TCP; returns how many those are."""
    if not os.path.isdir(DESCRIPTORS):  # noqa: PTH112 - beside listdir
        return 0
    return sum(_end_unread(int(name), after_s) for name in os.listdir(DESCRIPTORS))  # noqa: PTH208 - numbers, not paths


def _end_unread(descriptor: int, after_s: float) -> bool:
    with suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as one:  # OSError: it is no socket
        if one.family in {socket.AF_INET, socket.AF_INET6} and one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(after_s * 1000))
            return True
    return False
