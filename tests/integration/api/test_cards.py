"""Card data leaves an upload before anything is stored (protocol §7)."""

import json
import zlib
from typing import Any
from unittest.mock import patch

import pytest

from backoffice.domain.cards.masking import MAX_FINDINGS, Masked, mask_cards
from backoffice.inbox.models import Batch
from backoffice.sales.models import Order, OrderLine, Payment, Shift
from tests.till import Till, a_movement, a_sale, codes, outcomes, zipped

VISA = "4111111111111111"


def stored(receipt: dict[str, Any]) -> bytes:
    return zlib.decompress(Batch.objects.get(batch_id=receipt["batch_id"]).body)


def paid_by(**payment: Any) -> list[dict[str, Any]]:
    return [{"method": "card", "amount": 240} | payment]


@pytest.mark.parametrize("spelled", [VISA, "4111 1111 1111 1111", "4111-1111-1111-1111"])
def test_a_card_number_in_a_note_is_masked_and_flagged(till: Till, spelled: str) -> None:
    receipt = till.sell(a_sale(1001, note=f"card {spelled} wanted a bag"))
    assert codes(receipt) == ["card-number-masked"]
    note = Order.objects.get(number=1001, terminal=till.terminal).note
    assert note.endswith("1111 wanted a bag")
    assert spelled not in note
    assert spelled.encode() not in stored(receipt)


def test_of_a_compressed_body_with_a_card_number_nothing_is_kept_as_it_came(till: Till) -> None:
    sent = zipped({"orders": [a_sale(1001, note=f"card {VISA} wanted a bag")]})
    receipt = till.upload(raw=sent, **{"Content-Encoding": "gzip"}).json()
    assert VISA.encode() not in stored(receipt)
    assert b"1111 wanted a bag" in stored(receipt)


def test_a_card_number_in_a_reference_or_an_item_name_is_masked(till: Till) -> None:
    order = a_sale(1001, payments=paid_by(reference=VISA))
    order["lines"][0]["name"] = f"Gift for {VISA}"
    assert set(codes(till.sell(order))) == {"card-number-masked"}
    assert VISA not in Payment.objects.get(order__number=1001).reference
    assert VISA not in OrderLine.objects.get(order__number=1001).name


@pytest.mark.parametrize(
    "change",
    [
        {"cashier": VISA},
        {"type": VISA},
        {"kind": VISA},
        {"mode": VISA},
        {"terminal_slip": [{"text": f"{VISA}1227"}]},
        {VISA: 1},
        {"customer": {"loyalty": "4111.1111/1111_1111"}},
        {"payments": paid_by(method=VISA)},
        {"payments": paid_by(card={"number": VISA})},
        {"note": "4111\n1111\n1111\n1111"},
        {"note": "\uff14\uff11\uff11\uff11\uff11111\u200e11111111"},
        {"note": f"%B{VISA}^DOE/J^27121010000012345678?"},
    ],
    ids=str,
)
def test_a_card_number_is_masked_in_every_text(till: Till, change: dict[str, Any]) -> None:
    receipt = till.sell(a_sale(1001, **change))
    assert "card-number-masked" in codes(receipt)
    kept = stored(receipt)
    assert mask_cards(kept) == (kept, ())
    for secret in (VISA, "27121010000012345678"):
        assert secret not in kept.decode() + json.dumps(receipt)


def test_a_cash_movement_has_none_either(till: Till) -> None:
    movement = a_movement(reason=VISA, cashier=VISA)
    receipt = till.sell(movements=[movement])
    assert [reason["code"] for result in receipt["movements"]["results"] for reason in result["reasons"]] == [
        "unknown-cash-reason",
        "card-number-masked",
        "card-number-masked",
    ]
    assert VISA not in json.dumps(receipt)
    assert VISA.encode() not in stored(receipt)


def test_openings_closes_and_heartbeats_have_none_either(till: Till) -> None:
    other = Till(till.store, name="Till 2")
    assert other.open(cashier=VISA, pin="1234").status_code == 201
    assert Shift.objects.get(terminal=other.terminal).cashier == "************1111"
    beat = {"sent_at": "2026-03-01T11:02:00+01:00", "offline_mode": True, "cached_orders": 0, "cached_total": 0}
    assert other.send("PUT", "terminal/heartbeat", {**beat, "app_version": VISA}).status_code == 200
    assert VISA not in json.dumps(other.send("GET", "terminal").json())
    totals = {"sales": 0, "refunds": 0, "tax": 0, "tips": 0, "rounding": 0, "payments": {VISA: 0}}
    closed = other.close(totals=totals)
    assert closed.status_code == 202
    assert VISA not in closed.text
    assert "************1111" in closed.text


def test_an_address_is_not_repeated_with_a_card_number_in_it(till: Till) -> None:
    for number in (VISA, "4111 1111 1111 1111", "4111-1111-1111-1111"):
        refused = till.send("GET", f"batches/{number}")
        assert refused.status_code == 404
        assert number not in refused.text


def test_a_batch_that_an_earlier_version_stored_with_a_number_in_it_is_the_same_batch(till: Till) -> None:
    order = a_sale(1001, cashier=VISA, terminal_slip=f"{VISA}1227")
    with patch("backoffice.domain.upload.mask_cards", lambda body: Masked(body, ())):
        first = till.upload(order)
    again = till.upload(order, batch_id=first.json()["batch_id"])
    assert again.status_code in {200, 202}
    assert again.json()["batch_id"] == first.json()["batch_id"]
    other = till.upload({**order, "total": 241}, batch_id=first.json()["batch_id"])
    assert other.status_code == 422
    assert other.json()["type"].endswith("/identifier-reused")


def test_secrets_by_field_name_are_removed_and_flagged(till: Till) -> None:
    order = a_sale(1001, payments=paid_by(pan=VISA, cvv="123", card_number=VISA), track2="secret-track")
    receipt = till.sell(order)
    assert outcomes(receipt) == ["posted"]
    assert set(codes(receipt)) == {"card-data-removed"}
    for secret in (VISA, "123", "secret-track", "cvv", "pan"):
        assert json.dumps(secret).encode() not in stored(receipt)


def test_an_ean_that_passes_luhn_and_identifiers_are_untouched(till: Till) -> None:
    order = a_sale(1001)
    order["lines"][0]["sku"] = "4006381333931"
    receipt = till.sell(order)
    assert codes(receipt) == []
    assert OrderLine.objects.get(order__number=1001).sku == "4006381333931"


def test_a_held_order_says_so_too_and_its_neighbours_do_not(till: Till) -> None:
    receipt = till.sell(a_sale(1001), a_sale(1002, total=999, note=VISA), a_sale(1003))
    assert outcomes(receipt) == ["posted", "held", "posted"]
    assert codes(receipt, 1) == ["sums-do-not-add-up", "payments-do-not-add-up", "card-number-masked"]
    assert (codes(receipt, 0), codes(receipt, 2)) == ([], [])


def test_the_same_upload_again_is_a_repeat_and_the_same_order_again_a_duplicate(till: Till) -> None:
    order = a_sale(1001, note=VISA)
    first = till.upload(order)
    again = till.upload(order, batch_id=first.json()["batch_id"])
    assert again.status_code == 202
    assert outcomes(till.sell(order)) in (["duplicate"], ["posted"])
    assert Order.objects.filter(order_id=order["order_id"]).count() == 1


def test_what_is_compared_is_the_order_as_masked(till: Till) -> None:
    order = a_sale(1001, note=VISA)
    till.sell(order)
    masked = json.loads(stored(till.receipt(str(Batch.objects.get(terminal=till.terminal).batch_id))))["orders"][0]
    assert outcomes(till.sell(masked)) == ["duplicate"]


def test_a_device_name_that_is_a_card_number_is_masked_before_it_is_kept(till: Till) -> None:
    again = Till(till.store, name=VISA)
    assert VISA not in json.dumps(again.terminal.device)


def test_each_reason_says_what_became_of_the_card_data(till: Till) -> None:
    receipt = till.sell(a_sale(1001, note=VISA, cvv="123"))
    said = {reason["code"]: reason["detail"] for reason in receipt["results"][0]["reasons"]}
    assert set(said) == {"card-number-masked", "card-data-removed"}
    assert "last four" in said["card-number-masked"]
    assert "removed" in said["card-data-removed"]


def test_an_order_full_of_card_data_has_twenty_reasons(till: Till) -> None:
    orders = a_sale(1001, payments=[{"method": "cash", "amount": 12, "pan": VISA, "cvv": "1"} for _ in range(20)])
    assert codes(till.sell(orders)) == ["card-data-removed"] * MAX_FINDINGS


def test_an_order_that_cannot_be_read_says_so_too(till: Till) -> None:
    order = a_sale(1001, cvv="123")
    del order["total"]
    receipt = till.sell(order)
    assert outcomes(receipt) == ["held"]
    assert codes(receipt) == ["unreadable-order", "card-data-removed"]
