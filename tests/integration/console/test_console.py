"""What holds on every page of the console: who sees it, what it may load, and how much it asks the database."""

import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.integration.console.conftest import Open
from tests.integration.console.pages import LISTS, OTHERS, every_page
from tests.signing_in import sign_in
from tests.till import Till, a_movement, a_sale, a_store

pytestmark = pytest.mark.django_db

EDITABLE = {"store", "terminal", "account", "alertrule", "quiethours", "alertrecipient", "webhookendpoint", "user"}
ADDED = EDITABLE - {"store", "terminal", "account"}
ELSEWHERE = re.compile(
    r"""(?:src|href|action|srcset|poster|data|url)\s*[=(]\s*["']?\s*((?:https?:)?//[^"'\s)>]+)""", re.IGNORECASE
)


def a_busy_day(tills: int = 1, orders: int = 3) -> list[Till]:
    """Tills of one store with orders, a held one, a conflict, movements and a close."""
    store = a_store()
    busy = []
    for number in range(tills):
        till = Till(store, name=f"Till {number + 1}")
        till.open()
        sales = [a_sale(1001 + place) for place in range(orders)]
        till.sell(*sales, a_sale(1001 + orders, total=1), movements=[a_movement()])
        till.sell(sales[0] | {"cashier": "Théo"})
        till.upload(a_sale(2000 + number))
        till.close(*sales)
        busy.append(till)
    return busy


class TestAccess:
    """Nobody reads without logging in, nobody writes what the books hold."""

    @pytest.mark.parametrize("name", ["index", *LISTS, *OTHERS])
    def test_a_stranger_is_sent_to_log_in(self, name: str) -> None:
        answer = Client().get(reverse(f"admin:{name}"))
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith(reverse("admin:login"))

    def test_who_may_see_nothing_is_refused(self) -> None:
        (till,) = a_busy_day()
        client = Client()
        sign_in(client, User.objects.create_user("new", is_staff=True))
        for name in [*LISTS, *OTHERS]:
            assert client.get(reverse(f"admin:{name}")).status_code == 403, name
        assert client.get(reverse("admin:sales_shift_change", args=[till.shift_id])).status_code == 403

    def test_who_may_view_terminals_may_not_issue_codes(self) -> None:
        (till,) = a_busy_day()
        user = User.objects.create_user("reader", is_staff=True)
        user.user_permissions.add(Permission.objects.get(codename="view_terminal"))
        client = Client()
        sign_in(client, user)
        read = client.get(reverse("admin:fleet_terminal_change", args=[till.terminal.pk]))
        assert read.status_code == 200
        assert b"Issue activation code" not in read.content
        assert client.post(reverse("admin:fleet_terminal_code", args=[till.terminal.pk])).status_code == 403

    def test_only_the_set_up_is_edited_and_only_that_of_alerts_added_and_deleted(self, head_office: Client) -> None:
        request = RequestFactory().get("/console/")
        request.user = User.objects.get(username="claire")
        for model, console in admin.site._registry.items():
            kind = model._meta.model_name
            assert console.has_add_permission(request) == (kind in ADDED), model
            assert console.has_delete_permission(request) == (kind in ADDED - {"webhookendpoint", "user"}), model
            assert console.has_change_permission(request) == (model._meta.model_name in EDITABLE), model

    @pytest.mark.parametrize(
        "name", ["sales_order", "sales_shift", "sales_helditem", "inbox_batch", "ledger_journalentry"]
    )
    def test_no_address_adds_or_deletes(self, head_office: Client, name: str) -> None:
        a_busy_day()
        listed = head_office.get(reverse(f"admin:{name}_changelist")).content.decode()
        (key, *_) = re.findall(rf"/console/{name.replace('_', '/')}/([^/]+)/change/", listed)
        assert head_office.post(reverse(f"admin:{name}_add")).status_code == 403
        assert head_office.post(reverse(f"admin:{name}_delete", args=[key]), {"post": "yes"}).status_code == 403

    @pytest.mark.parametrize("name", ["sales_order", "sales_shift", "sales_helditem", "inbox_batch", "fleet_terminal"])
    @pytest.mark.parametrize("key", ["nonsense", "0", "00000000-0000-0000-0000-000000000000", "9" * 30])
    def test_a_page_that_is_not_there_is_404(self, head_office: Client, name: str, key: str) -> None:
        assert head_office.get(reverse(f"admin:{name}_change", args=[key])).status_code == 404


class TestBrowser:
    """What a browser is allowed and asked to load."""

    def test_no_page_refers_to_another_host(self, head_office: Client) -> None:
        a_busy_day()
        found = every_page(head_office)
        assert len(found) > len(LISTS) * 1.5
        for name, read in found.items():
            assert ELSEWHERE.findall(read.html) == [], name

    def test_the_policy_forbids_what_is_elsewhere(self, head_office: Client) -> None:
        policy = head_office.get(reverse("admin:index")).headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self' 'unsafe-eval';" in policy
        assert "frame-ancestors 'none'" in policy
        assert "http" not in policy

    def test_the_login_page_has_it_too_and_the_api_none(self) -> None:
        client = Client()
        assert "Content-Security-Policy" in client.get(reverse("admin:login")).headers
        assert "Content-Security-Policy" not in client.get("/livez").headers

    def test_no_page_has_a_script_of_its_own_and_headings_are_in_order(self, head_office: Client) -> None:
        a_busy_day()
        for name, read in every_page(head_office).items():
            assert re.findall(r"<script(?![^>]*\bsrc=)[^>]*>", read.html) == [], name
            assert re.findall(r"<[^>]*\son[a-z]+\s*=", read.html) == [], name
            # Nobody who goes from heading to heading misses a level; a dialog is a document of its own.
            page = re.sub(r"<dialog\b.*?</dialog>", "", read.html, flags=re.DOTALL)
            levels = [int(level) for level in re.findall(r"<h([1-6])\b", page)]
            assert levels.count(1) == 1, (name, levels)
            assert [two for two in pairwise(levels) if two[1] > two[0] + 1] == [], (name, levels)

    def test_every_input_has_a_name_for_who_cannot_see_it(self, head_office: Client) -> None:
        for name, read in every_page(head_office).items():
            labelled = set(re.findall(r'<label[^>]*for="([^"]+)"', read.html))
            for field in re.findall(r"<(?:input|select)(?![^>]*hidden)[^>]*>", read.html):
                identifier = re.search(r'\sid="([^"]+)"', field)
                assert "aria-label" in field or (identifier and identifier[1] in labelled), (name, field)


class TestStatements:
    """Each page asks the database as often for a busy chain as for a quiet one, and never counts a table."""

    PAGES: dict[str, int] = {
        "index": 12,
        "fleet_terminal_changelist": 17,
        "fleet_store_changelist": 6,
        "inbox_batch_changelist": 12,
        "sales_order_changelist": 12,
        "sales_shift_changelist": 12,
        "sales_helditem_changelist": 13,
        "ledger_journalentry_changelist": 11,
        "ledger_account_changelist": 6,
        "ledger_trial_balance": 15,
        "ledger_account_days": 5,
        "report_sales": 16,
        "report_tax": 25,
        "report_over_short": 22,
        "report_no_receipt": 16,
        "report_risk": 16,
        "report_cash": 27,
        "report_offline": 16,
        "trail_trailentry_changelist": 7,
        "auth_user_changelist": 9,
        "sales_store_days": 13,
    }

    @pytest.mark.parametrize(("name", "most"), PAGES.items())
    def test_a_list_asks_a_fixed_number_of_times(
        self, head_office: Client, django_assert_max_num_queries: Callable[[int], Any], name: str, most: int
    ) -> None:
        a_busy_day(tills=3, orders=20)
        with django_assert_max_num_queries(most):
            assert head_office.get(reverse(f"admin:{name}")).status_code == 200

    @pytest.mark.parametrize("name", LISTS)
    def test_no_list_counts_a_table(self, head_office: Client, name: str) -> None:
        a_busy_day()
        with CaptureQueriesContext(connection) as asked:
            head_office.get(reverse(f"admin:{name}"))
        for one in asked:
            assert not re.match(
                r'SELECT COUNT\(\*\) AS "__count" FROM "(sales_order|sales_shift|ledger|inbox)', one["sql"]
            )

    def test_a_page_of_one_asks_a_fixed_number_of_times(
        self, head_office: Client, django_assert_max_num_queries: Callable[[int], Any]
    ) -> None:
        (till,) = a_busy_day(orders=30)
        with django_assert_max_num_queries(19):
            head_office.get(reverse("admin:sales_shift_change", args=[till.shift_id]))
        with django_assert_max_num_queries(16):
            head_office.get(reverse("admin:fleet_terminal_change", args=[till.terminal.pk]))


class TestPaging:
    """Lists are read by key: forward, back, and past what arrives meanwhile."""

    @pytest.mark.parametrize(
        ("name", "make"),
        [
            ("sales_order_changelist", lambda till: till.sell(*(a_sale(1001 + n) for n in range(120)))),
            ("inbox_batch_changelist", lambda till: [till.upload(a_sale(1001 + n)) for n in range(120)]),
            ("sales_helditem_changelist", lambda till: till.sell(*(a_sale(1001 + n, total=1) for n in range(120)))),
        ],
    )
    def test_every_row_is_read_once_forward_and_back(
        self, head_office: Client, name: str, make: Callable[[Till], Any]
    ) -> None:
        till = Till()
        till.open()
        make(till)
        address = f"{reverse(f'admin:{name}')}?store={till.store.pk}"

        forward = self.walk(head_office, address, "next")
        back = self.walk(head_office, forward[-1][0], "prev")

        keys = [key for _, page in forward for key in page]
        assert len(keys) == len(set(keys)) == 120
        assert [len(page) for _, page in forward] == [50, 50, 20]
        assert [page for _, page in reversed(back)] == [page for _, page in forward]

    def walk(self, client: Client, address: str, direction: str) -> list[tuple[str, list[str]]]:
        pages = []
        while address:
            html = client.get(address).content.decode()
            pages.append(
                (
                    address,
                    re.findall(r'<th[^>]*><a href="/console/\w+/\w+/([^/"]+)/change/', html)
                    or re.findall(r'href="/console/\w+/\w+/([^/"]+)/change/[^"]*" class', html),
                )
            )
            link = re.search(rf'href="([^"]+)" rel="{direction}"', html)
            address = address.partition("?")[0] + link[1].replace("&amp;", "&") if link else ""
        return pages

    @pytest.mark.parametrize("cursor", ["", "nonsense", "~", "1~2~3", "9" * 40, "2026-13-01~x", "\x00"])
    def test_a_cursor_that_was_made_up_shows_the_first_page(self, page: Open, cursor: str) -> None:
        for name in LISTS:
            page(name, after=cursor)
            page(name, before=cursor)


def test_log_in_leads_to_the_dashboard() -> None:
    User.objects.create_superuser("claire", password="a long secret")
    answer = Client().post(reverse("admin:login"), {"username": "claire", "password": "a long secret"})
    assert answer.headers["Location"] == reverse("admin:index")
