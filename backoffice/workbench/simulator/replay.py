"""Sells real tickets again: a CSV file with the columns Date, Time, Transaction and Item, one row per item sold."""

import csv
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from backoffice.workbench.simulator.catalogue import EDINBURGH, item_named
from backoffice.workbench.simulator.till import Till

_BEFORE_THE_FIRST = timedelta(minutes=10)
_AFTER_THE_LAST = timedelta(minutes=10)


@dataclass
class Ticket:
    """What one customer bought, at a local time of the shop."""

    at: datetime
    items: list[str] = field(default_factory=list)


def read_tickets(path: Path) -> dict[str, list[Ticket]]:
    """The tickets of each day in order of time, by day in order of date.

    Raises ValueError, which names the line, if the file is not of this kind.
    """
    zone = ZoneInfo(EDINBURGH.timezone)
    tickets: dict[str, Ticket] = {}
    with path.open(newline="", encoding="utf-8-sig") as file:
        for number, row in enumerate(csv.DictReader(file), start=2):
            try:
                at = datetime.fromisoformat(f"{row['Date']}T{row['Time']}").replace(tzinfo=zone)
                tickets.setdefault(row["Transaction"], Ticket(at)).items.append(row["Item"])
            except (KeyError, ValueError) as error:
                raise ValueError(f"{path.name}, line {number}: {error}") from error
    days: dict[str, list[Ticket]] = {}
    for ticket in sorted(tickets.values(), key=lambda ticket: ticket.at):
        days.setdefault(ticket.at.date().isoformat(), []).append(ticket)
    return days


def sell_again(days: dict[str, list[Ticket]], *, tills: int) -> Callable[[Till], None]:
    """A till's part of the replay: every n-th ticket of each day, cached in a shift of that day and sent as a batch."""

    def work(till: Till) -> None:
        for tickets in days.values():
            mine = tickets[till.number - 1 :: tills]
            if mine:
                _sell_day(till, mine)

    return work


def _sell_day(till: Till, tickets: list[Ticket]) -> None:
    first, last = tickets[0].at, tickets[-1].at
    midnight = first.replace(hour=0, minute=0, second=0)
    till.clock.set(max(midnight, first - _BEFORE_THE_FIRST))
    till.begin(till.shop.cashiers[first.toordinal() % len(till.shop.cashiers)])
    till.terminal.go_offline()
    for ticket in tickets:
        till.clock.set(ticket.at - timedelta(seconds=2))
        _sell(till, ticket)
    till.clock.set(last + _AFTER_THE_LAST)
    till.end()


def _sell(till: Till, ticket: Ticket) -> None:
    draft = till.terminal.draft(type="takeaway")
    for name in dict.fromkeys(ticket.items):
        item = item_named(name)
        quantity = str(ticket.items.count(name))
        draft.add(sku=item.sku, name=name, quantity=quantity, unit_price=item.price, taxes=item.taxes(draft.type))
    if draft.due:
        till.customers.pay(draft)
    till.finish(draft)
