"""People who come in, choose, pay and sometimes come back to complain."""

from random import Random

from backoffice_terminal import Draft, Order

from backoffice.workbench.simulator.catalogue import Shop

_NAMES = ("Mme Petit", "Mr. O'Hara", "Tanaka-san", "Mrs MacLeod", "Dr. Weiß", "José Núñez")


class Customers:
    """A seeded stream of customers. What they want depends on the shop; every draft is paid to the minor unit."""

    def __init__(self, shop: Shop, rng: Random) -> None:
        self._shop = shop
        self._rng = rng
        self._papers = 0

    def seconds_until_next(self) -> float:
        """How long the till waits: two minutes on average, never more than ten."""
        return min(600.0, self._rng.expovariate(1 / 120))

    def order_type(self) -> str:
        """The order type of the next customer."""
        return self._rng.choices(("takeaway", "on_table", "delivery"), (70, 25, 5))[0]

    def name(self) -> dict[str, object] | None:
        """A customer with a name, for one in ten; otherwise None."""
        return {"name": self._rng.choice(_NAMES)} if self._happens(10) else None

    def choose(self, draft: Draft) -> None:
        """Puts between one and five things on the counter; now and then something comes off the whole receipt."""
        for item in self._rng.choices(self._shop.items, k=self._rng.choices((1, 2, 3, 4, 5), (35, 30, 20, 10, 5))[0]):
            quantity = self._rng.choices(("1", "2", "3", "6"), (75, 15, 7, 3))[0]
            draft.add(
                sku=item.sku, name=item.name, quantity=quantity, unit_price=item.price, taxes=item.taxes(draft.type)
            )
        if self._happens(8):
            draft.discount_all(sum(line.amount for line in draft.lines) // 10)
            draft.note = "10 % off: regular customer"

    def pay(self, draft: Draft) -> None:
        """Pays in cash with change, by card or phone with or without a tip, or half by gift card and half in cash."""
        way = self._rng.choices(("cash", "card", "wallet", "split"), (40, 45, 10, 5))[0]
        if way != "cash" and self._shop.tips and self._happens(30):
            draft.tip = draft.total * self._rng.choice(self._shop.tips) // 100
        if way == "split":
            draft.pay("gift_card", draft.due // 2, reference=self._paper("GC"))
        if way in ("cash", "split"):
            draft.pay_cash(tendered=self._notes(draft.due))
        else:
            draft.pay(way, draft.due, reference=self._paper("TX"))

    def bring_back(self, order: Order) -> list[int] | None:
        """Which lines come back: everything, or the first of several."""
        return [0] if len(order.lines) > 1 and self._happens(50) else None

    def take_back(self, draft: Draft) -> None:
        """Gives the money back, in cash or to the card."""
        if self._happens(50):
            draft.pay("cash", draft.due)
        else:
            draft.pay("card", draft.due, reference=self._paper("RF"))

    def _happens(self, percent: int) -> bool:
        return self._rng.randrange(100) < percent

    def _notes(self, due: int) -> int:
        """What is handed over: as few notes of one kind as suffice."""
        note = self._rng.choice(self._shop.notes)
        return -(-due // note) * note

    def _paper(self, kind: str) -> str:
        # No two card slips are alike, or Back Office would rightly flag the same card payment twice.
        self._papers += 1
        return f"{kind}-{self._rng.randrange(10**6):06}-{self._papers}"
