"""A shop that plays a story: its tills sell what a page says, head office decides, and the books are held against the page."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from pathlib import Path
from types import MappingProxyType
from typing import Any

from django.core.management import call_command
from django.utils import timezone

from backoffice.books.both_dates import by_both_dates, net_sales
from backoffice.books.deciding import DecisionReport, Proposal, agree, decide
from backoffice.books.evidence.balance import trial_balance_at
from backoffice.books.evidence.sources import SOURCES
from backoffice.books.models import Decision
from backoffice.domain.accounts import CHART
from backoffice.domain.decisions import DecisionState, Verb
from backoffice.ingestion.till_reports import TillReport, x_report, z_report
from backoffice.sales.models import Order, Shift
from tests.integration.audit.stories.page import Section, Table, minor, told
from tests.integration.books.office import a_person
from tests.integration.evidence.sealing import seal_here
from tests.till import Till, a_sale, a_store

Sums = dict[str, tuple[int, int]]
"""Debits and credits by account, in minor units."""
Times = Mapping[str, tuple[str, str]]
"""When orders were opened and closed, by their numbers."""

MONTHS = {"March": (date(2026, 3, 1), date(2026, 3, 31)), "April": (date(2026, 4, 1), date(2026, 4, 30))}
NAMES = {code: name for code, name, _ in CHART}
ADJUSTS = "Adjusts order "
TAX = {"code": "FR-20", "rate": "0.20"}


class Shop:
    """One store with its tills and two people. `section` is where the story is, `now` when, `receipt` the newest.

    `orders` are by their numbers, as first sent; `names` is what people call a shift, an order or an upload of one.
    """

    def __init__(self, folder: Path) -> None:
        self.store = a_store("PAR1")
        self.store.max_over_short, self.store.second_person_above = 500, 5000
        self.store.save()
        self.people = {"Ruth": a_person("Ruth"), "Otto": a_person("Otto")}
        self.folder = folder
        self.section = Section("", "")
        self.receipt: dict[str, Any] = {}
        self.tills: dict[str, Till] = {}
        self.orders: dict[str, dict[str, Any]] = {}
        self.names: dict[str, str] = {}
        self.now = datetime(2026, 3, 1, 12, tzinfo=UTC)
        self._booked: Sums = {}
        self._hours: dict[str, str] = {}

    def begins(self, section: Section, day: date) -> None:
        """Another section, at noon of this day."""
        self.section = section
        self.now = datetime(day.year, day.month, day.day, 11, tzinfo=UTC)

    # -- tills

    def opens(self, name: str, *, number: int, at: str, first_number: int, opening_float: int = 20000) -> None:
        """A shift of a till, which is activated if it is new."""
        if name not in self.tills:
            self.tills[name] = Till(self.store, name=name)
        till = self.tills[name]
        said = {"number": number, "opened_at": at, "first_number": first_number, "opening_float": opening_float}
        assert till.open(cashier="Anna" if name == "Till 1" else "Ben", **said).status_code == 201
        self.names[str(till.shift_id)] = f"{name}, shift {number}"
        self._hours[name] = at

    def sells(
        self,
        name: str,
        *,
        mode: str = "online",
        again: str = "",
        outcome: str = "posted",
        times: Times = MappingProxyType({}),
    ) -> list[dict[str, Any]]:
        """The next table of orders, one upload, each with this outcome.

        `times` says of some when they were opened and closed. Where they were sent before, `again` is what follows their numbers
        when people speak of this version.
        """
        orders = []
        for row in self.section.take("order").rows:
            order = self._order(row, at=self._hours[name]) | {"mode": mode}
            if row[0] in times:
                order["opened_at"], order["closed_at"] = times[row[0]]
            if again:
                order["order_id"] = self.orders[row[0]]["order_id"]
            else:
                self.orders[row[0]] = order
                self.names[order["order_id"]] = row[0]
            orders.append(order)
        self.receipt = self.tills[name].sell(*orders)
        assert [each["outcome"] for each in self.receipt["results"]] == [outcome] * len(orders), self.receipt
        for place, order in enumerate(orders):
            self.names[f"{self.receipt['batch_id']}:{place}"] = f"{order['number']}{again}"
        return orders

    def closes(self, name: str, *orders: dict[str, Any], at: str, counted: int, left: int, **changes: Any) -> None:
        """A till declares what it sold."""
        answer = self.tills[name].close(*orders, closed_at=at, counted=counted, float_left=left, **changes)
        assert answer.status_code == 202, answer.content

    def _order(self, row: list[str], *, at: str) -> dict[str, Any]:
        """An order as its row says: number, what, net, tax, total, paid. It is made an hour after its shift opened."""
        number, what, net, tax, total = row[0], row[1], *map(minor, row[2:5])
        assert net + tax == total, row
        payments = [
            {"method": method, "amount": minor(amount)}
            for method, amount in (each.split(" ") for each in row[5].split(", "))
        ]
        made_at = (datetime.fromisoformat(at) + timedelta(hours=1)).isoformat()
        return a_sale(
            int(number),
            kind="refund" if total < 0 else "sale",
            opened_at=made_at,
            closed_at=made_at,
            lines=[] if what.startswith(ADJUSTS) else [self._line(what, tax, total)],
            adjusts=self.orders[what.removeprefix(ADJUSTS)]["order_id"] if what.startswith(ADJUSTS) else None,
            total=total,
            tip=sum(each["amount"] for each in payments) - total,
            payments=payments,
        )

    def _line(self, what: str, tax: int, total: int) -> dict[str, Any]:
        """The one line of an order, from the words of its row."""
        line: dict[str, Any] = {"kind": "item", "name": what, "quantity": "1" if total > 0 else "-1"}
        line |= {"unit_price": abs(total), "amount": total, "taxes": [TAX | {"amount": tax}] if tax else []}
        if what.startswith("Gift card of "):
            worth = minor(what.removeprefix("Gift card of "))
            line |= {"kind": "gift_card", "unit_price": worth, "discount": worth - total}
        elif what.startswith("Payment of her account"):
            line |= {"kind": "account_payment"}
        elif " back of order " in what:
            line |= {"refund_of": self.orders[what.rpartition(" ")[2]]["order_id"]}
        return line

    # -- head office

    def decides(self, verb: Verb, subject: str, *, reason: str, two: bool = False, note: str = "", **how: Any) -> Any:
        """Ruth decides. Where it takes `two` it is a request, which has changed nothing, until Otto agrees."""
        before = self._accounts()
        asked = decide(Proposal(verb, subject, self.people["Ruth"], reason, note, how), now=self.now)
        assert asked.state == (DecisionState.WAITING if two else DecisionState.DONE), asked
        done: DecisionReport = asked
        if two:
            assert self._accounts() == before, "a request moves nothing"
            done = agree(asked.decision_id, person=self.people["Otto"], now=self.now)
            assert done.state == DecisionState.DONE
        self.now += timedelta(minutes=1)
        return done.after

    def approves(self, *shifts: str, two: bool = False, note: str = "") -> None:
        """With a note where the shift differs from what was declared."""
        reason = "difference-explained" if note else "agrees"
        for shift in shifts:
            self.decides(Verb.APPROVE, self.shift_id(shift), reason=reason, note=note, two=two)

    def shift_id(self, name: str) -> str:
        """Of a shift such as "Till 1, shift 3"."""
        return next(subject for subject, known in self.names.items() if known == name)

    # -- what the page says

    def check_books(self) -> None:
        """The next table of accounts is what each account moved since the one before, and the balances after it."""
        now, before = self._accounts(), self._booked
        moved = {
            account: (debit - before.get(account, (0, 0))[0], credit - before.get(account, (0, 0))[1])
            for account, (debit, credit) in now.items()
        }
        _compare(self.section.take("account"), {account: sums for account, sums in moved.items() if any(sums)}, now)
        self._booked = now

    def check_trial_balance(self, head: str, *, at: date) -> None:
        """The next table is the trial balance of a day."""
        sums = self._accounts(at)
        _compare(self.section.take(head), sums, sums)

    def _accounts(self, at: date | None = None) -> Sums:
        return {row.account: (row.debit, row.credit) for row in trial_balance_at(store=self.store, at=at)}

    def check_shift(self, name: str) -> None:
        """The next table says how a shift stands, by its Z, or by an X while there is none."""
        table = self.section.take(name)
        facts = self._facts(Shift.objects.get(pk=self.shift_id(name)))
        assert {label: facts[label] for label, _ in table.rows} == dict(table.rows), self.section.heading

    def _facts(self, shift: Shift) -> dict[str, str]:
        report = z_report(shift) or x_report(shift, now=timezone.now())
        said, cash = report.figures, report.figures["cash"]
        facts = {
            "state": shift.state,
            "report": _title(report),
            "missing": _numbers(said["missing_numbers"]),
            "explained": _numbers(said["explained_numbers"]),
            "held": str(said["held"]),
            "differs": ", ".join(each["what"] for each in said["differences"]) or "nothing",
            "orders with a remark": str(
                Order.objects.filter(shift_id=shift.pk, business_date=shift.business_date, flags__isnull=False).count()
            ),
            "tax": told(said["tax"]),
            "revenue": told(sum(row["gross"] for row in said["revenue"])),
            "owed or passed on": told(sum(row["gross"] for row in said["not_revenue"])),
            "refunds without receipt": told(said["refunds_without_original"]["amount"]),
            "voided by head office": told(said["voided_by_head_office"]["amount"]),
            "float": told(cash["opening_float"]),
        }
        facts |= {each: told(said[each]["amount"]) for each in ("sales", "refunds", "tips", "late")}
        facts |= {f"paid by {row['method']}": told(row["amount"]) for row in said["payments"]}
        counted = {"expected": cash["expected"], "counted": cash["counted"], "over or short": cash["over_short"]}
        return facts | {label: told(amount) for label, amount in counted.items() if amount is not None}

    def check_days(self) -> None:
        """The next table says where store days stand, once the sealer was there."""
        self.seals()
        for day, state in self.section.take("day").rows:
            found = self.asks("store_day", self.store.code, day_of(day).isoformat())
            assert (day, found["state"]) == (day, state), self.section.heading

    def check_both_dates(self) -> None:
        """The next table has the net sales of months by their business dates and in the ledger."""
        for month, *figures in self.section.take("sales by both dates").rows:
            first, last = MONTHS[month]
            (sales,) = net_sales(by_both_dates(store=self.store, first=first, last=last))
            assert (month, [told(amount) for amount in sales[2:]]) == (month, figures)

    def check_decisions(self) -> None:
        """The next table is everything that was decided, in this order."""
        people = {person.pk: name for name, person in self.people.items()}
        rows = [
            [
                f"{each.asked_at.day} {each.asked_at:%B}",
                each.verb,
                self.names.get(each.subject, each.subject),
                each.reason,
                people[each.person_id],
                people[each.answer.person_id] if each.needs_second_person else "",
            ]
            for each in Decision.objects.select_related("answer").order_by("asked_at")
        ]
        assert self.section.take("day").rows == rows

    # -- other programs

    def exports(self, profile: str, *, last: str) -> Path:
        """What a profile was not sent yet, of March up to a day: the next table has its revisions. The file to be read."""
        self.seals()
        said = self._export(profile, last=last)
        rows = [
            [each["reference"], str(each["entries"]), told(each["debit"]), told(each["credit"])]
            for each in said["revisions"]
        ]
        assert rows == self.section.take("revision").rows
        return self.main_file(said)

    def seals(self) -> None:
        """What the sealer does each minute."""
        for source in SOURCES:
            seal_here(now=self.now, source=source)

    def _export(self, profile: str, *, last: str) -> Any:
        days = ("--store", self.store.code, "--from", "2026-03-01", "--to", last)
        return self.asks("export", profile, *days, "--out", str(self.folder), words=())

    def exports_whole(self, profile: str, *, last: str) -> Path:
        """Everything of March, for a profile that was sent nothing before."""
        return self.main_file(self._export(profile, last=last))

    def main_file(self, said: Any) -> Path:
        """The one that includes the others."""
        (name,) = (each["name"] for each in said["files"] if not each["name"].endswith(".entries"))
        return self.folder / str(name)

    def asks(self, command: str, *arguments: str, words: tuple[str, ...] = ("--json",)) -> Any:
        """What a command prints, one JSON value."""
        out = StringIO()
        call_command(command, *arguments, *words, stdout=out)
        return json.loads(out.getvalue())


def _compare(table: Table, moved: Sums, balances: Sums) -> None:
    """A table of accounts, and the row below it with the sums of both sides, which are the same."""
    rows = [
        [
            f"{account} {NAMES[account]}",
            *(told(side) if side else "" for side in moved[account]),
            told(balances[account][0] - balances[account][1], is_balance=True),
        ]
        for account in sorted(moved)
    ]
    debit, credit = (told(sum(sums[side] for sums in moved.values())) for side in (0, 1))
    assert table.rows == [*rows, ["", debit, credit, ""]]
    assert debit == credit


def _title(report: TillReport) -> str:
    return "X" if report.kind == "x" else f"Z {report.z_number}, revision {report.revision}"


def _numbers(ranges: list[list[int]]) -> str:
    return ", ".join(str(first) if first == last else f"{first}–{last}" for first, last in ranges) or "none"


def day_of(words: str) -> date:
    """ "2 March" as a date of the year of the stories."""
    return datetime.strptime(f"{words} 2026", "%d %B %Y").replace(tzinfo=UTC).date()
