"""Whatever is sold, held, decided and counted, in whatever order: the books are right after every step."""

from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from django.contrib.auth.models import User

from backoffice.books.refusals import NotDecided
from backoffice.domain.decisions import Verb
from backoffice.sales.models import HeldItem, Order, Shift
from tests.integration.books.office import TODAY, a_person, decided
from tests.till import Till, a_movement, a_sale

pytestmark = pytest.mark.django_db

Verify = Callable[[], tuple[int, dict[str, Any]]]
STEPS = 40
PAYMENTS = ({"cash": 240}, {"card": 240}, {"card": 300, "cash": -60}, {"on_account": 240})


class Story:
    """Two tills of one store, and what may happen to them."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.first = Till()
        self.tills = [self.first, Till(self.first.store, name="Till 2")]
        self.people: list[User] = [a_person("Ruth"), a_person("Otto")]
        self.numbers = dict.fromkeys(self.tills, 1000)
        self.shifts = 0
        self.sent: list[tuple[Till, dict[str, Any]]] = []
        self.done: list[Verb] = []
        for till in self.tills:
            self.open(till)

    def step(self) -> None:
        """One of the things that happen."""
        till = self.rng.choice(self.tills)
        happens = self.rng.choice([self.sell, self.sell, self.send_again, self.close, *[self.decide] * 4])
        happens(till)

    def open(self, till: Till) -> None:
        self.shifts += 1
        answer = till.open(number=self.shifts, opening_float=20000, first_number=self.numbers[till] + 1)
        assert answer.status_code == 201, answer.content

    def sell(self, till: Till) -> None:
        """Good orders, wrong ones, those that contradict others, and none where a number is skipped."""
        orders = []
        for _ in range(self.rng.randint(1, 3)):
            self.numbers[till] += self.rng.choice([1, 1, 1, 2])
            order = a_sale(self.numbers[till])
            if self.rng.random() < 0.3:
                order["total"] = 999
            if self.sent and self.rng.random() < 0.2:
                order["order_id"] = self.rng.choice(self.sent)[1]["order_id"]
            orders.append(order)
        till.sell(*orders, movements=[a_movement(self.rng.choice([500, -500]))])
        self.sent += [(till, order) for order in orders]

    def send_again(self, till: Till) -> None:
        own = [order for sender, order in self.sent if sender is till]
        if own:
            till.sell(self.rng.choice(own))

    def close(self, till: Till) -> None:
        if Shift.objects.get(pk=till.shift_id).state == "open":
            first = Shift.objects.get(pk=till.shift_id).first_number
            left = {"float_left": 20000} if self.rng.random() < 0.5 else {}
            counted = None if self.rng.random() < 0.2 else 20000 + self.rng.randrange(-300, 900)
            till.close(cash_counted=counted, first_number=first, last_number=self.numbers[till], **left)
        self.open(till)

    def decide(self, till: Till) -> None:
        """A decision that may fit. What does not is refused, and changes nothing."""
        verb = self.rng.choice(list(Verb))
        asked = self.arguments(verb)
        if asked is None:
            return
        subject, how = asked
        ruth, otto = self.rng.sample(self.people, 2)
        try:
            decided(verb, subject, person=ruth, agreed_by=otto, note="So be it.", **how)
        except NotDecided:
            return
        self.done.append(verb)

    def arguments(self, verb: Verb) -> tuple[str, dict[str, Any]] | None:
        """What it is about, and what it needs; None where there is nothing of the kind."""
        rng, shift = self.rng, rng_choice(self.rng, Shift.objects.filter(store=self.first.store))
        held = rng_choice(rng, HeldItem.objects.filter(store=self.first.store, decision_id__isnull=True))
        order = rng_choice(rng, Order.objects.filter(store=self.first.store))
        if verb in {Verb.POST, Verb.CORRECT, Verb.DISCARD, Verb.MOVE}:
            return None if held is None else self.about_held(verb, held, shift)
        if verb in {Verb.VOID, Verb.RETENDER}:
            return None if order is None else (str(order.order_id), {"payments": rng.choice(PAYMENTS)})
        if verb in {Verb.COUNT_SAFE, Verb.BANK}:
            return self.first.store.code, {"amount": rng.randrange(1, 9999), "slip": "4711", "date": str(TODAY)}
        if verb in {Verb.LOCK, Verb.UNLOCK}:
            return self.first.store.code, {"date": rng.choice(["2026-02-28", "2026-03-01", "2026-03-31", "2026-04-15"])}
        number = rng.randint(1001, max(1001, *self.numbers.values()))
        counts = {"cash": 20000 + rng.randrange(-500, 500)}
        return str(shift.pk), {"numbers": str(number), "order": a_sale(number), "counts": counts}

    def about_held(self, verb: Verb, held: HeldItem, shift: Shift) -> tuple[str, dict[str, Any]]:
        kind = "movements:" if held.what == "movement" else ""
        right = {**a_sale(held.number or 1), "order_id": str(held.order_id)} if held.what == "order" else {}
        how = {"order": right, "to": str(shift.pk)}
        return f"{held.batch_id}:{kind}{held.position}", how if verb in {Verb.CORRECT, Verb.MOVE} else {}


def rng_choice(rng: Random, rows: Any) -> Any:
    found = list(rows.order_by("pk"))
    return rng.choice(found) if found else None


@pytest.mark.parametrize("seed", range(8))
def test_whatever_is_decided_the_books_are_right_all_the_way(seed: int, verify: Verify) -> None:
    story = Story(seed)
    for _ in range(STEPS):
        story.step()
        assert verify()[1]["differences"] == [], story.done
    assert len(set(story.done)) > 2, "or nothing was decided"
