"""People who come in, choose, pay and sometimes come back to complain."""

from fractions import Fraction
from random import Random

from backoffice_terminal import Draft, Order
from backoffice_terminal.money import round_half_away
from backoffice_terminal.orders import Line, Tax
from msgspec.structs import replace

from backoffice.workbench.simulator.catalogue import Bottle, Shop

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
        elif self._happens(8):
            first = self._rng.choice(self._shop.items)
            taxes = first.taxes(draft.type)
            draft.add(unit_price=first.price, taxes=taxes, sku=first.sku, name=first.name)
            draft.add(kind="discount", name="Voucher", quantity="-1", unit_price=first.price // 2, taxes=taxes)
        if self._shop.bottle is not None and self._happens(10):
            draft.lines.append(
                _bottles(self._shop.bottle, self._rng.randint(1, 3), prices_include_tax=draft.prices_include_tax)
            )
        if self._happens(2):
            price = self._shop.gift_card
            draft.add(kind="gift_card", name="Gift card", unit_price=price, discount=price // 10)

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
        """Which lines come back: everything, or the first of several; what came off the whole order comes back with it."""
        is_whole = len(order.lines) == 1 or any(line.kind == "discount" for line in order.lines)
        return None if is_whole or self._happens(50) else [0]

    def take_back(self, draft: Draft, order: Order) -> None:
        """Gives the money back as it was paid, or now and then in cash, which head office is told of."""
        method = "cash" if self._happens(10) else order.payments[-1].method
        draft.pay(method, draft.due, reference="" if method == "cash" else self._paper("RF"))

    def exchange(self, draft: Draft, order: Order) -> None:
        """Brings back the first thing of an order, takes something else, and pays or is paid the difference."""
        back = Draft.refund(
            order, prices_include_tax=draft.prices_include_tax, opened_at=draft.opened_at, lines=[0]
        ).lines[0]
        self.choose(draft)
        draft.lines.append(replace(back, refund_of=order.order_id))
        if draft.due < 0:
            self.take_back(draft, order)
        else:
            self.pay(draft)

    def correct(self, draft: Draft, order: Order) -> None:
        """What turns out later of an order: a tip on its card slip, or that it was keyed as another method."""
        draft.adjusts = order.order_id
        paid = order.payments[-1]
        if paid.method == "card" and self._shop.tips:
            draft.tip = self._shop.notes[0] // 5
            draft.pay("card", draft.tip, reference=paid.reference)
            return
        other = "cash" if paid.method == "card" else "card"
        draft.pay(paid.method, -paid.amount, reference=paid.reference)
        draft.pay(other, paid.amount, reference="" if other == "cash" else self._paper("TX"))

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


def _bottles(bottle: Bottle, pieces: int, *, prices_include_tax: bool) -> Line:
    """Their line. The compound tax is of the price without it, which has the contribution in it or beside it."""
    amount, fund = bottle.price * pieces, bottle.per_piece * pieces
    rate = Fraction(bottle.tax.rate)
    compound = amount * rate / (1 + rate) if prices_include_tax else (amount + fund) * rate
    taxes = (
        Tax(bottle.fund, "0", fund, "fixed"),
        Tax(bottle.tax.code, bottle.tax.rate, round_half_away(compound), "compound"),
    )
    return Line(str(pieces), bottle.price, amount, sku=bottle.sku, name=bottle.name, taxes=taxes)
