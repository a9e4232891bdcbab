"""The trial balance: accounts by currency, for one store or all, and whether both sides are equal."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from backoffice.books.both_dates import BothDates
from backoffice.books.evidence.balance import AccountMoved
from backoffice.fleet.models import Store


class AccountRow(NamedTuple):
    """One account's movement, in minor units."""

    code: str
    name: str
    debit: int
    credit: int

    @property
    def balance(self) -> int:
        """By how much the larger side exceeds the other."""
        return abs(self.debit - self.credit)

    @property
    def side(self) -> str:
        """Which side is larger: `debit`, `credit` or ""."""
        return "" if self.debit == self.credit else "debit" if self.debit > self.credit else "credit"


class StoreRow(NamedTuple):
    """The sums of both sides of one store."""

    store: Store
    debit: int
    credit: int


class Block(NamedTuple):
    """The books in one currency. `earlier` are the accounts of one store to which something came for locked days."""

    currency: str
    accounts: list[AccountRow]
    stores: list[StoreRow]
    debit: int
    credit: int
    earlier: Sequence[BothDates] = ()

    @property
    def balances(self) -> bool:
        """Whether debits equal credits."""
        return self.debit == self.credit


def trial_balance(
    moved: Iterable[AccountMoved], *, stores: Mapping[int, Store], names: Mapping[str, str]
) -> list[Block]:
    """One block per currency; `names` are those of accounts, by their code."""
    by_currency: dict[str, list[AccountMoved]] = {}
    for movement in moved:
        by_currency.setdefault(movement.currency, []).append(movement)
    return [_block(currency, found, stores=stores, names=names) for currency, found in sorted(by_currency.items())]


def _block(currency: str, found: list[AccountMoved], *, stores: Mapping[int, Store], names: Mapping[str, str]) -> Block:
    accounts: dict[str, AccountRow] = {}
    sides: dict[int, StoreRow] = {}
    for one in found:
        row = accounts.get(one.account, AccountRow(one.account, names.get(one.account, ""), 0, 0))
        accounts[one.account] = row._replace(debit=row.debit + one.debit, credit=row.credit + one.credit)
        side = sides.get(one.store_id, StoreRow(stores[one.store_id], 0, 0))
        sides[one.store_id] = side._replace(debit=side.debit + one.debit, credit=side.credit + one.credit)
    return Block(
        currency,
        [accounts[code] for code in sorted(accounts)],
        sorted(sides.values(), key=lambda row: row.store.code),
        sum(row.debit for row in accounts.values()),
        sum(row.credit for row in accounts.values()),
    )


def with_both_dates(blocks: Iterable[Block], rows: Iterable[BothDates]) -> list[Block]:
    """The blocks of one store, each with those of its accounts whose entries are not all of the same days."""
    differing = [row for row in rows if row.differs]
    return [block._replace(earlier=[row for row in differing if row.currency == block.currency]) for block in blocks]
