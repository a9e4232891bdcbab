"""Loopback ports: finding a free one, and checking whether a given one is free."""

import socket

LOOPBACK = "127.0.0.1"


def free_port() -> int:
    """A port that is free at this moment. Another program may take it first, so starting can still fail."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now; lingering connections of an earlier server do not count."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
