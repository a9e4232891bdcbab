"""Deciding in the console: what is held, one by one and many at once, with a second person where it takes one."""

import re
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from backoffice.books.claims import claim_held
from backoffice.books.models import Decision, HeldClaim
from backoffice.sales.models import HeldItem, Order
from tests.integration.books.office import a_person, by_card, map_again, unmap
from tests.integration.console.deciding import Desk
from tests.till import Till, a_sale

pytestmark = pytest.mark.django_db


def held_of(till: Till) -> list[HeldItem]:
    return list(HeldItem.objects.filter(terminal=till.terminal).order_by("id"))


def conflicts(till: Till, *numbers: int) -> list[HeldItem]:
    """Orders in the books for 2.40, and another version of each for 3.60 that is held."""
    first = [a_sale(number) for number in numbers]
    till.sell(*first)
    others = deepcopy(first)
    for other in others:
        other["lines"][0] |= {"quantity": "3", "amount": 360}
        other |= {"total": 360, "payments": [{"method": "cash", "amount": 360}]}
    till.sell(*others)
    return held_of(till)


def statements(desk: Desk, name: str, *args: Any, **query: Any) -> int:
    with CaptureQueriesContext(connection) as asked:
        desk.open(name, *args, **query)
    return len(asked)


def test_what_is_held_is_decided_from_its_page_and_the_next_one_follows(till: Till) -> None:
    first, second, _ = conflicts(till, 1001, 1002, 1003)
    desk = Desk()
    shown = desk.decide("post", first, reason="identity-only", queue=f"store={till.store.pk}")
    assert "Post what was held, Held: order 1001 of Till 1: done." in shown.text
    assert "Order 1002* is held" in shown.text
    assert f"store%3D{till.store.pk}" in shown.link("Next"), "the queue stays that of the store"
    shown = desk.decide("discard", second, reason="duplicate", duplicate_of="1002*")
    assert "Order 1003* is held" in shown.text
    assert Decision.objects.get(verb="discard").arguments == {"duplicate_of": str(second.order_id)}
    assert Order.objects.filter(terminal=till.terminal, number=1001).count() == 2


def test_a_refusal_is_said_on_the_form_in_words_and_nothing_is_decided(till: Till) -> None:
    (item,) = conflicts(till, 1001)
    desk = Desk()
    shown = desk.decide("post", item, reason="checked-with-store")
    assert "Nothing was decided The reason checked-with-store needs a note." in shown.text
    shown = desk.decide("discard", item, reason="duplicate", duplicate_of="999")
    assert "This till has no order of this number." in shown.text
    claim_held(item, person=a_person("Otto"), now=timezone.now())
    assert "is at work on it until" in desk.decide("post", item, reason="identity-only").text
    assert not Decision.objects.exists()
    assert desk.client.get(reverse("admin:books_decision_decide", args=["post", 10**9])).status_code == 404
    stranger = Desk("Anna", rights=("decide_order",))
    assert stranger.client.get(reverse("admin:books_decision_decide", args=["post", item.pk])).status_code == 403
    assert "You may look at it." in stranger.open("sales_helditem_change", item.pk).text


def test_a_conflict_shows_two_receipts_and_what_each_choice_does_to_the_books(till: Till) -> None:
    (item,) = conflicts(till, 1001)
    shown = Desk().open("sales_helditem_change", item.pk).text
    assert "Baguette ≠ (differs) 2 × €1.20 €2.40 Total ≠ (differs) €2.40" in shown
    assert "Baguette ≠ (differs) 3 × €1.20 €3.60 Total ≠ (differs) €3.60" in shown
    assert "Cashier Anna Opened" in shown, "what is the same is not marked"
    assert "Both stand in the books: the first one stays" in shown
    assert "Only the first one stands in the books" in shown
    for figure in ("Sales €2.40 €6.00", "Cash €2.40 €6.00", "Expected in the drawer €202.40 €206.00"):
        assert figure in shown


def test_a_correction_is_typed_field_by_field_and_the_rest_stays_as_sent(till: Till) -> None:
    till.sell(wrong := a_sale(1001, total=999))
    (item,) = held_of(till)
    desk = Desk()
    form = desk.client.get(reverse("admin:books_decision_decide", args=["correct", item.pk])).context["form"]
    typed = {name: form.initial[name] for name in form.fields if name in form.initial}
    (total,) = (name for name, field in form.fields.items() if field.label == "Total (EUR)")
    shown = desk.decide("correct", item, **(typed | {total: "2.4", "reason": "keyed-wrongly"}))
    assert "done." in shown.text, shown.text
    assert Decision.objects.get().arguments["order"] == {**wrong, "total": 240}
    assert Order.objects.get(order_id=wrong["order_id"]).total == 240


def test_many_are_decided_for_one_reason_and_each_has_its_own_result(till: Till) -> None:
    unmap(till, "card")
    till.sell(*(a_sale(1001 + place, **by_card()) for place in range(3)), a_sale(1004, total=999))
    map_again(till, "card", "1100")
    first, second, third, _ = held_of(till)
    till.store.second_person_above = 200
    till.store.save()
    desk = Desk()
    page = desk.open("sales_helditem_many", reason="unmapped-method")
    assert "3 are held" in page.text
    assert page.html.count(" checked>") == 3
    desk.decide("post", third, reason="accounts-mapped")
    said = {"item": [first.pk, second.pk, third.pk], "choice": "post accounts-mapped"}
    address = reverse("admin:sales_helditem_many") + "?reason=unmapped-method"
    answer = desk.client.post(address, said).content.decode()
    assert answer.count("Waits for a second person") >= 2
    assert "Already asked by" in answer
    assert (
        Decision.objects.filter(request_id=Decision.objects.get(subject=f"{first.batch_id}:0").request_id).count() == 2
    )
    assert "Tick at least one." in desk.client.post(address, said | {"item": []}).content.decode()


def test_a_request_is_a_queue_of_its_own_and_nobody_agrees_to_their_own(till: Till) -> None:
    till.store.second_person_above = 100
    till.store.save()
    first, second = conflicts(till, 1001, 1002)
    ruth, otto, anna = Desk("Ruth"), Desk("Otto"), Desk("Anna", rights=("decide_order",))
    assert "it waits for a second person" in ruth.decide("post", first, reason="identity-only").text
    ruth.decide("post", second, reason="identity-only")
    one, two = Decision.objects.order_by("asked_at")
    own = ruth.open("books_decision_waiting")
    assert "nobody agrees to what they asked for themselves" in own.text
    assert "Nobody agrees to what they asked for themselves." in ruth.answer(one.pk, "agree").text
    assert "You may not decide this, and so not agree to it." in anna.open("books_decision_waiting").text
    assert anna.client.get(reverse("admin:books_decision_answer", args=[one.pk, "agree"])).status_code == 403
    assert otto.open("books_decision_waiting").link("Agree").endswith(f"/{one.pk}/agree/"), "the oldest first"
    assert "agreed, and done." in otto.answer(one.pk, "agree").text
    assert Order.objects.filter(terminal=till.terminal, number=1001).count() == 2
    assert "Whoever declines says why, in a note." in otto.answer(two.pk, "decline").text
    assert "declined." in otto.answer(two.pk, "decline", note="Ask the store.").text
    assert "Nothing waits for a second person." in otto.open("books_decision_waiting").text
    assert "Already declined by" in otto.answer(two.pk, "agree").text


def test_a_page_that_is_open_keeps_others_away_until_it_is_left(till: Till) -> None:
    (item,) = conflicts(till, 1001)
    ruth, otto = Desk("Ruth"), Desk("Otto")
    claim, release = (reverse(f"admin:sales_helditem_{what}", args=[item.pk]) for what in ("claim", "release"))
    assert not HeldClaim.objects.exists(), "to look takes nothing"
    first = ruth.client.post(claim).json()["until"]
    assert f"{ruth.person} is at work on it until" in otto.client.post(claim).json()["refused"]
    row = otto.open("sales_helditem_changelist", store=till.store.pk).row("1001")
    assert f"{ruth.person} for" in row.text
    again = ruth.client.post(claim).json()["until"]
    ruth.client.post(release, {"until": first})
    assert HeldClaim.objects.get().since < HeldClaim.objects.get().until - timedelta(minutes=14)
    ruth.client.post(release, {"until": again})
    assert not HeldClaim.objects.exists()
    assert otto.client.post(claim).status_code == 200
    assert ruth.client.get(claim).status_code == 405


def test_the_queue_counts_by_reason_and_no_page_asks_more_the_more_there_is(till: Till) -> None:
    conflicts(till, 1001, 1002)
    till.sell(a_sale(1003, total=999))
    till.store.second_person_above = 100
    till.store.save()
    desk, item = Desk(), held_of(till)[0]
    desk.decide("post", held_of(till)[2], reason="checked-with-store", note="Yes.")
    desk.decide("post", item, reason="identity-only")
    pages: list[tuple[Any, ...]] = [
        ("sales_helditem_changelist",),
        ("sales_helditem_change", item.pk),
        ("books_decision_waiting",),
        ("sales_helditem_many",),
        ("sales_shift_change", till.shift_id),
        ("sales_order_change", Order.objects.get(terminal=till.terminal, number=1001).pk),
    ]
    before = [statements(desk, *page) for page in pages]
    for number in range(1010, 1016):
        till.sell(a_sale(number, total=999), first := a_sale(number + 100))
        till.sell(first | {"cashier": "Théo"})
    for each in held_of(till)[3:9]:
        desk.decide("discard", each, reason="test", note="A test.")
    after = [statements(desk, *page) for page in pages]
    assert after == before
    assert max(before) < 45, before
    html = desk.open("sales_helditem_changelist").html
    assert "Sent twice with different content" in html


def test_a_deposit_is_followed_from_the_safe_to_the_bank_and_change_back(till: Till) -> None:
    """On the store's page, by its forms: what is on its way, and since when, is said where the bank has received it."""
    desk, store, day = Desk(), till.store, {"date": "2026-03-02"}
    reasons = {"count-safe": "daily", "bank": "deposit", "bank-received": "statement", "bank-change": "fetched"}

    def decides(verb: str, **said: str) -> str:
        return desk.decide(verb, store, reason=reasons[verb], **said).text

    decides("count-safe", amount="500")
    assert "No deposit is on its way." in desk.open("books_decision_decide", "bank-received", store.pk).text
    assert "Bring cash to the bank" in decides("bank", amount="300", slip="4711", **day)
    form = desk.open("books_decision_decide", "bank-received", store.pk)
    assert "On its way: 4711 of 2 Mar 2026 (€300.00)." in form.text
    assert 'value="4711"' in form.html
    shown = desk.open("sales_store_days", store=store.pk, day="2026-03-03")
    assert "On its way to the bank €300.00 Deposit 4711 On its way since 2 Mar 2026 €300.00" in shown.text
    assert {"r", "c"} <= set(re.findall(r'data-key="(\w)"', shown.html))
    refused = decides("bank-received", amount="300.01", slip="4711", date="2026-03-03")
    assert "€300.01 is more than €300.00" in refused
    received = decides("bank-received", amount="300", slip="4711", date="2026-03-03")
    assert "Cash received by the bank" in received
    assert "done." in decides("bank-change", amount="25.50", **day)
    shown = desk.open("sales_store_days", store=store.pk, day="2026-03-03").text
    # On that day the safe was not counted: less the float of 200.00 and the deposit, and the change.
    assert "or more left it than the books know. −€474.50 On its way to the bank €0.00" in shown
    assert "Deposit 4711" not in shown
