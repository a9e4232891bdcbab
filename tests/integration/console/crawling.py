"""Reads every page of the console: along every link from the dashboard, and every address that the console has."""

import re
from collections.abc import Callable, Iterable, Iterator
from html import unescape
from typing import Any, NamedTuple
from urllib.parse import urldefrag, urljoin

from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

MOST_BYTES = 3 * 1024 * 1024
"""The largest page: two originals of the largest size that is shown, all of it escaped."""

# What is said of an address that shows no page: elsewhere, not allowed, not there, not asked for in this way.
NO_PAGE = {302, 403, 404, 405}
LINK = re.compile(r'\s(?:href|action|hx-get)="([^"]*)"')
# The filters of the list that a page was reached from.
FROM_LIST = re.compile(r"(?<=[?&])_changelist_filters=[^&]*&?")


class Read(NamedTuple):
    """An answer of the console."""

    address: str
    status: int
    html: str
    error: str


def read(client: Client, address: str) -> Read:
    """One answer; an exception of the console is told as its error. `client` must not raise it."""
    answer = client.get(address)
    failed = getattr(answer, "exc_info", None)
    text = answer.content.decode() if not answer.streaming else ""
    return Read(address, answer.status_code, text, "" if failed is None else f"{failed[0].__name__}: {failed[1]}"[:300])


def links_of(page: Read) -> set[str]:
    """Every address of the console that a page leads to, as a browser would ask for it."""
    found = {urldefrag(urljoin(page.address, unescape(link)))[0] for link in LINK.findall(page.html)}
    return {link for link in found if link.startswith(reverse("admin:index")) and "/logout/" not in link}


def crawl(client: Client, addresses: Iterable[str], *, follow: Callable[[str], bool] = lambda _: True) -> list[Read]:
    """Reads `addresses` and all that they lead to, each once; of what they lead to only what `follow` says.

    A page is the same one whatever list it was reached from.
    """
    waiting = list(dict.fromkeys(addresses))
    known, pages = {_without_list(address) for address in waiting}, []
    while waiting:
        page = read(client, waiting.pop())
        pages.append(page)
        for link in sorted(links_of(page)):
            if _without_list(link) not in known and follow(link):
                known.add(_without_list(link))
                waiting.append(link)
    return pages


def _without_list(address: str) -> str:
    return FROM_LIST.sub("", address).rstrip("?&")


def patterns() -> Iterator[tuple[str, URLPattern]]:
    """Every address of the console as Django spells it (`sales/order/<path:object_id>/change/`), with its pattern."""
    (console,) = (
        one for one in get_resolver().url_patterns if isinstance(one, URLResolver) and one.namespace == "admin"
    )
    yield from _below(console, "")


def _below(resolver: URLResolver, before: str) -> Iterator[tuple[str, URLPattern]]:
    for pattern in resolver.url_patterns:
        place = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _below(pattern, place)
        else:
            yield place, pattern


def addresses_of(keys: Callable[[type[Model]], Iterable[Any]]) -> list[str]:
    """Every address of the console: those without a part that varies, and those of a row with each of its `keys`."""
    found = []
    for _, pattern in patterns():
        names = set(pattern.pattern.converters)
        if pattern.name is None:
            continue
        if not names and not pattern.pattern.regex.groups:
            found.append(reverse(f"admin:{pattern.name}"))
        elif names == {"object_id"}:
            found += [reverse(f"admin:{pattern.name}", args=[key]) for key in keys(model_of(pattern.name))]
    return [address for address in found if "/logout/" not in address]


def model_of(name: str) -> type[Model]:
    """The model that a named address belongs to: `sales_order_change` is of orders."""
    for model in admin.site._registry:
        options = model._meta
        if name.startswith(f"{options.app_label}_{options.model_name}_"):
            return model
    raise AssertionError(f"{name} is of no model that the console shows")


def broken(pages: Iterable[Read]) -> list[str]:
    """What is wrong with pages that were read: errors, and pages without an end."""
    return [
        f"{page.address}: {page.status}, {len(page.html):,} characters. {page.error}"
        for page in pages
        if page.status not in {200, *NO_PAGE} or page.error or len(page.html) > MOST_BYTES
    ]
