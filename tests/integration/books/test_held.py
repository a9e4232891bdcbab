"""What is held is posted, corrected, discarded or moved, once, and by the same functions as an upload."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backoffice.books.claims import LAPSES_AFTER, claim_held, release_held
from backoffice.books.deciding import Proposal, agree, decide_each
from backoffice.books.models import Decision, HeldClaim
from backoffice.books.refusals import AlreadyDecided, NotDecided
from backoffice.domain.decisions import DecisionState, Verb
from backoffice.inbox.models import Batch
from backoffice.sales.models import HeldItem, Order
from tests.integration.books.office import PLAIN, a_person, by_card, decided, map_again, unmap
from tests.till import Till, a_movement, a_sale, balance, codes, entry_of, outcomes


def held_of(till: Till) -> HeldItem:
    return HeldItem.objects.get(terminal=till.terminal, decision_id__isnull=True)


def place_of(item: HeldItem) -> str:
    return f"{item.batch_id}:{item.position}"


def refusal(verb: Verb, subject: Any, **how: Any) -> NotDecided:
    with pytest.raises(NotDecided) as raised, transaction.atomic():
        decided(verb, subject, **how)
    return raised.value


def test_it_is_posted_as_it_was_sent_once_its_method_is_mapped(till: Till) -> None:
    unmap(till, "card")
    order = a_sale(1001, **by_card())
    receipt = till.sell(order)
    assert outcomes(receipt) == ["held"]
    map_again(till, "card", "1100")

    report = decided(Verb.POST, order["order_id"], reason="accounts-mapped")

    assert (report.state, report.after["order_id"]) == (DecisionState.DONE, order["order_id"])
    assert entry_of(order["order_id"], kind="order") == {("1100", 240, 0), ("4000", 0, 227), ("2100", 0, 13)}
    assert till.shift()["computed"]["payments"] == {"card": 240}


def test_its_shift_reconciles_with_the_decision(till: Till) -> None:
    unmap(till, "card")
    order = a_sale(1001, **by_card())
    till.sell(order)
    till.close(order)
    assert (till.shift()["state"], till.shift()["held"]) == ("discrepant", 1)
    map_again(till, "card", "1100")
    decided(Verb.POST, order["order_id"], reason="accounts-mapped")
    assert (till.shift()["state"], till.shift()["held"], till.shift()["differences"]) == ("reconciled", 0, [])


def test_its_terminal_reads_the_decision_in_the_receipt(till: Till) -> None:
    unmap(till, "card")
    orders = [a_sale(1001), a_sale(1002, **by_card())]
    receipt = till.sell(*orders)
    map_again(till, "card", "1100")
    decided(Verb.POST, f"{receipt['batch_id']}:1")

    plain, held = till.receipt(receipt["batch_id"])["results"]

    assert plain["decision"] is None
    assert (held["outcome"], codes(receipt, 1)) == ("held", ["unmapped-method"])
    decision = held["decision"]
    assert (decision["verb"], decision["order_id"]) == ("post", orders[1]["order_id"])
    assert decision["decided_at"] <= timezone.now().isoformat()


def test_what_the_rules_still_do_not_post_is_refused_with_its_reasons(till: Till) -> None:
    receipt = till.sell(a_sale(1001, total=999))
    refused = refusal(Verb.POST, f"{receipt['batch_id']}:0")
    assert refused.code == "cannot-be-posted"
    assert {error["code"] for error in refused.errors} == {"sums-do-not-add-up", "payments-do-not-add-up"}
    assert held_of(till).decision_id is None
    assert not Decision.objects.filter(store=till.store).exists()
    assert Batch.objects.filter(terminal=till.terminal).count() == 1


def test_a_conflicting_version_gets_an_identifier_of_its_own(till: Till) -> None:
    first = a_sale(1001)
    till.sell(first)
    other = {**a_sale(1001), "order_id": first["order_id"], "note": "another sale under the same identifier"}
    receipt = till.sell(other)
    assert outcomes(receipt) == ["conflict"]

    report = decided(Verb.POST, f"{receipt['batch_id']}:0")

    new = report.after["order_id"]
    assert new != first["order_id"]
    assert entry_of(new, kind="order") == entry_of(first["order_id"], kind="order")
    assert till.receipt(receipt["batch_id"])["results"][0]["decision"]["order_id"] == new
    assert Order.objects.get(order_id=new).batch_id == report.decision_id
    assert outcomes(till.sell(other)) == ["duplicate"]
    assert outcomes(till.sell(first)) == ["duplicate"]


def test_what_only_has_anothers_number_keeps_its_identifier(till: Till) -> None:
    till.sell(a_sale(1001))
    second = a_sale(1001)
    till.sell(second)
    assert decided(Verb.POST, second["order_id"]).after["order_id"] == second["order_id"]
    assert Order.objects.get(order_id=second["order_id"]).number == 1001


def test_an_order_that_was_decided_can_be_looked_up_and_refunded_as_any(till: Till) -> None:
    unmap(till, "card")
    order = a_sale(1001, **by_card())
    till.sell(order)
    map_again(till, "card", "1100")
    decided(Verb.POST, order["order_id"])
    found = till.send("GET", f"store/orders/{order['order_id']}").json()
    assert (found["state"], found["order"]["total"]) == ("posted", 240)
    refund = a_sale(
        1002, kind="refund", total=-240, refund_of=order["order_id"], payments=[{"method": "card", "amount": -240}]
    )
    refund["lines"] = [{**refund["lines"][0], "quantity": "-2", "amount": -240, "taxes": []}]
    assert "refund-of-unknown-order" not in codes(till.sell(refund))


def test_a_discarded_order_is_in_no_book(till: Till) -> None:
    order = a_sale(1001, total=999)
    receipt = till.sell(order)
    till.close(first_number=1001, last_number=1001, order_count=0)
    assert till.shift()["state"] == "discrepant"

    report = decided(Verb.DISCARD, order["order_id"], reason="never-a-sale", note="Nobody was in the shop.")

    assert report.after["order_id"] is None
    assert (till.shift()["state"], till.shift()["missing_numbers"]) == ("reconciled", [])
    assert entry_of(order["order_id"]) == set()
    decision = till.receipt(receipt["batch_id"])["results"][0]["decision"]
    assert (decision["verb"], decision["order_id"]) == ("discard", None)
    assert outcomes(till.sell(order)) == ["duplicate"]


def test_a_duplicate_names_an_order_of_the_store(till: Till) -> None:
    till.sell(known := a_sale(1001), wrong := a_sale(1002, total=999))
    assert refusal(Verb.DISCARD, wrong["order_id"], duplicate_of=str(uuid4())).code == "unknown-order"
    elsewhere = Till()
    elsewhere.open()
    elsewhere.sell(theirs := a_sale(1001))
    assert refusal(Verb.DISCARD, wrong["order_id"], duplicate_of=theirs["order_id"]).code == "unknown-order"
    assert decided(Verb.DISCARD, wrong["order_id"], duplicate_of=known["order_id"]).state == DecisionState.DONE


def test_who_comes_second_is_told_who_was_first_and_when(till: Till) -> None:
    till.sell(order := a_sale(1001, total=999))
    ruth = a_person("Ruth")
    decided(Verb.DISCARD, order["order_id"], person=ruth)
    with pytest.raises(AlreadyDecided) as raised:
        decided(Verb.DISCARD, order["order_id"], person=a_person("Otto"))
    assert raised.value.detail.startswith(f"Already decided by {ruth} on ")
    assert raised.value.detail.endswith((" CET: Discard what was held.", " CEST: Discard what was held."))


def test_a_corrected_version_is_posted_and_the_original_kept(till: Till) -> None:
    wrong = a_sale(1001, total=999)
    receipt = till.sell(wrong)

    report = decided(Verb.CORRECT, f"{receipt['batch_id']}:0", order={**wrong, "total": 240})

    assert report.after["changed"] == [{"pointer": "/total", "before": 999, "after": 240}]
    assert entry_of(wrong["order_id"], kind="order") == {("1000", 240, 0), ("4000", 0, 227), ("2100", 0, 13)}
    assert HeldItem.objects.get(terminal=till.terminal).decision_id == report.decision_id
    assert outcomes(till.sell(wrong)) == ["duplicate"]
    assert outcomes(till.sell({**wrong, "total": 240})) == ["conflict"], "it compares with what was sent first"


def test_a_correction_that_does_not_add_up_is_refused_field_by_field(till: Till) -> None:
    wrong = a_sale(1001, total=999)
    receipt = till.sell(wrong)
    place = f"{receipt['batch_id']}:0"
    half = refusal(Verb.CORRECT, place, order={**wrong, "total": 241})
    assert {error["pointer"] for error in half.errors} == {"/total", "/payments"}
    unreadable = refusal(Verb.CORRECT, place, order={**wrong, "lines": "none"})
    assert [error["pointer"] for error in unreadable.errors] == ["/lines"]
    assert refusal(Verb.CORRECT, place, order=["no", "object"]).code == "unreadable"
    assert [error["pointer"] for error in refusal(Verb.CORRECT, place, order={**wrong, "number": 7}).errors] == [
        "/number"
    ]
    other = {**wrong, "order_id": str(uuid4())}
    assert [error["pointer"] for error in refusal(Verb.CORRECT, place, order=other).errors] == ["/order_id"]
    assert entry_of(wrong["order_id"]) == set()


def test_what_could_not_be_read_takes_its_number_when_it_is_corrected(till: Till) -> None:
    right = a_sale(1001)
    receipt = till.sell({**right, "total": "a lot"})
    till.close(right)
    report = decided(Verb.CORRECT, f"{receipt['batch_id']}:0", order=right)
    assert report.after["order_id"] == right["order_id"]
    assert till.shift()["state"] == "reconciled"
    assert codes(till.sell(a_sale(1001))) == ["number-already-used"]


def test_card_numbers_that_people_type_are_masked_as_those_of_terminals(till: Till) -> None:
    wrong = a_sale(1001, total=999)
    till.sell(wrong)
    typed = {**wrong, "total": 240, "note": "paid with 4111 1111 1111 1111"}
    report = decided(Verb.CORRECT, wrong["order_id"], order=typed, note="Card 4111111111111111, says the store.")
    kept = Decision.objects.get(pk=report.decision_id)
    assert "4111" not in json.dumps([kept.arguments, kept.after, kept.note])
    assert Order.objects.get(order_id=wrong["order_id"]).note.endswith("1111")


def test_it_is_moved_to_another_shift_of_its_store(till: Till) -> None:
    till.sell(known := a_sale(1001))
    other = Till(till.store, name="Till 2")
    other.open()
    receipt = till.sell(moved := a_sale(1001))
    till.close(known)
    assert till.shift()["state"] == "discrepant"

    report = decided(Verb.MOVE, f"{receipt['batch_id']}:0", to=str(other.shift_id))

    assert report.after == {"order_id": moved["order_id"], "shift_id": str(other.shift_id)}
    assert till.shift()["state"] == "reconciled"
    assert other.shift()["computed"]["sales"] == 240
    assert balance(other) == 20240
    elsewhere = Till()
    elsewhere.open()
    receipt = till.sell(a_sale(1001))
    assert refusal(Verb.MOVE, f"{receipt['batch_id']}:0", to=str(elsewhere.shift_id)).code == "other-store"
    assert refusal(Verb.MOVE, f"{receipt['batch_id']}:0", to=str(till.shift_id)).code == "same-shift"


def test_a_held_cash_movement_is_decided_as_well(till: Till) -> None:
    movement = a_movement(5000)
    till.sell(movements=[movement])
    receipt = till.sell(movements=[{**movement, "amount": 7000}])
    report = decided(Verb.POST, f"{receipt['batch_id']}:movements:0")
    assert report.after["movement_id"] != movement["movement_id"]
    assert balance(till) == 20000 + 5000 + 7000
    assert till.receipt(receipt["batch_id"])["movements"]["results"][0]["decision"]["verb"] == "post"


def test_what_was_decided_is_decided_for_good(till: Till) -> None:
    till.sell(order := a_sale(1001, total=999))
    decided(Verb.DISCARD, order["order_id"])
    with pytest.raises(IntegrityError, match="decided already"), transaction.atomic():
        HeldItem.objects.filter(terminal=till.terminal).update(decision_id=None)


def test_an_identifier_that_is_held_twice_is_named_by_its_place(till: Till) -> None:
    order = a_sale(1001)
    till.sell(order, {**order, "note": "other content"})
    assert refusal(Verb.DISCARD, order["order_id"]).code == "ambiguous"
    first, second = HeldItem.objects.filter(terminal=till.terminal).order_by("id")
    decided(Verb.DISCARD, place_of(second))
    assert decided(Verb.POST, order["order_id"]).after["order_id"] == order["order_id"]
    assert first.position == 0


@pytest.mark.parametrize("name", ["", "nothing", f"{uuid4()}", f"{uuid4()}:0", f"{uuid4()}:orders:99999999999"])
def test_what_is_not_held_is_refused_in_words(till: Till, name: str) -> None:
    assert refusal(Verb.DISCARD, name).code in {"not-held", "unknown-name"}


def test_whoever_claims_a_held_order_has_it_until_the_claim_lapses(till: Till) -> None:
    till.sell(order := a_sale(1001, total=999))
    ruth, otto, now = a_person("Ruth"), a_person("Otto"), timezone.now()
    claim_held(held_of(till), person=ruth, now=now)
    with pytest.raises(NotDecided, match=str(ruth)):
        claim_held(held_of(till), person=otto, now=now)
    assert refusal(Verb.DISCARD, order["order_id"], person=otto).code == "claimed"
    claim_held(held_of(till), person=otto, now=now + LAPSES_AFTER)
    release_held(held_of(till), person=ruth)
    assert HeldClaim.objects.get(held=held_of(till)).person == otto
    release_held(held_of(till), person=otto)
    assert decided(Verb.DISCARD, order["order_id"], person=ruth).state == DecisionState.DONE


def test_many_are_decided_in_one_go_and_one_that_fails_stops_no_other(till: Till) -> None:
    orders = [a_sale(number, total=999) for number in (1001, 1002, 1003)]
    till.sell(*orders)
    decided(Verb.DISCARD, orders[1]["order_id"])
    ruth = a_person()
    proposals = [Proposal(Verb.DISCARD, order["order_id"], ruth, PLAIN[Verb.DISCARD]) for order in orders]
    first, second, third = decide_each(proposals, now=timezone.now())
    assert isinstance(second, AlreadyDecided)
    assert not isinstance(first, NotDecided)
    assert not isinstance(third, NotDecided)
    assert first.request_id == third.request_id
    assert Decision.objects.filter(request_id=first.request_id).count() == 2


def test_what_a_decision_writes_is_taken_back_with_it(till: Till) -> None:
    """Whatever goes wrong after the entry: nothing of it stays."""
    unmap(till, "card")
    till.sell(order := a_sale(1001, **by_card()))
    map_again(till, "card", "1100")
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM ledger_journalentry")
        before = cursor.fetchone()
    assert refusal(Verb.POST, order["order_id"], note="\0").code == "cannot-be-kept"
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM ledger_journalentry")
        assert cursor.fetchone() == before


def test_a_duplicate_is_of_what_stands_in_the_books(till: Till) -> None:
    free = a_sale(1003, lines=[{"quantity": "1", "unit_price": 0, "amount": 0}], total=0, payments=[])
    till.sell(voided := a_sale(1001), training := a_sale(1002, status="training"), free)
    till.sell(wrong := a_sale(1004, total=999))
    decided(Verb.VOID, voided["order_id"])
    for named in (voided, training, free):
        assert refusal(Verb.DISCARD, wrong["order_id"], duplicate_of=named["order_id"]).code == "not-in-books"
    assert held_of(till).decision_id is None


def test_what_nobody_can_read_is_discarded_by_two(till: Till) -> None:
    till.sell({**a_sale(1001), "total": "a lot"})
    assert decided(Verb.DISCARD, place_of(held_of(till))).state == DecisionState.WAITING
    assert decided(Verb.DISCARD, place_of(held_of(till)), agreed_by=a_person("Otto")).state == DecisionState.DONE


def test_what_could_not_be_read_is_not_corrected_into_a_number_that_is_used(till: Till) -> None:
    till.sell(a_sale(1001))
    receipt = till.sell({**a_sale(1002), "number": "one thousand"}, unread := {**a_sale(1001), "total": "a lot"})
    for place, right in ((0, a_sale(1001)), (1, {**unread, "total": 240})):
        refused = refusal(
            Verb.CORRECT, f"{receipt['batch_id']}:{place}", order={**right, "order_id": None} | sent_id(receipt, place)
        )
        assert [(error["code"], error["pointer"]) for error in refused.errors] == [("number-already-used", "/number")]
    assert balance(till) == 20240
    right = {**a_sale(1002)} | sent_id(receipt, 0)
    assert decided(Verb.CORRECT, f"{receipt['batch_id']}:0", order=right).state == DecisionState.DONE


def sent_id(receipt: dict[str, Any], place: int) -> dict[str, Any]:
    return {"order_id": receipt["results"][place]["order_id"]}


def test_what_was_taken_out_of_a_correction_is_flagged_as_at_the_door(till: Till) -> None:
    receipt = till.sell(wrong := a_sale(1001, total=999))
    typed = {**wrong, "total": 240, "note": "4111 1111 1111 1111"}
    asked = decided(Verb.CORRECT, wrong["order_id"], reason="other", note="They say.", order=typed)
    agree(asked.decision_id, person=a_person("Otto"), now=timezone.now())
    flags = Order.objects.get(order_id=wrong["order_id"]).flags
    assert [(flag["code"], flag["pointer"]) for flag in flags] == [("card-number-masked", "/note")]
    assert codes(till.receipt(str(asked.decision_id))) == ["card-number-masked"]
    assert codes(receipt) == ["sums-do-not-add-up", "payments-do-not-add-up"]


def test_what_is_held_is_unpacked_once_for_a_decision(till: Till) -> None:
    till.sell(order := a_sale(1001))
    till.sell({**order, "note": "another"})
    name = place_of(held_of(till))
    with CaptureQueriesContext(connection) as queries:
        decided(Verb.POST, name)
    bodies = [query["sql"] for query in queries if '"inbox_batch"."body"' in query["sql"] and "SELECT" in query["sql"]]
    assert len(bodies) == 1


def test_nobody_claims_what_they_may_not_decide(till: Till) -> None:
    till.sell(a_sale(1001, total=999))
    with pytest.raises(NotDecided, match="may not decide"):
        claim_held(held_of(till), person=a_person("Anna", rights=("decide_order",)), now=timezone.now())


def test_until_when_it_is_claimed_is_said_in_words(till: Till) -> None:
    till.sell(order := a_sale(1001, total=999))
    claim_held(held_of(till), person=a_person("Ruth"), now=datetime(2026, 7, 1, 12, tzinfo=UTC))
    with pytest.raises(NotDecided, match=r"until 1 Jul 2026, 14:15 CEST\.$"):
        claim_held(held_of(till), person=a_person("Otto"), now=datetime(2026, 7, 1, 12, tzinfo=UTC))
    assert decided(Verb.DISCARD, order["order_id"]).state == DecisionState.DONE
