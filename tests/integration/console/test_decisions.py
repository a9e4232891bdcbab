"""Decisions in the console: who decided what and why, in words; and what became of it where it is looked for."""

from typing import Any

import pytest
from django.utils import timezone

from backoffice.books.claims import claim_held
from backoffice.books.deciding import agree
from backoffice.books.importing import import_cache
from backoffice.domain.decisions import Verb
from backoffice.sales.models import HeldItem, Order
from tests.caches import cached_batch, cached_shift, saved_cache
from tests.integration.books.office import TODAY, a_person, decided
from tests.integration.console.conftest import Open
from tests.till import Till, a_sale

pytestmark = pytest.mark.django_db


def test_the_list_and_the_page_of_a_corrected_payment_are_in_words(till: Till, page: Open) -> None:
    till.sell(order := a_sale(1001))
    ruth = a_person("Ruth")
    report = decided(
        Verb.RETENDER, order["order_id"], person=ruth, payments={"card": 140, "cash": 100}, note="Says Anna."
    )
    row = page("books_decision_changelist").row(str(ruth))
    for words in ("Correct how it was paid", "Order 1001* of Till 1", "The wrong payment method was keyed", "€1.40"):
        assert words in row.text
    shown = page("books_decision_change", report.decision_id)
    assert "Payments Cash €2.40 Card €1.40, Cash €1.00" in shown.text
    assert "The wrong payment method was keyed: Says Anna." in shown.text
    assert shown.link("Order 1001*").endswith(f"/{Order.objects.get(order_id=order['order_id']).pk}/change/")
    for raw in ("keyed-wrongly", "retender", order["order_id"], '"payments"', "{"):
        assert raw not in shown.text


def test_a_correction_is_shown_field_by_field(till: Till, page: Open) -> None:
    till.sell(wrong := a_sale(1001, total=999))
    report = decided(Verb.CORRECT, wrong["order_id"], order={**wrong, "total": 240})
    shown = page("books_decision_change", report.decision_id)
    assert "Total €9.99 €2.40" in shown.text
    assert "Why it was held Total is not the sum of its lines, Payments are not the total" in shown.text
    assert "Once held: order 1001" in shown.text


def test_a_move_names_both_shifts(till: Till, page: Open) -> None:
    other = Till(till.store, name="Till 2")
    other.open(number=7)
    till.sell(a_sale(1001))
    till.sell(moved := a_sale(1001))
    report = decided(Verb.MOVE, moved["order_id"], to=str(other.shift_id))
    assert "Shift Shift 311 of Till 1 Shift 7 of Till 2" in page("books_decision_change", report.decision_id).text


def test_every_other_decision_is_in_words_too(till: Till, page: Open) -> None:
    till.sell(first := a_sale(1001), last := a_sale(1003))
    till.close(first, last, counted=20400)
    otto = a_person("Otto")
    explained = decided(Verb.EXPLAIN, till.shift_id, numbers="1002")
    counted = decided(Verb.RECOUNT, till.shift_id, counts={"cash": 20470, "card": 0})
    asked = decided(Verb.ENTER, till.shift_id, order=a_sale(1009))
    banked = decided(Verb.BANK, till.store.code, amount=500, slip="4711", date=str(TODAY), agreed_by=otto)
    received = decided(Verb.BANK_RECEIVED, till.store.code, amount=400, slip="4711", date=str(TODAY))
    change = decided(Verb.BANK_CHANGE, till.store.code, amount=300, date=str(TODAY))
    said = {
        explained.decision_id: ("Numbers 1002 1002", "State — Adds up"),
        counted.decision_id: ("Cash counted €204.00 €204.70", "Over or short — −€0.10", "Shift 311 of Till 1"),
        asked.decision_id: ("Waits for a second person", "Number 1009", "Line 1, amount €2.40", "As entered"),
        banked.decision_id: ("In the safe −€200.00 −€205.00", "More than the books knew to be in the safe", "Agreed"),
        received.decision_id: ("Cash received by the bank", "On its way to the bank €5.00 €1.00", "Slip — 4711"),
        change.decision_id: ("Change from the bank", "In the safe −€205.00 −€202.00"),
    }
    for decision_id, words in said.items():
        text = page("books_decision_change", decision_id).text
        for each in words:
            assert each in text, text
        assert "{" not in text


def test_a_voided_order_says_so_first_and_shows_both_entries(till: Till, page: Open) -> None:
    till.sell(order := a_sale(1001, closed_at="2026-03-02T23:59:00+01:00"))
    till.close(order)
    decided(Verb.RETENDER, order["order_id"], payments={"card": 240})
    ruth = a_person("Ruth")
    decided(Verb.VOID, order["order_id"], person=ruth, reason="never-a-sale", note="The cook practised.")
    shown = page("sales_order_change", Order.objects.get(order_id=order["order_id"]).pk).text
    assert f"It was voided: all that it posted was taken back Void an order: by {ruth}" in shown
    assert "It never was a sale. “The cook practised.”" in shown
    assert "In the books" not in shown
    for entry in ("entry: order ", "entry: payment corrected ", "entry: order voided "):
        assert f"{entry}" in shown
    assert shown.count("Both sides are equal") == 3


def test_an_approved_shift_says_who_when_and_why(till: Till, page: Open) -> None:
    till.close(counted=19000)
    ruth = a_person("Ruth")
    decided(Verb.APPROVE, till.shift_id, person=ruth, reason="difference-accepted", note="Ten went to the baker.")
    shown = page("sales_shift_change", till.shift_id).text
    assert f"It was approved Approve a shift: by {ruth}" in shown
    assert "The difference is accepted. “Ten went to the baker.”" in shown


def test_who_is_at_work_on_a_held_order_is_said(till: Till, page: Open) -> None:
    till.sell(a_sale(1001, total=999))
    item = HeldItem.objects.get(terminal=till.terminal)
    ruth = a_person("Ruth")
    claim_held(item, person=ruth, now=timezone.now())
    assert f"{ruth} is at work on it until" in page("sales_helditem_change", item.pk).text


def test_what_was_agreed_names_both(till: Till, page: Open) -> None:
    ruth, otto = a_person("Ruth"), a_person("Otto")
    asked = decided(Verb.ENTER, till.shift_id, person=ruth, order=a_sale(1001))
    agree(asked.decision_id, person=otto, now=timezone.now())
    order: Any = Order.objects.get(
        order_id=asked.after.get("order_id") or Order.objects.get(batch_id=asked.decision_id).order_id
    )
    assert f"by {ruth} and {otto}" in page("sales_order_change", order.pk).text


def test_a_cache_that_was_taken_in_is_in_words_and_leads_to_its_terminal(till: Till, page: Open) -> None:
    file = saved_cache(till, cached_shift(till.shift_id, cached_batch(a_sale(1001), a_sale(1002))))
    people = {"person": a_person("Ruth"), "agreed_by": a_person("Otto")}
    report = import_cache(file, reason="till-dead", **people, now=timezone.now())
    row = page("books_decision_changelist").row(str(people["person"]))
    for words in ("Take in what a till could not send", "Till 1", "The till is dead or dying"):
        assert words in row.text
    shown = page("books_decision_change", report.decision_id)
    assert shown.link("Till 1").endswith(f"/{till.terminal.pk}/change/")
    for words in ("Saved by the till 1 Mar 2026", "Orders 2", "Total €4.80"):
        assert words in shown.text
    assert "import-cache" not in shown.text
