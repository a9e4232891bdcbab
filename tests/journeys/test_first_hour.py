"""The first hour of a new installation: its first person, store and till, until the first sale is there."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from backoffice.workbench.embedded.stack import Stack
from tests.browsing import CHROMIUM
from tests.conftest import HURRY, RunningStack
from tests.journeys.http_till import HttpTill
from tests.journeys.insiders import desks, said
from tests.migrated import migrated
from tests.signing_in import PASSWORD, code_now
from tests.till import a_heartbeat, a_sale
from tests.told import remember_secrets

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="No Chromium is installed: apt-get install chromium")

# `manage.py createsuperuser`, as somebody answers it.
FIRST_PERSON = """
import os
from django.core.management import call_command
os.environ["DJANGO_SUPERUSER_PASSWORD"] = "{password}"
call_command("createsuperuser", interactive=False, username="claire", email="")
"""
# A live page asks every ten seconds.
A_LOOK_MS = 10_000


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[RunningStack]:
    """A Back Office in which nothing has happened yet, but that somebody has a login."""
    with (
        (tmp_path / "log").open("a") as log,
        Stack(migrated(tmp_path / "data"), workers=1, log=log, extra_environment=HURRY) as running,
        RunningStack(running) as ready,
    ):
        ready.clerk.does("shell", "-c", FIRST_PERSON.format(password=PASSWORD))
        yield ready


@pytest.fixture
def page() -> Iterator[Page]:
    with desks() as room:
        yield room.window()


def test_the_first_hour_of_a_new_installation(installation: RunningStack, page: Page) -> None:
    _come_in_for_the_first_time(page, installation.base_url)
    expect(page.get_by_role("heading", name="Nothing is set up yet")).to_be_visible()

    page.get_by_role("link", name="Create a store").click()
    page.get_by_label("Name").fill("Paris Bastille")
    page.get_by_label("Code").fill("PAR1")
    page.get_by_label("Time zone").select_option("Europe/Paris")
    page.get_by_label("Currency").select_option("EUR")
    page.get_by_role("button", name="Create the store").click()
    said(page, "Its first terminal is next.")

    page.clock.install()
    page.get_by_label("Name").fill("Till 1")
    page.get_by_role("button", name="Create it and show its code").click()
    expect(page.get_by_role("heading", name="Waiting for the code to be used")).to_be_visible()
    code = page.locator(".c-secret").inner_text()
    remember_secrets(code)
    assert re.fullmatch(r"[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}", code)
    picture = page.get_by_role("img", name="The same code, for a scanner")
    expect(picture.locator("path").first).to_be_visible()

    till = HttpTill(installation, code=code)
    _look_again(page)
    expect(page.get_by_role("heading", name="The code was used. Waiting for the first heartbeat")).to_be_visible()
    expect(page.locator(".c-secret")).to_have_text(code)
    till.send("PUT", "terminal/heartbeat", a_heartbeat())
    _look_again(page)
    expect(page.get_by_role("heading", name="Till 1 is there")).to_be_visible()
    expect(page.get_by_text("It can sell now.")).to_be_visible()

    page.get_by_role("link", name="To the terminal's page").click()
    expect(page.get_by_text("In sync", exact=True)).to_be_visible()
    page.goto(page.url.replace("/change/", "/arrival/"))
    expect(page.get_by_role("heading", name="Till 1 is there")).to_be_visible()
    expect(page.locator(".c-secret")).to_have_count(0)  # a code is shown once
    _it_sells(page, installation, till)


def _come_in_for_the_first_time(page: Page, base_url: str) -> None:
    """With the password, which opens nothing before there is a second factor; then its recovery codes; then the dashboard."""
    page.goto(f"{base_url}/console/")
    page.get_by_label("Username").fill("claire")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Set up a second factor")).to_be_visible()
    page.get_by_role("link", name="Set up an app").click()
    expect(page.get_by_role("img", name="Picture for the app")).to_be_visible()
    page.get_by_label("Code that the app shows").fill(code_now(page.locator("code").inner_text()))
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_label("Recovery codes").get_by_role("listitem")).to_have_count(10)
    page.get_by_role("link", name="I have kept them").click()


def _look_again(page: Page) -> None:
    """What the page asks for by itself after ten seconds, of which nobody here wants to wait."""
    page.wait_for_load_state()
    page.clock.fast_forward(A_LOOK_MS)


def _it_sells(page: Page, installation: RunningStack, till: HttpTill) -> None:
    """The dashboard leads nowhere by the hand any more, and has the first sale."""
    till.open()
    till.processed(till.upload(a_sale(1001)).json()["batch_id"])
    page.goto(f"{installation.base_url}/console/")
    expect(page.get_by_role("heading", name="Nothing is set up yet")).to_have_count(0)
    page.locator("#nav-sidebar").get_by_text("Orders", exact=True).click()
    page.get_by_role("link", name="1001*").click()
    expect(page.get_by_label("Receipt")).to_contain_text("Paris Bastille")
