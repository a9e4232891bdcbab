"""Store days in the console, and the X and Z of a shift to print."""

import pytest
from django.test import Client
from django.urls import reverse

from backoffice.sales.models import Shift
from tests.integration.console.conftest import Open
from tests.till import Till, a_sale

pytestmark = pytest.mark.django_db

MINUS = "\N{MINUS SIGN}"


def test_a_day_is_found_from_its_shift_and_in_the_list(page: Open) -> None:
    till = Till()
    assert "No shift was opened on these days" in page("sales_store_days", store=till.store.pk).text
    till.open()
    till.sell(order := a_sale(1001), a_sale(1002, total=1))
    day = page("sales_store_days", store=till.store.pk, day="2026-03-01")
    assert "Collecting Waits for tills that have not closed" in day.text
    assert "Till 1 has not closed" in day.text
    till.close(order, a_sale(1002, total=1), order_count=1, counted=20200)
    (row,) = page("sales_store_days", store=till.store.pk).rows
    for words in ("1 Mar 2026", "Paris Bastille", "To review", "€2.40", f"{MINUS}€0.40"):
        assert words in row.text, row.text
    shift = page("sales_shift_change", till.shift_id)
    assert f"?store={till.store.pk}&day=2026-03-01" in shift.link("Its store day")
    day = page("sales_store_days", store=till.store.pk, day="2026-03-01")
    assert "1 held for a decision" in day.text
    assert f"Over or short, all drawers {MINUS}€0.40" in day.text
    assert day.link("Z 1") == reverse("admin:sales_shift_report", args=[till.shift_id])


def test_an_x_and_each_revision_of_a_z_are_printed_on_either_paper(page: Open, head_office: Client) -> None:
    till = Till()
    till.open()
    till.sell(order := a_sale(1001))
    assert page("sales_shift_report", till.shift_id).text.startswith("X, Paris Bastille, Till 1")
    assert page("sales_shift_change", till.shift_id).link("Print its X")
    till.close(order)
    till.sell(a_sale(1002))
    newest = page("sales_shift_report", till.shift_id)
    assert "Z 1, revision 2" in newest.text
    assert "This replaces revision 1" in newest.text
    first = page("sales_shift_report", till.shift_id, revision=1, paper="80mm")
    assert "size: 80mm" in first.html
    assert "Changed since: the newest is revision 2." in first.text
    assert "Sales 1 €2.40" in first.text
    assert "Figures of a moment" in page("sales_shift_report", till.shift_id, revision="x").text
    assert page("sales_shift_change", till.shift_id).link("revision 1").endswith("/report/?revision=1")
    address = reverse("admin:sales_shift_report", args=[till.shift_id])
    for query in ("revision=3", "revision=-1", "revision=99999999999", "revision=%00", "paper=a3"):
        assert head_office.get(f"{address}?{query}").status_code == 404, query


def test_what_tills_call_things_is_text_on_paper_too(page: Open) -> None:
    till = Till(name="<b>Till</b>")
    till.open(cashier="<script>alert(1)</script>")
    till.sell(a_sale(1001, cashier="<i>Bo</i>", type="<u>"))
    html = page("sales_shift_report", till.shift_id).html
    assert not any(tag in html for tag in ("<b>", "<script>", "<i>", "<u>"))
    assert "&lt;i&gt;Bo&lt;/i&gt;" in html


def test_a_shift_that_settled_before_zs_were_kept_is_shown_as_an_x(page: Open) -> None:
    till = Till()
    till.open()
    till.close()
    Shift.objects.filter(pk=till.shift_id).update(z_revision=None)
    assert "Print its X" in page("sales_shift_change", till.shift_id).text
