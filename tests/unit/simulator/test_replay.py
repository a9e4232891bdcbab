from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from backoffice_terminal.testing import FakeBackOffice

from backoffice.workbench.simulator.catalogue import EDINBURGH
from backoffice.workbench.simulator.crowd import at_once, settle_all, shift_rows
from backoffice.workbench.simulator.replay import read_tickets, sell_again
from backoffice.workbench.simulator.till import Till

TICKETS = """Date,Time,Transaction,Item
2018-10-30,09:58:11,1,Bread
2018-10-30,10:05:34,2,Scandinavian
2018-10-30,10:05:34,2,Scandinavian
2018-10-30,10:07:57,3,Coffee
2018-10-31,00:01:05,4,Tea
2018-10-31,23:58:41,5,Adjustment
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tickets.csv"
    path.write_text(TICKETS)
    return path


def test_rows_of_one_transaction_are_one_ticket(file: Path) -> None:
    days = read_tickets(file)
    assert {day: [ticket.items for ticket in tickets] for day, tickets in days.items()} == {
        "2018-10-30": [["Bread"], ["Scandinavian", "Scandinavian"], ["Coffee"]],
        "2018-10-31": [["Tea"], ["Adjustment"]],
    }


def test_a_file_of_another_kind_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    path.write_text("Date,Time,Transaction,Item\n2018-10-30,09:58:11,1,Bread\nsoon,09:58:11,2,Bread\n")
    with pytest.raises(ValueError, match=r"other\.csv, line 3"):
        read_tickets(path)


def test_each_day_is_a_shift_at_the_time_of_the_file(
    file: Path, install: Callable[..., Till], server: FakeBackOffice
) -> None:
    tills = [install(shop=EDINBURGH, number=number) for number in (1, 2)]
    at_once(tills, sell_again(read_tickets(file), tills=2))
    settle_all(tills)
    assert [row.agrees for row in shift_rows(tills)] == [True] * 4
    bread = next(order for order in server.posted() if order["lines"][0]["name"] == "Bread")
    assert datetime.fromisoformat(bread["closed_at"]).isoformat().startswith("2018-10-30T09:58:1")
    assert bread["closed_at"].endswith("+00:00")
    two = next(order for order in server.posted() if order["lines"][0]["name"] == "Scandinavian")
    assert [line["quantity"] for line in two["lines"]] == ["2"]


def test_a_shift_starts_on_the_day_of_its_first_ticket(
    file: Path, install: Callable[..., Till], server: FakeBackOffice
) -> None:
    till = install(shop=EDINBURGH)
    sell_again(read_tickets(file), tills=1)(till)
    assert [shift.opening["opened_at"][:10] for shift in server.shifts.values()] == ["2018-10-30", "2018-10-31"]
