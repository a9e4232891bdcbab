"""What is sold: a few dozen receipts worked out once from the seed, and sold again and again, which costs little."""

from datetime import datetime
from random import Random

from backoffice_terminal import Draft, Order, Terminal
from backoffice_terminal.orders import TaxRate

ARTICLES = 64
TAXES = {True: (TaxRate("FR-5.5", "0.055"), TaxRate("FR-20", "0.2")), False: (TaxRate("NY", "0.08875"),)}
REMEMBERED = 50


class Customers:
    """Serves one customer after the other at a terminal; every choice is `rng`'s."""

    def __init__(self, terminal: Terminal, rng: Random) -> None:
        self._terminal = terminal
        self._rng = rng
        self._included = terminal.store.prices_include_tax
        self._receipts = [self._receipt() for _ in range(ARTICLES)]
        self._refundable: list[Order] = []

    def serve(self) -> None:
        """One order: mostly a sale in cash or by card; now and then a refund, a void, a training order."""
        chance = self._rng.random()
        if chance < 0.03 and self._refundable:
            self._refund()
            return
        receipt = self._rng.choice(self._receipts)
        draft = self._terminal.draft(type="takeaway")
        draft.lines = list(receipt.lines)
        if self._rng.random() < 0.5:
            draft.pay_cash(tendered=-(-draft.due // 1000) * 1000)
        else:
            draft.tip = self._rng.choice((0, 0, 0, 150))
            draft.pay("card", draft.due)
        if chance > 0.99:
            self._terminal.sell(draft, status=self._rng.choice(("voided", "training")))
            return
        order = self._terminal.sell(draft).order
        self._refundable = [*self._refundable[-REMEMBERED:], order]

    def _refund(self) -> None:
        order = self._refundable.pop(self._rng.randrange(len(self._refundable)))
        draft = self._terminal.refund(order)
        draft.pay(order.payments[0].method, draft.due)
        self._terminal.sell(draft)

    def _receipt(self) -> Draft:
        draft = Draft(prices_include_tax=self._included, opened_at=datetime.now().astimezone())
        for _ in range(self._rng.randint(1, 3)):
            price = self._rng.randrange(80, 3000)
            draft.add(
                unit_price=price,
                quantity=self._rng.choice(("1", "1", "2", "0.350")),
                taxes=[self._rng.choice(TAXES[self._included])],
                discount=self._rng.choice((0, 0, 0, price // 10)),
                sku=f"ART-{price}",
                name="Article",
            )
        return draft
