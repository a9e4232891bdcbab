"""Every format, held to what reads it: the programs themselves where there are some, and the rules where there are none."""

import csv
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError

from tests.integration.exports.other_programs import has_hledger, hledger, hledger_balances
from tests.integration.exports.sending import ODD, Target, minor, summed
from tests.till import Till, a_sale

Day = list[dict[str, Any]]
PLAN_COMPTABLE = """account,code,name
1000,530000,Caisse
1010,531000,"Coffre-fort | ""petit"" "
1100,511500,Cartes
2100,445710,TVA
4000,707000,Ventes
"""


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def test_entries_as_csv_sum_to_the_trial_balance(target: Target, a_day: Day) -> None:
    target.define("gl-csv")
    path = target.only_file(target.export())
    rows = rows_of(path)
    assert summed((row["account"], minor(row["debit"]), minor(row["credit"])) for row in rows) == target.books()
    assert {row["revision"] for row in rows} == {f"{target.till.store.code}-20260301-r1"}
    assert {row["terminal"] for row in rows if row["source"] == "order"} == {f"Till {ODD}"}
    assert path.read_bytes().count(b"\r\n") == len(rows) + 1, "RFC 4180: each line ends with CR LF"


def test_no_spreadsheet_takes_a_text_of_ours_for_a_formula(target: Target, a_day: Day) -> None:
    target.define("gl-csv-summary", code_map=PLAN_COMPTABLE.replace("530000,Caisse", '-530000,"=HYPERLINK(""x"")"'))
    rows = rows_of(target.only_file(target.export()))
    drawer = next(row for row in rows if row["account"] == "1000")
    assert (drawer["code"], drawer["code_name"]) == ("'-530000", '\'=HYPERLINK("x")')
    assert all(re.fullmatch(r"\d+\.\d\d", row[side]) for row in rows for side in ("debit", "credit"))
    assert summed((row["account"], minor(row["debit"]), minor(row["credit"])) for row in rows) == target.books()


@pytest.mark.parametrize("granularity", ["entry", "day"])
def test_beancount_accepts_its_file_and_every_balance_in_it(target: Target, a_day: Day, granularity: str) -> None:
    pytest.importorskip("beancount", reason="Beancount comes with requirements-dev.txt")
    from beancount.core.data import Balance, Transaction  # noqa: PLC0415 - see above
    from beancount.loader import load_file  # noqa: PLC0415

    target.define("beancount", "--granularity", granularity)
    report = target.export()
    path = next(target.folder / "out" / name for name in target.files(report) if name.endswith(".beancount"))
    checked = subprocess.run(
        [sys.executable, "-m", "beancount.scripts.check", str(path)],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")
    entries, errors, options = load_file(str(path))
    assert errors == []
    assert options["inferred_tolerance_default"] == {"*": 0}
    balances = {each.account.split(":")[-1]: int(each.amount.number * 100) for each in entries if type(each) is Balance}
    assert balances == {account: debit - credit for account, (debit, credit) in target.books().items()}
    if granularity == "entry":
        told = [each for each in entries if type(each) is Transaction]
        assert len(told) == 1 + len(a_day)
        assert {each.payee for each in told} == {f"Till {ODD}"}


def test_beancount_refuses_a_file_of_which_an_amount_was_changed(target: Target, a_day: Day) -> None:
    """The balances are of use: they do not come from the transactions."""
    pytest.importorskip("beancount", reason="Beancount comes with requirements-dev.txt")
    from beancount.loader import load_file  # noqa: PLC0415 - see above

    target.define("beancount")
    report = target.export()
    entries = next(target.folder / "out" / name for name in target.files(report) if name.endswith(".entries"))
    entries.write_text(entries.read_text().replace("2.40 EUR", "2.39 EUR").replace("-2.27 EUR", "-2.26 EUR"))
    _, errors, _ = load_file(str(next(entries.parent.glob("*.beancount"))))
    assert any("Balance failed" in error.message for error in errors)


@pytest.mark.parametrize("granularity", ["entry", "day"])
def test_hledger_accepts_its_file_strictly_and_every_balance_in_it(
    target: Target, a_day: Day, granularity: str
) -> None:
    if not has_hledger():
        pytest.skip("hledger is not installed, and only root can install it (apt-get install hledger)")
    target.define("hledger", "--granularity", granularity)
    path = next(target.folder / "out" / name for name in target.files(target.export()) if name.endswith(".journal"))
    assert hledger_balances(path) == {account: debit - credit for account, (debit, credit) in target.books().items()}
    path.write_text(path.read_text().replace("= 204.", "= 205."))
    with pytest.raises(AssertionError, match="balance assertion"):
        hledger(path, "check", "--strict")


FEC_FIELDS = [
    *("JournalCode", "JournalLib", "EcritureNum", "EcritureDate", "CompteNum", "CompteLib", "CompAuxNum", "CompAuxLib"),
    *("PieceRef", "PieceDate", "EcritureLib", "Debit", "Credit", "EcritureLet", "DateLet", "ValidDate"),
    *("Montantdevise", "Idevise"),
]


def test_an_fec_keeps_to_the_rules_of_the_official_checker(target: Target, a_day: Day) -> None:
    target.define("fec", "--siren", "732829320", code_map=PLAN_COMPTABLE)
    path = target.only_file(target.export())
    assert path.name == "732829320FEC20260331.txt"
    text = path.read_bytes().decode("utf-8")
    assert text.endswith("\r\n")
    assert text.count("\n") == text.count("\r\n") == text.count("\r")
    header, *lines = text.removesuffix("\r\n").split("\r\n")
    assert header.split("\t") == FEC_FIELDS
    rows = [dict(zip(FEC_FIELDS, line.split("\t"), strict=True)) for line in lines]
    for row in rows:
        assert all(re.fullmatch(r"\d{8}", row[name]) for name in ("EcritureDate", "PieceDate", "ValidDate"))
        assert all(re.fullmatch(r"\d+,\d\d", row[name]) for name in ("Debit", "Credit"))
        assert (minor(row["Debit"]) == 0) != (minor(row["Credit"]) == 0)
        assert re.match(r"\d{3}", row["CompteNum"])
        needed = set(FEC_FIELDS) - {"CompAuxNum", "CompAuxLib", "EcritureLet", "DateLet", "Montantdevise", "Idevise"}
        assert all(row[name].strip() for name in needed)
    numbers = [int(row["EcritureNum"]) for row in rows]
    assert numbers == sorted(numbers)
    assert set(numbers) == set(range(1, len(a_day) + 2)), "without a gap: they are the seals"
    assert [row["ValidDate"] for row in rows] == sorted(row["ValidDate"] for row in rows)
    for number in set(numbers):
        assert sum(minor(row["Debit"]) - minor(row["Credit"]) for row in rows if int(row["EcritureNum"]) == number) == 0
    named = {"530000": "1000", "531000": "1010", "511500": "1100", "445710": "2100", "707000": "4000"}
    sums = summed((named[row["CompteNum"]], minor(row["Debit"]), minor(row["Credit"])) for row in rows)
    assert sums == target.books()


def test_an_fec_in_the_order_of_its_seals_whatever_the_business_date(target: Target, a_day: Day) -> None:
    till = target.till
    assert till.close(*a_day).status_code in {200, 202}
    assert till.open(number=312, opened_at="2026-03-02T08:00:00+01:00", first_number=2001).status_code == 201
    till.sell(a_sale(2001))
    target.define("fec")
    path = target.only_file(target.export())
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()[1:]]
    assert [int(row[2]) for row in rows] == sorted(int(row[2]) for row in rows)
    assert {row[3] for row in rows} == {"20260301", "20260302"}


def test_xero_gets_at_most_300_lines_a_file_and_whole_journals(target: Target, till: Till) -> None:
    till.sell(*(a_sale(number) for number in range(1001, 1221)))
    target.define("xero", "--granularity", "entry")
    report = target.export()
    files = [rows_of(target.folder / "out" / name) for name in target.files(report)]
    assert len(files) == 3
    assert all(len(rows) <= 300 for rows in files)
    for rows in files:
        assert sum(minor(row["*Amount"]) for row in rows) == 0
        assert all(re.fullmatch(r"\d\d/\d\d/2026", row["*Date"]) for row in rows)
    narrations = [{row["*Narration"] for row in rows} for rows in files]
    assert not narrations[0] & narrations[1]
    sums: dict[str, int] = {}
    for row in (row for rows in files for row in rows):
        sums[row["*AccountCode"]] = sums.get(row["*AccountCode"], 0) + minor(row["*Amount"])
    assert sums == {account: debit - credit for account, (debit, credit) in target.books().items()}


def test_orders_as_json_lines_hold_what_was_sold_and_what_was_posted(target: Target, a_day: Day) -> None:
    target.define("jsonl")
    lines = target.only_file(target.export()).read_text(encoding="utf-8").split("\n")[:-1]
    orders = {each["order_id"]: each for each in map(json.loads, lines)}
    assert set(orders) == {each["order_id"] for each in a_day}
    first = orders[a_day[0]["order_id"]]
    assert first["order"]["lines"][0]["name"] == f"Pain\n{ODD}"
    assert (first["order"]["total"], first["order"]["lines"][0]["quantity"]) == (240, "2")
    postings = [each for order in orders.values() for each in order["postings"]]
    sales = summed((each["account"], each["debit"], each["credit"]) for each in postings)
    assert sales == {account: sums for account, sums in target.books().items() if account != "1010"} | {
        "1000": (480, 0)  # the float is no order's
    }


def test_duckdb_reads_the_parquet_files_and_their_sums_are_those_of_the_books(target: Target, a_day: Day) -> None:
    duckdb = pytest.importorskip("duckdb", reason="DuckDB comes with requirements.txt")
    target.define("parquet")
    names = list(target.files(target.export()))
    journal, sold = (str(target.folder / "out" / name) for name in sorted(names))
    with duckdb.connect(":memory:") as database:
        rows = database.execute(
            "SELECT account, sum(debit_minor)::BIGINT, sum(credit_minor)::BIGINT FROM read_parquet(?) GROUP BY 1",
            [journal],
        ).fetchall()
        assert summed(rows) == target.books()
        net = "SELECT sum(amount_minor - tax_minor)::BIGINT, sum(quantity)::VARCHAR FROM read_parquet(?)"
        assert database.execute(net, [sold]).fetchall() == [(target.books()["4000"][1], "6.0000")]
        name, sku, terminal = database.execute(
            "SELECT name, sku, terminal FROM read_parquet(?) WHERE order_number = 1001", [sold]
        ).fetchone()
        assert (name, sku, terminal) == (f"Pain\n{ODD}", "=1+1", f"Till {ODD}")


@pytest.mark.parametrize(
    ("format_name", "code", "words"),
    [
        ("beancount", "cash", "no account of Beancount"),
        ("hledger", "cash  two", "no account of hledger"),
        ("fec", "CAISSE", "begins with three digits"),
        ("xero", "12345678901", "10 characters"),
    ],
)
def test_a_code_that_a_format_cannot_carry_is_refused_at_once(
    target: Target, format_name: str, code: str, words: str
) -> None:
    with pytest.raises(CommandError, match=words):
        target.define(format_name, code_map=f"account,code\n1000,{code}\n")
