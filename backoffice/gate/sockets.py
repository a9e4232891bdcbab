"""A connection whose client reads nothing is ended after a while, and with it the answer that waits to be read.

The server has no time-out for writing, but the kernel has one: it ends a connection on which nothing that was sent is
acknowledged, or whose other side takes nothing more, for so long (tcp(7), TCP_USER_TIMEOUT). What waits in the kernel
itself is bounded too: left alone it takes four megabytes of each answer. Connections inherit both from the socket that
they come in by.
"""

import asyncio
import os
import socket
from contextlib import suppress

DESCRIPTORS = "/proc/self/fd"
SENT_AHEAD = 256 * 1024
LOOK_EVERY_S = 0.05


async def end_unread_connections(*, after_s: float) -> None:
    """Sets both on the sockets by which connections come to this process over TCP, as soon as there are any."""
    if not os.path.isdir(DESCRIPTORS):  # noqa: ASYNC240, PTH112 - it is in memory
        return
    # The server listens last, and says to nobody that it does.
    while not sum(_end_unread(int(name), after_s) for name in os.listdir(DESCRIPTORS)):  # noqa: ASYNC110, PTH208
        await asyncio.sleep(LOOK_EVERY_S)


def _end_unread(descriptor: int, after_s: float) -> bool:
    with suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as one:  # OSError: it is no socket
        if one.family in {socket.AF_INET, socket.AF_INET6} and one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(after_s * 1000))
            one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SENT_AHEAD)
            return True
    return False
