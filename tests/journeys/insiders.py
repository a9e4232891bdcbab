"""Coming in by a browser: somebody of head office with a password and an authenticator app. And working without a mouse."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

from playwright.sync_api import Browser, Page, expect

from tests import browsing
from tests.conftest import RunningStack
from tests.signing_in import PASSWORD, code_now

WAIT_MS = 60_000
TRIES, FOCUS_MS = 5, 5_000
DESK = {"width": 1440, "height": 900}
# What keys.js goes through with j and k, and what of it gets the focus.
ROWS = "#result_list > tbody, [data-row]"
FIRST_LINK = "a[href], input:not([type=hidden]), button"
PALETTE = "#search-input-command"

# Makes somebody who has an authenticator app already: an administrator, or who has a role and works in one store.
MAKE = """
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib.auth.models import Group, User
from backoffice.books.models import Membership
from backoffice.fleet.models import Store
person = User.objects.create_user({name!r}, password={password!r}, is_staff=True, is_superuser=not {role!r})
TOTP.activate(person, {secret!r})
if {role!r}:
    person.groups.add(Group.objects.get(name={role!r}))
    Membership.objects.create(person=person).stores.add(Store.objects.get(code={store_code!r}))
if {newcomer!r}:
    User.objects.create_superuser({newcomer!r}, password={password!r})
"""


class Insider(NamedTuple):
    """Somebody with a password and an app; each code of it counts once."""

    name: str
    password: str
    secret: str


def make_insider(
    stack: RunningStack, name: str, *, newcomer: str = "", role: str = "", store_code: str = ""
) -> Insider:
    """An administrator of a running stack, who has set up everything; and another of the name `newcomer`, who has not.

    With a `role`, somebody who has that one instead, in one store.
    """
    insider = Insider(name, PASSWORD, base64.b32encode(name.encode().ljust(20, b"x")[:20]).decode())
    facts = insider._asdict() | {"newcomer": newcomer, "role": role, "store_code": store_code}
    stack.clerk.does("shell", "-c", MAKE.format(**facts))
    return insider


def come_in(page: Page, base_url: str, who: Insider) -> None:
    """Logs in as people do, with the password and a code, and ends at the dashboard."""
    page.goto(f"{base_url}/console/")
    page.get_by_label("Username").fill(who.name)
    page.get_by_label("Password").fill(who.password)
    page.get_by_role("button", name="Log in").click()
    page.get_by_label("Code from your app").fill(code_now(who.secret))
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("heading", name="Dashboard")).to_be_visible(timeout=WAIT_MS)
    page.wait_for_load_state()  # before that its scripts hear no key


@contextmanager
def desks() -> Iterator["Desks"]:
    """A browser with a window for everybody who asks for one. Ends by looking whether any has met an error."""
    expect.set_options(timeout=WAIT_MS)
    with browsing.browser() as browser:
        desks = Desks(browser)
        yield desks
    # A refusal is answered 4xx, and a browser calls that an error.
    assert [line for line in desks.errors if "the server responded with a status of 4" not in line] == []


class Desks:
    """People of head office, each at a window of their own. `errors` is what their browser complained of."""

    def __init__(self, browser: Browser) -> None:
        self.errors: list[str] = []
        self._browser = browser

    def window(self) -> Page:
        """A window in which nobody has logged in."""
        page = self._browser.new_context(viewport=DESK, color_scheme="light", reduced_motion="reduce").new_page()
        page.set_default_timeout(WAIT_MS)
        page.on("console", lambda line: self.errors.append(line.text) if line.type == "error" else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        return page

    def of(self, base_url: str, who: Insider) -> Page:
        """The window of somebody who has logged in."""
        page = self.window()
        come_in(page, base_url, who)
        return page


def said(page: Page, words: str) -> None:
    """What the console says of what was just done; then its page is there with all of its scripts."""
    expect(page.locator("[data-said]")).to_contain_text(words)
    page.wait_for_load_state()


def go_to_row(page: Page, words: str) -> None:
    """Presses j until the row with these words has the focus, which every press must move by one row."""
    page.wait_for_load_state()
    row = page.locator(ROWS).filter(has_text=words).filter(has=page.locator(FIRST_LINK)).first
    expect(row).to_be_visible()
    place = row.evaluate(
        "(row, [rows, link]) => [...document.querySelectorAll(rows)].filter(one => one.querySelector(link)).indexOf(row)",
        [ROWS, FIRST_LINK],
    )
    rows = page.locator(ROWS).filter(has=page.locator(FIRST_LINK))
    for passed in range(place + 1):
        page.keyboard.press("j")
        expect(rows.nth(passed).locator(FIRST_LINK).first).to_be_focused()


def ask_palette(page: Page, words: str) -> None:
    """Opens the palette and types; what it finds comes a moment later, in `#command-results-list`."""
    page.wait_for_load_state()
    palette = page.locator(PALETTE)
    for _ in range(TRIES):
        # A palette that was just closed may still have the focus, unseen: the keys are not heard then, and pressed again.
        if not palette.is_visible():
            page.keyboard.press("Control+k")
        with suppress(AssertionError):
            expect(palette).to_be_visible(timeout=FOCUS_MS)
            break
    expect(palette).to_be_visible()
    expect(palette).to_be_focused()
    page.keyboard.type(words)
    expect(palette).to_have_value(words)


def leave_palette(page: Page) -> None:
    """Empties the palette, then closes it."""
    page.keyboard.press("Escape")
    expect(page.locator(PALETTE)).to_have_value("")
    page.keyboard.press("Escape")
    expect(page.locator(PALETTE)).to_be_hidden()
    expect(page.locator(PALETTE)).not_to_be_focused()
