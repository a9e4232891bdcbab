"""Every page of the console in a real browser: found from its addresses, read by somebody who may see everything."""

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import unescape
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

import httpx
from django.urls import reverse
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tests.integration.console.crawling import patterns

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-gpu",
]
SESSION_COOKIE = "sessionid"
# No page of a person's work: it ends the session, or is a list of words for scripts.
NO_PAGES = {"logout", "jsi18n", "autocomplete", "search", "language"}
# Pages that are another one each time they are asked for something else; of each kind one is enough.
ASKED = ("sales_store_days", "report_orders", "ledger_account_days")
LEADS_NOWHERE = ("_history", "_delete", "_file")
LINK = re.compile(r'href="(/console/[^"#]*)"')
OF_A_ROW = re.compile(r"/console/(\w+/\w+)/([^/?]+)/change/")
# Run by `manage.py shell` of the stack that is looked at. Whoever reads the console in a test has logged in already.
LOG_IN = """
from django.contrib.auth.models import User
from django.test import Client
from tests.signing_in import sign_in
person, _ = User.objects.get_or_create(username={name!r}, defaults=dict(is_staff=True, is_superuser=True))
client = Client()
sign_in(client, person)
print(client.cookies["sessionid"].value)
"""


class PageFound(NamedTuple):
    """A page: the name of its address, which no other page has, and the address."""

    name: str
    address: str


def log_in(manage: Callable[..., str], name: str = "claire") -> str:
    """The cookie of a session of somebody who may see everything; `manage` runs a command of the stack."""
    return manage("shell", "--verbosity=0", "--command", LOG_IN.format(name=name)).split()[-1]


@contextmanager
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield launched
        launched.close()


def enter(context: BrowserContext, base_url: str, cookie: str) -> None:
    """Gives a context the session. The theme is the one that the context prefers."""
    context.add_cookies([{"name": SESSION_COOKIE, "value": cookie, "url": base_url}])


class _Reader:
    """Reads pages one by one, and keeps those that are pages."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client
        self.found: list[PageFound] = []
        self.links: set[str] = set()

    def look(self, name: str, address: str) -> None:
        answer = self.client.get(address)
        if answer.status_code == httpx.codes.OK and answer.headers["Content-Type"].startswith("text/html"):
            self.found.append(PageFound(name, address))
            self.links |= {unescape(link) for link in LINK.findall(answer.text)}


def every_page(base_url: str, cookie: str) -> list[PageFound]:
    """One of each page that the console shows: lists, rows, and pages that are asked for something."""
    with httpx.Client(base_url=base_url, cookies={SESSION_COOKIE: cookie}, timeout=60) as client:
        reader = _Reader(client)
        named = [pattern for _, pattern in patterns() if pattern.name and pattern.name not in NO_PAGES]
        for pattern in named:
            if not pattern.pattern.regex.groups:
                reader.look(pattern.name, reverse(f"admin:{pattern.name}"))
        keys = {
            match[1].replace("/", "_"): match[2] for link in sorted(reader.links) if (match := OF_A_ROW.match(link))
        }
        for pattern in named:
            if set(pattern.pattern.converters) == {"object_id"}:
                kind = next((kind for kind in keys if pattern.name.startswith(f"{kind}_")), "")
                if kind and not pattern.name.endswith(LEADS_NOWHERE):
                    reader.look(pattern.name, reverse(f"admin:{pattern.name}", args=[unquote(keys[kind])]))
        for name, address in _asked(reader.links):
            reader.look(name, address)
        return reader.found


def _asked(links: set[str]) -> Iterator[tuple[str, str]]:
    """Of the addresses that are asked for something, one of each set of parameters."""
    pages = {reverse(f"admin:{name}"): name for name in ASKED}
    seen: set[str] = set()
    for link in sorted(links):
        parts = urlsplit(link)
        name = f"{pages.get(parts.path, '')}?{'&'.join(sorted(parse_qs(parts.query)))}"
        if parts.path in pages and parts.query and name not in seen:
            seen.add(name)
            yield name, link
