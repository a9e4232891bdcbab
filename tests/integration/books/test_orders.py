"""Posted orders are voided, once, and their payments corrected. What was posted stands beside it."""

from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from backoffice.books.deciding import agree
from backoffice.books.refusals import AlreadyDecided, NotDecided
from backoffice.domain.decisions import Verb
from backoffice.sales.models import Order
from tests.integration.books.office import a_person, by_card, decided, map_again, map_to, unmap
from tests.till import Till, a_sale, balance, codes, entry_of


def refusal(verb: Verb, subject: Any, **how: Any) -> NotDecided:
    with pytest.raises(NotDecided) as raised, transaction.atomic():
        decided(verb, subject, **how)
    return raised.value


def test_a_void_reverses_every_line_of_the_entry(till: Till) -> None:
    till.sell(order := a_sale(1001))
    decided(Verb.VOID, order["order_id"])
    assert entry_of(order["order_id"], kind="order") == {("1000", 240, 0), ("4000", 0, 227), ("2100", 0, 13)}
    assert entry_of(order["order_id"], kind="void") == {("1000", 0, 240), ("4000", 227, 0), ("2100", 13, 0)}
    assert balance(till) == 20000


def test_a_voided_order_is_counted_and_nothing_else_of_it(till: Till) -> None:
    orders = [a_sale(1001), a_sale(1002)]
    receipt = till.sell(*orders)
    till.close(*orders)
    assert till.shift()["state"] == "reconciled"

    decided(Verb.VOID, orders[0]["order_id"])

    shift = till.shift()
    assert (shift["computed"]["order_count"], shift["computed"]["sales"]) == (2, 240)
    assert shift["state"] == "discrepant"
    assert shift["cash"] == {"expected": 20240, "counted": 20480, "over_short": 240}
    assert balance(till, "6900") == -240
    result = till.receipt(receipt["batch_id"])["results"][0]
    assert (result["outcome"], result["decision"]["verb"], result["decision"]["order_id"]) == (
        "posted",
        "void",
        orders[0]["order_id"],
    )


def test_an_order_is_voided_once(till: Till) -> None:
    till.sell(order := a_sale(1001))
    decided(Verb.VOID, order["order_id"])
    with pytest.raises(AlreadyDecided, match=r"Already decided by .*: Void an order"):
        decided(Verb.VOID, order["order_id"])


def test_a_voided_order_is_looked_up_as_that_and_gives_nothing_back(till: Till) -> None:
    till.sell(order := a_sale(1001))
    decided(Verb.VOID, order["order_id"])
    assert till.send("GET", f"store/orders/{order['order_id']}").json()["state"] == "voided"
    assert order["order_id"] not in {each["order_id"] for each in till.send("GET", "store/orders").json()["orders"]}
    refund = a_sale(1002, kind="refund", total=-240, refund_of=order["order_id"])
    refund |= {"payments": [{"method": "cash", "amount": -240}]}
    refund["lines"] = [{**refund["lines"][0], "quantity": "-2", "amount": -240, "taxes": []}]
    assert "refund-exceeds-original" in codes(till.sell(refund))


def a_refund_of(order: dict[str, Any], number: int) -> dict[str, Any]:
    refund = a_sale(number, kind="refund", total=-240, refund_of=order["order_id"])
    refund["lines"] = [{**refund["lines"][0], "quantity": "-2", "amount": -240, "taxes": []}]
    return refund | {"payments": [{"method": "cash", "amount": -240}]}


def test_what_was_given_back_is_not_taken_back_again(till: Till) -> None:
    till.sell(order := a_sale(1001), refund := a_refund_of(order, 1002))
    refused = refusal(Verb.VOID, order["order_id"])
    assert refused.code == "stood-on"
    assert refund["order_id"] in refused.detail
    decided(Verb.VOID, refund["order_id"])
    decided(Verb.VOID, order["order_id"])
    assert (balance(till), balance(till, "4000")) == (20000, 0)


def test_what_was_given_back_since_a_void_was_asked_for_is_not_taken_back_again(till: Till) -> None:
    till.store.second_person_above = 200
    till.store.save()
    till.sell(order := a_sale(1001))
    asked = decided(Verb.VOID, order["order_id"])
    till.sell(a_refund_of(order, 1002))
    with pytest.raises(NotDecided, match="given back"), transaction.atomic():
        agree(asked.decision_id, person=a_person("Otto"), now=timezone.now())
    assert balance(till) == 20000


def test_an_order_that_was_adjusted_is_not_voided_before_its_adjustment(till: Till) -> None:
    moved = [{"method": "cash", "amount": -240}, {"method": "card", "amount": 240}]
    till.sell(
        order := a_sale(1001), change := a_sale(1002, lines=[], total=0, payments=moved, adjusts=order["order_id"])
    )
    assert refusal(Verb.VOID, order["order_id"]).code == "stood-on"
    decided(Verb.VOID, change["order_id"])
    decided(Verb.VOID, order["order_id"])
    assert (balance(till), balance(till, "1100")) == (20000, 0)


def test_what_posts_nothing_cannot_be_voided(till: Till) -> None:
    till.sell(order := a_sale(1001, status="training"))
    assert refusal(Verb.VOID, order["order_id"]).code == "not-paid"
    assert refusal(Verb.VOID, "nothing").code == "unknown-order"


def test_a_free_order_is_voided_without_an_entry(till: Till) -> None:
    line = {"quantity": "1", "unit_price": 0, "amount": 0}
    till.sell(order := a_sale(1001, lines=[line], total=0, payments=[]))
    decided(Verb.VOID, order["order_id"])
    assert entry_of(order["order_id"], kind="void") == set()
    assert Order.objects.get(order_id=order["order_id"]).status == "voided"


def test_what_was_held_and_posted_is_voided_in_the_receipt_of_its_own_batch(till: Till) -> None:
    unmap(till, "card")
    receipt = till.sell(order := a_sale(1001, **by_card()))
    map_again(till, "card", "1100")
    decided(Verb.POST, order["order_id"])
    decided(Verb.VOID, order["order_id"])
    assert till.receipt(receipt["batch_id"])["results"][0]["decision"]["verb"] == "void"


@pytest.mark.parametrize("payments", [{"card": 240}, [{"method": "card", "amount": 240}]], ids=["sums", "list"])
def test_keyed_as_cash_and_was_by_card(till: Till, payments: Any) -> None:
    till.sell(order := a_sale(1001))
    till.close(order, counted=20000)
    assert till.shift()["cash"]["over_short"] == -240

    decided(Verb.RETENDER, order["order_id"], payments=payments)

    assert entry_of(order["order_id"], kind="retender", number=1) == {("1100", 240, 0), ("1000", 0, 240)}
    assert till.shift()["cash"] == {"expected": 20000, "counted": 20000, "over_short": 0}
    assert till.shift()["computed"]["payments"] == {"card": 240, "cash": 0}
    assert balance(till) == 20000


def test_payments_are_corrected_as_often_as_needed(till: Till) -> None:
    till.sell(order := a_sale(1001))
    decided(Verb.RETENDER, order["order_id"], payments={"card": 240})
    decided(Verb.RETENDER, order["order_id"], reason="declined", payments={"on_account": 240})
    assert entry_of(order["order_id"], kind="retender", number=2) == {("1300", 240, 0), ("1100", 0, 240)}
    assert refusal(Verb.RETENDER, order["order_id"], payments={"on_account": 240}).code == "nothing-changes"


def test_a_void_takes_back_corrected_payments_too(till: Till) -> None:
    till.sell(order := a_sale(1001))
    decided(Verb.RETENDER, order["order_id"], payments={"card": 240})
    decided(Verb.VOID, order["order_id"])
    for account in ("1000", "1100", "4000", "2100"):
        assert balance(till, account) == (20000 if account == "1000" else 0)


@pytest.mark.parametrize(
    ("payments", "pointer"),
    [
        ({"card": 239}, "/payments"),
        ({"gold": 240}, "/payments/gold"),
        ({"card": "240"}, "/payments/card"),
        ([{"method": "card", "amount": 240}, {"method": ["x"], "amount": 0}], "/payments/1"),
        ({"card": True}, "/payments/card"),
    ],
)
def test_payments_that_do_not_add_up_are_refused_place_by_place(till: Till, payments: Any, pointer: str) -> None:
    till.sell(order := a_sale(1001))
    refused = refusal(Verb.RETENDER, order["order_id"], payments=payments)
    assert [error["pointer"] for error in refused.errors] == [pointer]
    assert entry_of(order["order_id"], kind="retender") == set()


def test_a_method_that_is_mapped_no_more_is_named(till: Till) -> None:
    till.sell(order := a_sale(1001))
    unmap(till, "cash")
    refused = refusal(Verb.RETENDER, order["order_id"], payments={"card": 240})
    assert [(error["code"], error["pointer"]) for error in refused.errors] == [("unmapped-method", "/payments/cash")]


def test_payments_that_are_none_are_refused(till: Till) -> None:
    till.sell(order := a_sale(1001))
    assert refusal(Verb.RETENDER, order["order_id"], payments="card").code == "cannot-be-posted"


def test_what_was_posted_before_its_method_was_mapped_elsewhere_moves_from_where_it_stands(till: Till) -> None:
    till.sell(order := a_sale(1001, **by_card()), later := a_sale(1002, **by_card()))
    map_to(till, "card", "1110")
    decided(Verb.RETENDER, order["order_id"], payments={"cash": 240})
    assert entry_of(order["order_id"], kind="retender", number=1) == {("1000", 240, 0), ("1100", 0, 240)}
    decided(Verb.RETENDER, later["order_id"], payments={"card": 140, "on_account": 100})
    assert entry_of(later["order_id"], kind="retender", number=1) == {("1300", 100, 0), ("1100", 0, 100)}
    decided(Verb.RETENDER, order["order_id"], payments={"card": 240})
    map_to(till, "card", "1300")
    decided(Verb.RETENDER, order["order_id"], payments={"bank_transfer": 140, "cash": 100})
    assert entry_of(order["order_id"], kind="retender", number=3) == {
        ("1110", 140, 0),
        ("1000", 100, 0),
        ("1110", 0, 240),
    }
    assert (balance(till, "1100"), balance(till, "1300")) == (140, 100)


def test_a_gift_card_that_paid_for_another_is_told_from_it(till: Till) -> None:
    """Both are in one account, on either side of the entry."""
    line = {"kind": "gift_card", "quantity": "1", "unit_price": 240, "amount": 240}
    till.sell(order := a_sale(1001, lines=[line], payments=[{"method": "gift_card", "amount": 240}]))
    map_to(till, "gift_card", "2210")
    decided(Verb.RETENDER, order["order_id"], payments={"cash": 240})
    assert entry_of(order["order_id"], kind="retender", number=1) == {("1000", 240, 0), ("2200", 0, 240)}


def test_where_nobody_can_tell_the_accounts_apart_it_is_refused(till: Till) -> None:
    halves = [{"method": "card", "amount": 120}, {"method": "on_account", "amount": 120}]
    till.sell(order := a_sale(1001, payments=halves))
    map_to(till, "card", "1110")
    map_to(till, "on_account", "2210")
    refused = refusal(Verb.RETENDER, order["order_id"], payments={"cash": 240})
    assert (refused.code, entry_of(order["order_id"], kind="retender")) == ("accounts-unclear", set())


def test_payments_that_no_sale_was_paid_by_are_refused(till: Till) -> None:
    till.sell(order := a_sale(1001))
    absurd = {"cash": 10**12, "card": 240 - 10**12}
    refused = refusal(Verb.RETENDER, order["order_id"], payments=absurd)
    assert [(error["code"], error["pointer"]) for error in refused.errors] == [("payments-too-large", "/payments")] * 2
    cash_back = [{"method": "card", "amount": 5000}, {"method": "cash", "amount": -4760}]
    till.sell(order := a_sale(1002, payments=cash_back))
    decided(Verb.RETENDER, order["order_id"], payments={"card": 240})
    decided(Verb.RETENDER, order["order_id"], payments={"wallet": 5000, "cash": -4760})
    refused = refusal(Verb.RETENDER, order["order_id"], payments={"card": 5001, "cash": -4761})
    assert {error["code"] for error in refused.errors} == {"payments-too-large"}
