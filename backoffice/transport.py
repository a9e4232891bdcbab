"""HTTP to addresses outside, as people typed them in: what a name leads to is checked when connecting, and only that is connected to.

A name that led to a public address when it was typed in may lead elsewhere later, and elsewhere again between two look-ups.
So it is looked up once for each connection, and the connection is made to the very address that was checked. An answer, and
all the time until it is there, are bounded.
"""

import ipaddress
import socket
import ssl
import time
from collections.abc import Iterable, Mapping
from functools import cache
from typing import NamedTuple

import certifi
import httpcore

MAX_ANSWER = 64 * 1024
SHOWN = 1000
MOST_ADDRESSES = 4


class AddressRefused(Exception):
    """A name leads to an address inside: private, loopback, link-local, or of no single machine."""


class NotDelivered(Exception):
    """There was no answer; the message says why in a few words."""

    def __init__(self, words: str, *, was_slow: bool = False) -> None:
        super().__init__(words)
        self.was_slow = was_slow


class HttpAnswer(NamedTuple):
    """A status, and the beginning of the body."""

    status: int
    body: bytes

    @property
    def text(self) -> str:
        """As much of it as is shown."""
        return self.body[:SHOWN].decode(errors="replace").replace("\0", "\N{REPLACEMENT CHARACTER}")


def send_request(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    body: bytes = b"",
    timeout_s: float,
    allows_internal: bool,
) -> HttpAnswer:
    """One request on a connection of its own; redirects are answers like any other. Raises NotDelivered."""
    network = _CheckedNetwork(deadline=time.monotonic() + timeout_s, allows_internal=allows_internal)
    try:
        with (
            httpcore.ConnectionPool(ssl_context=_trusted(), network_backend=network) as pool,
            pool.stream(method, url, headers=[*headers.items(), ("connection", "close")], content=body) as response,
        ):
            return HttpAnswer(response.status, _beginning(response.iter_stream()))
    except AddressRefused as error:
        raise NotDelivered(str(error)) from error
    except httpcore.TimeoutException as error:
        raise NotDelivered(f"no answer within {timeout_s:g} s", was_slow=True) from error
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol) as error:
        raise NotDelivered(str(error)[:200] or type(error).__name__) from error
    except (OSError, UnicodeError, ValueError) as error:  # a name that is none, TLS
        raise NotDelivered(f"{type(error).__name__}: {error}"[:200]) from error


def is_inside(address: str) -> bool:
    """Whether an address is not of one machine on the public internet, also where it hides one of IPv4 in IPv6."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return is_inside(str(found.ipv4_mapped))
        if found.sixtofour is not None or found.teredo is not None:
            return True
    return not found.is_global or found.is_multicast or found.is_reserved or found.is_unspecified


@cache
def _trusted() -> ssl.SSLContext:
    """Who is believed: the machine's own authorities, as of an intranet, and those that browsers know."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


def _beginning(pieces: Iterable[bytes]) -> bytes:
    """As much of a body as anybody reads; who sends more than that is not listened to any longer."""
    read = bytearray()
    for piece in pieces:
        read += piece
        if len(read) > MAX_ANSWER:
            break
    return bytes(read)


class _CheckedNetwork(httpcore.NetworkBackend):
    """Looks a name up once, and connects to one of its addresses if none of them is inside."""

    def __init__(self, *, deadline: float, allows_internal: bool) -> None:
        self._deadline = deadline
        self._allows_internal = allows_internal
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise httpcore.ConnectError(f"{host} has no address: {error}") from error
        addresses = list(dict.fromkeys(str(place[0]) for *_, place in found))
        if not self._allows_internal and any(is_inside(address) for address in addresses):
            raise AddressRefused(f"{host} leads to an address inside, and such are refused")
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in addresses[:MOST_ADDRESSES]:
            try:
                stream = self._plain.connect_tcp(address, port, _left(self._deadline), local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return _BoundedStream(stream, self._deadline)
        raise failure


class _BoundedStream(httpcore.NetworkStream):
    """A stream that is over at a deadline, however slowly each byte comes."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(self._deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(self._deadline))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, _left(self._deadline))
        return _BoundedStream(stream, self._deadline)

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("the time is over")
    return left
