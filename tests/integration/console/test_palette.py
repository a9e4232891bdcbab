"""The command palette: exact look-ups of what one has in one's hands, by one's own rights."""

import re
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from backoffice.sales.models import Order
from tests.integration.console.deciding import Desk
from tests.till import Till, a_sale, a_store

pytestmark = pytest.mark.django_db


def found(desk: Desk, term: Any) -> dict[str, str]:
    """What the palette finds: where each leads, by its title."""
    html = desk.client.get(reverse("admin:search"), {"s": term}).content.decode()
    links = re.findall(r'href="([^"]*)" data-title="([^"]*)"', html)
    return {unescape(title): unescape(link) for link, title in links}


@pytest.fixture
def sold(till: Till) -> Order:
    """Order 1001 of a till, beside one that is held under its number, and another till's."""
    till.sell(a_sale(1001))
    till.sell(a_sale(1001, cashier="Théo"))
    other = Till(a_store(code="LYONPD", name="Lyon Part-Dieu"), name="Till Nine")
    other.open(number=1001)
    other.sell(a_sale(1001))
    return Order.objects.get(terminal=till.terminal)


def test_a_number_code_name_or_identifier_leads_to_what_it_names(till: Till, sold: Order) -> None:
    desk = Desk()
    everywhere = desk.client.get(reverse("admin:search"), {"s": "1001*"}).content.decode()
    assert everywhere.count('data-title="Order 1001*"') == 2
    for title in ("Held: order 1001", "Shift 1001"):
        assert f'data-title="{title}"' in everywhere
    here = found(desk, f"{till.store.code} 1001")
    assert here["Order 1001*"] == reverse("admin:sales_order_change", args=[sold.pk])
    assert "Shift 1001" not in here
    assert set(found(desk, "shift 1001")) == {"Shift 1001"}
    assert found(desk, "lyonpd") == {
        "Lyon Part-Dieu": reverse("admin:fleet_store_change", args=[Order.objects.exclude(pk=sold.pk).get().store_id])
    }
    assert set(found(desk, "till nine")) == {"Till Nine"}
    assert set(found(desk, sold.order_id)) == {"Order 1001*"}
    assert set(found(desk, till.shift_id)) == {"Shift 311"}
    assert set(found(desk, "held")) == {"Held orders"}
    for nothing in ("Lyon", "100", "Anna", "x" * 5000, "\x00", "9" * 40, "%", ""):
        assert found(desk, nothing) == {}, nothing


def test_nothing_is_found_that_one_may_not_see_from_the_moment_a_right_is_lost(till: Till, sold: Order) -> None:
    desk = Desk()
    assert "Order 1001*" in found(desk, "1001")
    desk.person.user_permissions.remove(*Permission.objects.filter(codename__in=("view_order", "view_shift")))
    assert set(found(desk, "1001")) == {"Held: order 1001"}
    assert found(desk, till.shift_id) == {}


def test_it_asks_one_statement_for_each_kind_and_each_goes_by_an_index(till: Till, sold: Order) -> None:
    desk = Desk()
    found(desk, "nothing")
    with CaptureQueriesContext(connection) as asked:
        found(desk, "1001")
    statements = [each["sql"] for each in asked if "_session" not in each["sql"] and "auth_" not in each["sql"]]
    # The own stores; stores, terminals by name, terminals, identities, orders, what is held, shifts; the menu counts that.
    assert len(statements) <= 9, statements
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for sql in statements:
            if sql.startswith("SELECT") and "helditem" not in sql:
                cursor.execute("EXPLAIN " + sql)
                plan = "\n".join(row[0] for row in cursor.fetchall())
                assert "Seq Scan on sales_" not in plan, (sql, plan)
