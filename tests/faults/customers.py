"""What is sold: a few dozen receipts worked out once from the seed, and sold again and again, which costs little."""

from datetime import datetime
from random import Random

from backoffice_terminal import Draft, Order, Terminal
from backoffice_terminal.orders import Line, Tax, TaxRate
from msgspec.structs import replace

ARTICLES = 64
GIFT_CARD = 5000
TAXES = {True: (TaxRate("FR-5.5", "0.055"), TaxRate("FR-20", "0.2")), False: (TaxRate("NY", "0.08875"),)}
REMEMBERED = 50


class Customers:
    """Serves one customer after the other at a terminal; every choice is `rng`'s. `cheques` is the chance that one is paid by."""

    def __init__(self, terminal: Terminal, rng: Random, *, cheques: float = 0.0) -> None:
        self._terminal = terminal
        self._cheques = cheques
        self._rng = rng
        self._included = terminal.store.prices_include_tax
        self._receipts = [self._receipt() for _ in range(ARTICLES)]
        self._refundable: list[Order] = []

    def serve(self) -> None:
        """One order: mostly a sale in cash or by card; now and then a refund, an exchange, a correction, a void."""
        chance = self._rng.random()
        if chance < 0.06 and self._refundable:
            self._rng.choice((self._refund, self._exchange, self._correct))()
            return
        receipt = self._rng.choice(self._receipts)
        draft = self._terminal.draft(type="takeaway")
        draft.lines = list(receipt.lines)
        if self._rng.random() < self._cheques:
            draft.pay("cheque", draft.due)
            self._terminal.sell(draft)
            return
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

    def _one_of_before(self) -> Order:
        return self._refundable.pop(self._rng.randrange(len(self._refundable)))

    def _refund(self) -> None:
        order = self._one_of_before()
        draft = self._terminal.refund(order)
        draft.pay(order.payments[0].method, draft.due)
        self._terminal.sell(draft)

    def _exchange(self) -> None:
        """The first line of an order comes back, and something else goes out."""
        order = self._one_of_before()
        back = self._terminal.refund(order, lines=[0]).lines[0]
        draft = self._terminal.draft()
        draft.lines = [*self._rng.choice(self._receipts).lines, replace(back, refund_of=order.order_id)]
        draft.pay(order.payments[0].method, draft.due)
        self._terminal.sell(draft)

    def _correct(self) -> None:
        """A tip on the slip of an order sent before, or its payment keyed as another method."""
        order = self._one_of_before()
        paid, draft = order.payments[0], self._terminal.draft()
        draft.adjusts = order.order_id
        if self._rng.random() < 0.5:
            draft.tip = 200
            draft.pay("card", draft.tip)
        else:
            draft.pay(paid.method, -paid.amount)
            draft.pay("card" if paid.method == "cash" else "cash", paid.amount)
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
        if self._rng.random() < 0.2:
            draft.add(kind="discount", quantity="-1", unit_price=30, taxes=[TAXES[self._included][0]], name="Voucher")
        if self._rng.random() < 0.1:
            draft.add(kind="gift_card", unit_price=GIFT_CARD, discount=GIFT_CARD // 2, name="Gift card")
        if self._rng.random() < 0.1:
            fund, tax = Tax("FUND", "0", 29, "fixed"), Tax("OF-ALL", "0.1", 38 if self._included else 43, "compound")
            draft.lines.append(Line("1", 400, 400, name="Bottle", taxes=(fund, tax)))
        return draft
