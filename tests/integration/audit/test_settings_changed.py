"""Settings that head office changes leave what was posted before as it was, and so does the audit; their history is checked."""

from typing import Any

import pytest

from backoffice.domain.decisions import Verb
from backoffice.fleet.models import Store
from backoffice.ledger.models import CashReason
from tests.integration.audit.test_tampered_seals import Tamper, Verify, found
from tests.integration.books.office import a_person, by_card, decided, map_to, unmap
from tests.till import Till, a_movement, a_sale

pytestmark = pytest.mark.django_db

# Every setting of a store, with another value. `code` is last: the commands know it by that.
OTHERWISE: dict[str, Any] = {
    "name": "Paris Nation",
    "timezone": "Asia/Tokyo",
    "currency": "CHF",
    "prices_include_tax": False,
    "max_order_total": 1,
    "min_refund_total": 10**6,
    "refund_days": 0,
    "order_types": ["drive"],
    "rounding_step": 5,
    "rounding_mode": "up",
    "max_over_short": 0,
    "second_person_above": 0,
    "retention_years": 1,
    "approves_by_itself": True,
    "flags_need_a_person": True,
    "code": "NATION",
}
NO_SETTINGS = {"id", "uuid", "created_at"}


def a_day_passes(tamper: Tamper) -> None:
    """Whatever was posted and noted so far was so a day ago."""
    for table, column in (("trail_entry", "at"), ("ledger_journalentry", "posted_at")):
        tamper(f"UPDATE {table} SET {column} = {column} - interval '1 day'")


@pytest.fixture
def posted(till: Till, tamper: Tamper) -> Till:
    """A shift of yesterday with everything that settings have a part in: each kind of payment, movements, decisions, a close."""
    mixed = [{"method": "wallet", "amount": 140}, {"method": "points", "amount": 100}]
    orders = [a_sale(1001), a_sale(1002, **by_card()), a_sale(1003, payments=mixed), a_sale(1004), a_sale(1005)]
    till.sell(
        *orders, movements=[a_movement(), a_movement(800, kind="cash_out", reason="tips"), a_movement(reason="?")]
    )
    decided(Verb.RETENDER, orders[1]["order_id"], payments={"wallet": 100, "card": 140})
    decided(Verb.VOID, orders[2]["order_id"])
    decided(Verb.COUNT_SAFE, till.store.code, amount=7000)
    decided(Verb.BANK, till.store.code, amount=1000, slip="1", date="2026-03-02")
    till.close(*orders, counted=25100, float_left=20000)
    till.open(number=312, first_number=1006)
    till.sell(a_sale(1006, **by_card()))
    a_day_passes(tamper)
    return till


def test_whatever_is_set_otherwise_what_was_posted_before_is_right(posted: Till, verify: Verify) -> None:
    till, store = posted, posted.store
    assert {field.name for field in Store._meta.concrete_fields} - NO_SETTINGS == OTHERWISE.keys()
    for method in ("cash", "card", "wallet", "points"):
        map_to(till, method, "1110")
    reasons = CashReason.objects.filter(store=store)
    reasons.filter(reason="change").update(account_id="1990")
    reasons.filter(reason="tips").delete()
    CashReason.objects.create(store=store, reason="?", account_id="1010")
    assert verify()[1]["differences"] == []
    for name, value in OTHERWISE.items():
        Store.objects.filter(pk=store.pk).update(**{name: value})
        assert (name, verify()[1]["differences"]) == (name, [])


def test_what_is_posted_later_is_posted_by_what_is_set_then(posted: Till, verify: Verify, tamper: Tamper) -> None:
    till = posted
    for account in ("1110", "1300"):
        map_to(till, "card", account)
        unmap(till, "wallet")
        CashReason.objects.filter(store=till.store, reason="change").update(account_id=account)
        till.sell(order := a_sale(2000 + int(account), **by_card()), movements=[a_movement()])
        a_day_passes(tamper)
        decided(Verb.RETENDER, order["order_id"], payments={"cash": 140, "card": 100})
        decided(Verb.VOID, order["order_id"])
        assert verify()[1]["differences"] == []
        a_day_passes(tamper)
    assert verify()[1]["differences"] == []


def test_a_payment_that_is_corrected_twice_moves_from_where_it_stands(
    posted: Till, verify: Verify, tamper: Tamper
) -> None:
    till = posted
    till.sell(order := a_sale(1007, **by_card()))
    for account, payments in (("1110", {"cash": 240}), ("1300", {"card": 240}), ("1100", {"card": 200, "wallet": 40})):
        a_day_passes(tamper)
        map_to(till, "card", account)
        decided(Verb.RETENDER, order["order_id"], payments=payments, person=a_person("Ruth"))
        assert (account, verify()[1]["differences"]) == (account, [])


CARD = "about = 'payment account' AND what = 'changed' AND object_name LIKE '%% card'"
ENTRY = (
    "(SELECT entry_id FROM ledger_entrysource WHERE source_id = (SELECT order_id FROM sales_order WHERE number = 1006))"
)
CHANGES = {
    "an old order that is posted by today's mapping": (
        f"UPDATE ledger_journalline SET account_id = '1110' WHERE account_id = '1100' AND entry_id = {ENTRY}",
        "order 1006",
    ),
    "a history in which it was always so": (f"DELETE FROM trail_entry WHERE {CARD}", "order 1006"),
    "a history that says another account": (
        f'UPDATE trail_entry SET before = \'{{"account_id": "1300"}}\' WHERE {CARD}',
        "account_id before, 1100, 1300",
    ),
    "a history that says an earlier time": (
        f"UPDATE trail_entry SET at = at - interval '2 days' WHERE {CARD}",
        "order 1006",
    ),
    "a reason that was mapped from the beginning": (
        "UPDATE trail_entry SET at = at - interval '2 days' WHERE about = 'cash reason' AND object_name LIKE '%% ?'",
        "cash movement",
    ),
    "a currency that it never had": (
        "UPDATE trail_entry SET before = '{\"currency\": \"USD\"}' WHERE before ? 'currency' AND what = 'changed'",
        "currency",
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_history_that_was_tampered_with_is_found(posted: Till, verify: Verify, tamper: Tamper, change: str) -> None:
    map_to(posted, "card", "1110")
    CashReason.objects.create(store=posted.store, reason="?", account_id="1010")
    Store.objects.filter(pk=posted.store.pk).update(currency="CHF")
    assert verify()[1]["differences"] == []
    statement, words = CHANGES[change]
    tamper(statement)
    differences = found(verify)
    assert any(words in difference for difference in differences), differences
