"""`GET /terminal`: who the terminal is, where it stands, and what it may send (protocol §4)."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from backoffice.ledger.models import PaymentAccount
from tests.till import Till, a_sale, a_store


def terminal(till: Till) -> dict[str, Any]:
    answer = till.send("GET", "terminal")
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_it_has_every_field_of_the_protocol():
    till = Till()
    store = till.store
    body = terminal(till)
    server_time = datetime.fromisoformat(body.pop("server_time"))
    assert abs(server_time - timezone.now()) < timedelta(seconds=30)
    assert body == {
        "terminal_id": str(till.terminal.uuid),
        "name": "Till 1",
        "last_number": None,
        "last_shift_number": None,
        "store": {
            "id": str(store.uuid),
            "code": store.code,
            "name": "Paris Bastille",
            "timezone": "Europe/Paris",
            "currency": "EUR",
            "prices_include_tax": True,
        },
        "open_shift": None,
        "settings": {
            "max_order_total": None,
            "min_refund_total": None,
            "refund_days": None,
            "order_types": ["delivery", "on_table", "takeaway"],
            "cash_reasons": ["change", "float", "safe_drop", "tips"],
            "payment_methods": [
                "bank_transfer",
                "card",
                "cash",
                "gift_card",
                "on_account",
                "points",
                "voucher",
                "wallet",
            ],
            "rounding_step": None,
            "rounding_mode": None,
            "max_over_short": None,
        },
        "limits": {
            "max_batch_orders": 2000,
            "max_batch_bytes": 4 * 1024**2,
            "max_decoded_bytes": 8 * 1024**2,
            "max_member_bytes": 256 * 1024,
        },
    }


def test_it_tells_the_settings_that_head_office_made():
    store = a_store()
    store.max_order_total, store.min_refund_total, store.refund_days, store.rounding_step = 50000, 100, 30, 5
    store.rounding_mode, store.max_over_short = "down", 500
    store.save()
    settings = terminal(Till(store))["settings"]
    assert (settings["max_order_total"], settings["min_refund_total"]) == (50000, 100)
    assert (settings["refund_days"], settings["rounding_step"]) == (30, 5)
    assert (settings["rounding_mode"], settings["max_over_short"]) == ("down", 500)


def test_it_tells_the_payment_methods_that_are_mapped():
    store = a_store()
    PaymentAccount.objects.filter(store=store).exclude(method__in=["cash", "card"]).delete()
    assert terminal(Till(store))["settings"]["payment_methods"] == ["card", "cash"]


def test_the_last_shift_number_is_the_highest_ever(till: Till):
    assert terminal(till)["last_shift_number"] == 311
    till.close()
    till.open(number=305, first_number=1001)
    assert terminal(till)["last_shift_number"] == 311


def test_it_tells_the_types_of_order_that_the_store_has_of_its_own():
    store = a_store()
    store.order_types = ["takeaway", "drive_thru"]
    store.save()
    assert terminal(Till(store))["settings"]["order_types"] == ["drive_thru", "takeaway"]


def test_it_names_the_open_shift_until_that_is_closed(till: Till):
    assert terminal(till)["open_shift"] == {"shift_id": str(till.shift_id), "number": 311}
    till.close()
    assert terminal(till)["open_shift"] is None


def test_the_last_number_is_the_highest_used_in_any_outcome(till: Till):
    till.sell(a_sale(1001), a_sale(1003, total=1), a_sale(1002, status="voided"))
    assert terminal(till)["last_number"] == 1003


def test_the_last_number_survives_the_shift(till: Till):
    order = a_sale(1007)
    till.sell(order)
    till.close(order)
    till.open(first_number=1008)
    assert terminal(till)["last_number"] == 1007


def test_another_terminal_of_the_store_has_numbers_and_a_shift_of_its_own(till: Till):
    till.sell(a_sale(1001))
    other = terminal(Till(till.store, name="Till 2"))
    assert (other["name"], other["last_number"], other["open_shift"]) == ("Till 2", None, None)
