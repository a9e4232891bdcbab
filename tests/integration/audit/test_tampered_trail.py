"""An audit trail that somebody changed as a superuser: each row that was changed, removed or added is named."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from backoffice.books.evidence.sources import AuditTrail
from backoffice.domain.decisions import Verb
from backoffice.fleet.models import Store
from backoffice.trail.acting import Actor, acting
from tests.integration.audit.test_tampered_seals import Tamper, Verify, found
from tests.integration.books.office import decided
from tests.integration.evidence.sealing import NOON, seal_here
from tests.till import Till, a_sale

pytestmark = pytest.mark.django_db

SETTING = "(SELECT max(id) FROM trail_entry WHERE about = 'store' AND what = 'changed')"


@pytest.fixture
def noted(till: Till, verify: Verify) -> Store:
    """A store whose settings somebody changed twice, and a person who was added: all of it sealed, in books that agree."""
    store = till.store
    with acting(Actor(person="ruth", via="console", reason="Because of the sale")):
        Store.objects.filter(pk=store.pk).update(max_over_short=500, order_types=["drive", "takeaway"])
        Store.objects.filter(pk=store.pk).update(max_over_short=900)
    User.objects.create_user("otto", email="otto@example.com")
    till.sell(a_sale(1001))
    seal_here()
    assert seal_here(source=AuditTrail()) > 5
    User.objects.create_user("claire")
    seal_here(source=AuditTrail(), now=NOON + timedelta(days=1))
    code, report = verify()
    assert (code, report["differences"]) == (0, [])
    return store


# What was done, and words of the difference that tells it.
CHANGES = {
    "who": (f"UPDATE trail_entry SET person = 'nobody' WHERE id = {SETTING}", "changed: 20"),
    "when": (f"UPDATE trail_entry SET at = at - interval '1 us' WHERE id = {SETTING}", "sealed as trail"),
    "why": (f"UPDATE trail_entry SET reason = '' WHERE id = {SETTING}", "sealed as trail"),
    "what it was before": (
        f"UPDATE trail_entry SET before = '{{\"max_over_short\": 1}}' WHERE id = {SETTING}",
        "sealed as trail",
    ),
    "what it became": (
        f"UPDATE trail_entry SET after = '{{\"max_over_short\": 1}}' WHERE id = {SETTING}",
        "sealed as trail",
    ),
    "a list in it": (
        (
            "UPDATE trail_entry SET after = jsonb_set(after, '{order_types}', '[\"drive\"]') WHERE after ? 'order_types'"
            " AND what = 'changed'"
        ),
        "sealed as trail",
    ),
    "one that is gone": (f"DELETE FROM trail_entry WHERE id = {SETTING}", "audit trail"),
    "a person's": ("UPDATE trail_entry SET object_name = 'Otto' WHERE object_name = 'otto'", "audit trail"),
    "one put behind the seals": (
        (
            "INSERT INTO trail_entry (id, what, about, object_id, object_name, person, address, via, reason, xid)"
            " VALUES (-1, 'login', 'user', '1', 'otto', 'otto', '', 'console', '', '1')"
        ),
        "audit trail -1 (login user otto): has no seal",
    ),
    "a setting that nobody changed": (
        "UPDATE fleet_store SET max_over_short = 100000",
        "max_over_short, 900, 100000",
    ),
    "an account that nobody mapped": (
        "UPDATE ledger_paymentaccount SET account_id = '1010' WHERE method = 'card'",
        "account_id, ",
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_it_is_found_and_named(noted: Store, verify: Verify, tamper: Tamper, change: str) -> None:
    statement, words = CHANGES[change]
    tamper(statement)
    differences = found(verify)
    assert any(words in difference for difference in differences), differences


def test_what_is_not_sealed_yet_is_no_difference(till: Till, verify: Callable[[], tuple[int, dict[str, Any]]]) -> None:
    Store.objects.filter(pk=till.store.pk).update(refund_days=3)
    assert verify()[1]["differences"] == []


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE books_decision SET reason = 'other'", "reason, daily, other"),
        ("UPDATE books_decision SET person_id = (SELECT max(id) FROM auth_user)", "person_id, "),
        ("DELETE FROM books_decision", "is gone"),
    ],
)
def test_a_decision_that_was_changed_or_removed_is_named(
    till: Till, verify: Verify, tamper: Tamper, statement: str, words: str
) -> None:
    decided(Verb.COUNT_SAFE, till.store.code, amount=0)
    User.objects.create_user("claire")
    assert verify()[1]["differences"] == []
    tamper(statement)
    assert any(words in difference for difference in found(verify)), found(verify)
