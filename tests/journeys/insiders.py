"""Coming in by a browser: somebody of head office with a password and an authenticator app."""

import base64
from typing import NamedTuple

from playwright.sync_api import Page, expect

from tests.conftest import RunningStack
from tests.signing_in import PASSWORD, code_now

# Makes somebody who has an authenticator app already.
MAKE = """
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib.auth.models import User
person = User.objects.create_superuser({name!r}, password={password!r})
TOTP.activate(person, {secret!r})
if {newcomer!r}:
    User.objects.create_superuser({newcomer!r}, password={password!r})
"""


class Insider(NamedTuple):
    """Somebody with a password and an app; each code of it counts once."""

    name: str
    password: str
    secret: str


def make_insider(stack: RunningStack, name: str, *, newcomer: str = "") -> Insider:
    """An administrator of a running stack, who has set up everything; and another of the name `newcomer`, who has not."""
    insider = Insider(name, PASSWORD, base64.b32encode(name.encode().ljust(20, b"x")[:20]).decode())
    stack.clerk.does("shell", "-c", MAKE.format(**insider._asdict(), newcomer=newcomer))
    return insider


def come_in(page: Page, base_url: str, who: Insider) -> None:
    """Logs in as people do, with the password and a code, and ends at the dashboard."""
    page.goto(f"{base_url}/console/")
    page.get_by_label("Username").fill(who.name)
    page.get_by_label("Password").fill(who.password)
    page.get_by_role("button", name="Log in").click()
    page.get_by_label("Code from your app").fill(code_now(who.secret))
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("heading", name="Dashboard")).to_be_visible(timeout=60_000)
