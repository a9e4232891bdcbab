"""A connection whose client reads nothing is ended after a while, and with it the answer that waits to be read.

The server has no time-out for writing, but the kernel has one: it ends a connection on which nothing that was sent is
acknowledged, or whose other side takes nothing more, for so long (tcp(7), TCP_USER_TIMEOUT). What waits in the kernel
itself is bounded too: left alone it takes four megabytes of each answer. Connections inherit both from the socket that
they come in by.
"""

import os
import socket
from contextlib import suppress

DESCRIPTORS = "/proc/self/fd"
SENT_AHEAD = 256 * 1024


def end_unread_connections(*, after_s: float) -> int:
    """Sets both on every socket by which connections come to this process over TCP; returns how many those are."""
    if not os.path.isdir(DESCRIPTORS):  # noqa: PTH112 - beside listdir
        return 0
    return sum(_end_unread(int(name), after_s) for name in os.listdir(DESCRIPTORS))  # noqa: PTH208 - numbers, not paths


def _end_unread(descriptor: int, after_s: float) -> bool:
    with suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as one:  # OSError: it is no socket
        if not _takes_connections(one):
            return False
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(after_s * 1000))
        one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SENT_AHEAD)
        return True
    return False


def _takes_connections(one: socket.socket) -> bool:
    # It has a port and nobody at its other end. It may not listen yet: the server does that last.
    if one.family not in {socket.AF_INET, socket.AF_INET6} or one.type != socket.SOCK_STREAM:
        return False
    try:
        one.getpeername()
    except OSError:
        return bool(one.getsockname()[1])
    return False
