"""Correcting how an order was paid: where its payments stand, and what may be said of them (ledger, "What head office posts")."""

from collections.abc import Iterator, Mapping
from itertools import product

from backoffice.domain.posting import PaymentAccounts
from backoffice.domain.reasons import PAYMENTS_DO_NOT_ADD_UP, Reason

Amounts = Mapping[str, int]
"""Payment method, or account, → minor units of either sign."""

# An order has two or three methods. Of more that were all mapped elsewhere since, nobody can tell which was which.
MOST_WAYS = 4096


def standing_accounts(paid: Amounts, standing: Amounts, *, accounts: PaymentAccounts) -> dict[str, str] | None:
    """The account in which the amount of each method stands, of an order whose payments left `standing` in the accounts.

    That of today's mapping `accounts` where it agrees with the books; elsewhere the one account that it can be. None where
    it cannot be told.
    """
    by_account = _sums(paid, accounts)
    settled = {
        method: accounts[method]
        for method in paid
        if method in accounts and by_account[accounts[method]] == standing.get(accounts[method], 0)
    }
    moved = [method for method in paid if method not in settled]
    if not moved:
        return settled
    left = {account: amount for account, amount in standing.items() if amount and account not in settled.values()}
    if len(left) ** len(moved) > MOST_WAYS:
        return None
    ways = [dict(zip(moved, way, strict=True)) for way in product(left, repeat=len(moved))]
    fitting = [way for way in ways if _sums({method: paid[method] for method in moved}, way) == left]
    return settled | fitting[0] if len(fitting) == 1 else None


def _sums(paid: Amounts, accounts: Mapping[str, str]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for method, amount in paid.items():
        account = accounts.get(method, "")
        sums[account] = sums.get(account, 0) + amount
    return sums


def wrong_payments(wanted: Amounts, *, sold: Amounts, due: int) -> Iterator[Reason]:
    """Why amounts cannot be how an order was paid; nothing where they can.

    They come to what is due. And no more comes in, and no more goes back, than when it was `sold`, or than is due: a sale
    that took no money back then has no negative amount, and none above the whole.
    """
    said = sum(wanted.values())
    if said != due:
        yield Reason(PAYMENTS_DO_NOT_ADD_UP, "/payments", f"{due} with the tip, the payments come to {said}")
    most_in, most_back = max(_incoming(sold), due), max(_outgoing(sold), -due)
    if _incoming(wanted) > most_in:
        yield Reason("payments-too-large", "/payments", f"{_incoming(wanted)} came in, it can be {most_in} at most")
    if _outgoing(wanted) > most_back:
        yield Reason("payments-too-large", "/payments", f"{_outgoing(wanted)} went back, it can be {most_back} at most")


def _incoming(amounts: Amounts) -> int:
    return sum(amount for amount in amounts.values() if amount > 0)


def _outgoing(amounts: Amounts) -> int:
    return -sum(amount for amount in amounts.values() if amount < 0)
