"""Head office for the tests: people who decide, and what they say."""

from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from django.contrib.auth.models import Permission, User
from django.utils import timezone

from backoffice.books.deciding import DecisionReport, Proposal, decide
from backoffice.domain.decisions import Verb
from backoffice.ledger.models import PaymentAccount
from tests.till import Till

# A reason of each verb that needs nothing.
PLAIN = {
    Verb.POST: "identity-only",
    Verb.CORRECT: "keyed-wrongly",
    Verb.DISCARD: "duplicate",
    Verb.MOVE: "wrong-shift",
    Verb.VOID: "sold-twice",
    Verb.RETENDER: "keyed-wrongly",
    Verb.EXPLAIN: "skipped",
    Verb.ENTER: "till-lost",
    Verb.RECOUNT: "miscounted",
    Verb.END: "till-lost",
    Verb.APPROVE: "agrees",
    Verb.COUNT_SAFE: "daily",
    Verb.BANK: "deposit",
    Verb.BANK_RECEIVED: "statement",
    Verb.BANK_CHANGE: "fetched",
    Verb.LOCK: "month-closed",
    Verb.UNLOCK: "locked-by-mistake",
    Verb.IMPORT_CACHE: "till-dead",
}
ALL_RIGHTS = (
    "decide_held",
    "decide_order",
    "decide_numbers",
    "decide_shift",
    "decide_safe",
    "decide_period",
    "decide_terminal",
)
TODAY = timezone.now().astimezone(ZoneInfo("Europe/Paris")).date()
"""In a store of the tests, which is in Paris unless the test says otherwise."""


def a_person(name: str = "Ruth", *, rights: tuple[str, ...] = ALL_RIGHTS) -> User:
    """Somebody of head office with these rights, under a login of their own."""
    person = User.objects.create_user(f"{name}-{uuid4().hex[:8]}")
    person.user_permissions.set(Permission.objects.filter(content_type__app_label="books", codename__in=rights))
    return User.objects.get(pk=person.pk)


def decided(
    verb: Verb, subject: Any, *, person: User | None = None, reason: str = "", agreed_by: User | None = None, **how: Any
) -> DecisionReport:
    """Decides: by anybody with the right, for a reason that needs nothing, unless the test says otherwise."""
    note, address = how.pop("note", ""), how.pop("address", None)
    proposal = Proposal(
        verb=verb,
        subject=str(subject),
        person=person or a_person(),
        reason=reason or PLAIN[verb],
        note=note,
        arguments=how,
        agreed_by=agreed_by,
        address=address,
    )
    return decide(proposal, now=timezone.now())


def unmap(till: Till, method: str) -> None:
    """From here on orders with this method are held."""
    PaymentAccount.objects.filter(store=till.store, method=method).delete()


def map_again(till: Till, method: str, account: str) -> None:
    PaymentAccount.objects.create(store=till.store, method=method, account_id=account)


def by_card(amount: int = 240, **more: Any) -> dict[str, Any]:
    """How an order is paid by card."""
    return {"payments": [{"method": "card", "amount": amount, **more}]}


def map_to(till: Till, method: str, account: str) -> None:
    """From here on the method is posted to another account."""
    PaymentAccount.objects.filter(store=till.store, method=method).update(account_id=account)
