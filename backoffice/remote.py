"""Where a request comes from, for limits per address and for the log."""

import ipaddress
from collections.abc import Mapping
from typing import Any

from django.conf import settings

HERE = "127.0.0.1"
# Whoever has one address of IPv6 has a network of this size.
IPV6_PREFIX = 64


def remote_address(environ: Mapping[str, Any]) -> str:
    """The address that a request comes from; of IPv6 its network. An address that cannot be read is "unknown".

    Behind the proxy it is what the proxy added last to X-Forwarded-For; what stands before that anybody can write.
    """
    forwarded = environ.get("HTTP_X_FORWARDED_FOR", "") if settings.BEHIND_TLS else ""
    claimed = forwarded.rpartition(",")[2].strip() or environ.get("REMOTE_ADDR", "")
    try:
        address = ipaddress.ip_address(claimed)
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, IPV6_PREFIX), strict=False))


def is_this_machine(address: str) -> bool:
    """Whether a request was made on this very machine, and not through a proxy: by its own tools, its simulated tills."""
    try:
        return ipaddress.ip_network(address).is_loopback
    except ValueError:
        return False
