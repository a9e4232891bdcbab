"""Whoever is bound to stores decides about these, and about no other: not in the console, nor by a command."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from backoffice.books.claims import claim_held
from backoffice.books.deciding import agree, decline
from backoffice.books.exports.jobs import ask_export
from backoffice.books.exports.models import ExportProfile
from backoffice.books.exports.planning import StoreDays
from backoffice.books.exports.refusals import NotExported
from backoffice.books.models import Decision, DecisionAnswer, HeldClaim, Membership
from backoffice.books.refusals import NotDecided
from backoffice.domain.decisions import DecisionState, Verb
from backoffice.fleet.models import Store
from backoffice.sales.models import HeldItem
from tests.integration.books.office import TODAY, a_person, by_card, decided, map_again, unmap
from tests.till import Till, a_sale, a_store


@pytest.fixture
def order(till: Till) -> dict[str, Any]:
    """Held, and it can be posted; above 1.00 it takes two."""
    unmap(till, "card")
    order = a_sale(1001, **by_card())
    till.sell(order)
    map_again(till, "card", "1100")
    Store.objects.filter(pk=till.store.pk).update(second_person_above=100)
    return order


def bound(name: str, *stores: Store) -> User:
    """Somebody with every right, in these stores."""
    person = a_person(name)
    Membership.objects.create(person=person).stores.set(stores)
    return person


def refused(call: Callable[[], Any]) -> str:
    with pytest.raises(NotDecided) as raised, transaction.atomic():
        call()
    return raised.value.code


def test_nothing_is_decided_about_another_store(till: Till, order: dict[str, Any]) -> None:
    stranger = bound("Stella", a_store())
    (held,) = HeldItem.objects.filter(store=till.store)
    for verb, subject, how in (
        (Verb.POST, order["order_id"], {}),
        (Verb.COUNT_SAFE, till.store.code, {"amount": 0}),
        (Verb.LOCK, till.store.code, {"date": "2026-02-28"}),
        (Verb.END, till.shift_id, {}),
    ):
        assert refused(lambda verb=verb, subject=subject, how=how: decided(verb, subject, person=stranger, **how)) == "not-allowed"  # fmt: skip
    assert refused(lambda: claim_held(held, person=stranger, now=timezone.now())) == "not-allowed"
    assert refused(lambda: decided(Verb.POST, order["order_id"], agreed_by=stranger)) == "not-allowed"
    assert not Decision.objects.filter(store=till.store).exists()
    assert not HeldClaim.objects.filter(held=held).exists()


def test_of_their_own_they_decide(till: Till, order: dict[str, Any]) -> None:
    stella, sam = bound("Stella", till.store), bound("Sam", a_store(), till.store)
    asked = decided(Verb.POST, order["order_id"], person=stella)
    done = agree(asked.decision_id, person=sam, now=timezone.now())
    assert done.state == DecisionState.DONE


def test_what_was_asked_of_another_store_is_neither_agreed_to_nor_declined(till: Till, order: dict[str, Any]) -> None:
    asked = decided(Verb.POST, order["order_id"]).decision_id
    stranger = bound("Stella", a_store())
    assert refused(lambda: agree(asked, person=stranger, now=timezone.now())) == "not-allowed"
    assert refused(lambda: decline(asked, person=stranger, note="No", now=timezone.now())) == "not-allowed"
    assert not DecisionAnswer.objects.exists()


def test_what_somebody_asked_before_they_lost_the_store_must_be_asked_again(till: Till, order: dict[str, Any]) -> None:
    stella = bound("Stella", till.store)
    asked = decided(Verb.POST, order["order_id"], person=stella).decision_id
    Membership.objects.get(person=stella).stores.clear()
    assert refused(lambda: agree(asked, person=a_person("Otto"), now=timezone.now())) == "not-allowed"


def test_the_books_of_another_store_are_not_exported(till: Till) -> None:
    profile = ExportProfile.objects.create(name="books", format="jsonl", granularity="entry", created_at=timezone.now())
    with pytest.raises(NotExported, match="may not export"):
        ask_export(profile, StoreDays(till.store, TODAY, TODAY), person=bound("Stella", a_store()), now=timezone.now())
