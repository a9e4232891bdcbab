"""Kept Zs that are right after whatever happened, and Zs that somebody changed behind the service's back."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from backoffice.audit.remarkable import KINDS
from backoffice.domain.decisions import Verb
from backoffice.ingestion.drawers import record_count
from tests.integration.books.office import decided
from tests.till import Till, a_movement, a_sale

pytestmark = pytest.mark.django_db

Verify = Callable[[], tuple[int, dict[str, Any]]]
Tamper = Callable[..., None]


@pytest.fixture
def kept(till: Till, verify: Verify) -> Till:
    """A till with Z 1 in three revisions, Z 2 between them, and an open shift: late orders, a void, a recount, a movement."""
    till.sell(order := a_sale(1001), movements=[a_movement(5000)])
    till.close(order, counted=25240)
    earlier = till.shift_id
    till.open(number=312, first_number=1002)
    till.sell(other := a_sale(1002, payments=[{"method": "card", "amount": 240}]))
    till.close(other)
    till.sell(a_sale(1003), shift_id=earlier)
    decided(Verb.VOID, order["order_id"])
    record_count(shift_id=till.shift_id, counted=19000, now=timezone.now())
    till.open(number=313, first_number=1004)
    assert verify()[1]["differences"] == []
    return till


def said(verify: Verify) -> list[tuple[str, str]]:
    return [(each["where"], each["what"]) for each in verify()[1]["differences"]]


FIGURES = "UPDATE sales_zreport SET figures = jsonb_set(figures, '{%s}', '%s') WHERE z_number = 1 AND revision = %d"


@pytest.mark.parametrize(
    ("change", "where", "what"),
    [
        ("DELETE FROM sales_zreport WHERE z_number = 2", "shift 312", "kept Z"),
        (
            (
                "WITH gone AS (DELETE FROM sales_zreport WHERE z_number = 2)"
                " UPDATE sales_shift SET z_revision = NULL WHERE number = 312"
            ),
            "shift 312",
            "kept Z",
        ),
        ("DELETE FROM sales_zreport WHERE z_number = 1 AND revision = 2", "Z 1, revision 3", "revision"),
        ("UPDATE sales_zreport SET place = 9 WHERE place = 2", "Z 2, revision 1", "place among the Zs"),
        (
            "UPDATE sales_zreport SET total_sales = total_sales + 1 WHERE place = 3",
            "Z 1, revision 2",
            "perpetual totals",
        ),
        (
            (
                "UPDATE sales_zreport SET sales = 480, figures = jsonb_set(figures, '{sales,amount}', '480')"
                " WHERE z_number = 1 AND revision = 1"
            ),
            "Z 1, revision 1",
            "sales and refunds posted until then",
        ),
        ("UPDATE sales_zreport SET before_id = 1 WHERE place = 2", "Z 2, revision 1", "sales and refunds posted"),
        ("UPDATE sales_shift SET z_revision = 9 WHERE number = 311", "shift 311", "newest revision of its Z"),
        ("UPDATE sales_shift SET z_number = NULL WHERE number = 312", "Z 2, revision 2", "shift with this number"),
        (FIGURES % ("net", "1", 1), "Z 1, revision 1", "net"),
        (FIGURES % ("taxes,0,tax", "14", 1), "Z 1, revision 1", "tax by code"),
        (FIGURES % ("cashiers,0,amount", "0", 1), "Z 1, revision 1", "sum of cashiers"),
        (FIGURES % ("order_types,0,amount", "0", 1), "Z 1, revision 1", "sum of types of order"),
        (FIGURES % ("revenue,0,gross", "1", 2), "Z 1, revision 2", "gross by kind"),
        (FIGURES % ("payments,0,amount", "1", 1), "Z 1, revision 1", "sum of payments"),
        (FIGURES % ("cash,movements,0,amount", "1", 1), "Z 1, revision 1", "expected cash"),
        (FIGURES % ("cash,over_short", "1", 1), "Z 1, revision 1", "over or short"),
        (FIGURES % ("payments,0,method", '"card"', 3), "Z 1, revision 3", "payments of its newest revision"),
        (FIGURES % ("orders", "1", 3), "Z 1, revision 3", "orders of its newest revision"),
        *(
            (FIGURES % (kind, '{"count": 7, "amount": 7}', 3), "Z 1, revision 3", f"{kind} of its newest revision")
            for kind in KINDS
        ),
        (FIGURES % ("held", "7", 3), "Z 1, revision 3", "held of its newest revision"),
        (FIGURES % ("missing_numbers", "[[1, 2]]", 3), "Z 1, revision 3", "missing_numbers of its newest revision"),
        (FIGURES % ("missing_batches", "1", 3), "Z 1, revision 3", "missing_batches of its newest revision"),
    ],
)
def test_a_z_that_was_changed_is_named(
    kept: Till, verify: Verify, tamper: Tamper, *, change: str, where: str, what: str
):
    tamper(change)
    differences = said(verify)
    assert any(place.startswith(where) and words.startswith(what) for place, words in differences), differences


def test_an_order_that_was_taken_out_of_the_sales_is_missed_by_each_z_that_had_it(
    kept: Till, verify: Verify, tamper: Tamper
):
    tamper("DELETE FROM sales_order WHERE number = 1003")
    named = {where for where, what in said(verify) if what == "sales and refunds posted until then"}
    assert named == {"Z 1, revision 2 of Till 1", "Z 1, revision 3 of Till 1"}


def test_shifts_that_settled_before_zs_were_kept_have_none(till: Till, verify: Verify, tamper: Tamper):
    till.close()
    tamper("DELETE FROM sales_zreport")
    tamper("UPDATE sales_shift SET z_revision = NULL")
    assert said(verify) == []
    till.open(number=312)
    till.close()
    assert said(verify) == [], "those after it are kept"
