"""What is sent, and when: only what was not sent before, once, the same each time, whoever dies meanwhile."""

import csv
import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError
from django.db import IntegrityError, connection, transaction

from backoffice.books.exports.models import ExportRevision
from backoffice.books.exports.sent import SentDay, sent_of_days
from backoffice.domain.decisions import Verb
from backoffice.failpoints import POINTS, VARIABLE
from tests.integration.books.office import decided
from tests.integration.evidence.test_sealer import CHECKOUT, database_url
from tests.integration.exports.sending import DAY, Target, minor, summed
from tests.journeys.http_till import eventually
from tests.till import Till, a_sale

Day = list[dict[str, Any]]
ITS_POINTS = [point for point in POINTS if point.startswith("export-")]


def moved(target: Target, *reports: dict[str, Any]) -> dict[str, tuple[int, int]]:
    """What the CSV files of several runs move together."""
    rows = []
    for report in reports:
        with target.only_file(report).open(encoding="utf-8", newline="") as file:
            rows += [(row["account"], minor(row["debit"]), minor(row["credit"])) for row in csv.DictReader(file)]
    return summed(rows)


def test_a_day_is_exported_in_two_revisions_whose_sum_is_the_trial_balance(target: Target, till: Till) -> None:
    """On the evening of 1 March the shop exports what it has: two baguettes for 2.40, in cash.

    A till was offline. Its order of the same day, 2.40 by card, arrives on the morning after, and one of yesterday's is voided:
    revision 2 holds these alone. Whoever adds both has the trial balance; what was sent once is never sent again.
    """
    target.define("gl-csv-summary")
    code = till.store.code
    till.sell(sold := a_sale(1001))
    first = target.export()
    assert [each["reference"] for each in first["revisions"]] == [f"{code}-20260301-r1"]
    assert moved(target, first) == target.trial_balance() == target.books()
    assert (first["revisions"][0]["debit"], first["revisions"][0]["credit"]) == (20240, 20240)

    till.sell(a_sale(1002, payments=[{"method": "card", "amount": 240}]))
    decided(Verb.VOID, sold["order_id"])
    second = target.export()
    assert [each["reference"] for each in second["revisions"]] == [f"{code}-20260301-r2"]
    assert moved(target, second) == {"1000": (0, 240), "1100": (240, 0), "2100": (13, 13), "4000": (227, 227)}
    assert moved(target, first, second) == target.trial_balance() == target.books()

    third = target.export()
    assert (third["run"], third["revisions"], third["files"]) == (None, [], [])


def test_a_revision_is_a_closed_range_of_seals(target: Target, till: Till) -> None:
    target.define("gl-csv-summary")
    till.sell(a_sale(1001))
    (first,) = target.export()["revisions"]
    till.sell(a_sale(1002))
    (second,) = target.export()["revisions"]
    assert (first["after"], first["upto"], second["after"], second["upto"]) == (0, 2, 2, 3)
    assert (first["entries"], second["entries"]) == (2, 1)


def test_each_profile_is_sent_everything(target: Target, till: Till, tmp_path: Path) -> None:
    till.sell(a_sale(1001))
    target.define("gl-csv-summary")
    target.export()
    other = Target(till, tmp_path, f"{target.name}-b")
    other.define("gl-csv")
    assert moved(other, other.export()) == target.books()


@pytest.mark.parametrize(
    "format_name", ["gl-csv", "gl-csv-summary", "beancount", "hledger", "fec", "xero", "jsonl", "parquet"]
)
def test_a_run_is_the_same_byte_for_byte_whatever_came_later(target: Target, till: Till, format_name: str) -> None:
    if format_name == "parquet":
        pytest.importorskip("duckdb", reason="DuckDB comes with requirements.txt")
    target.define(format_name)
    till.sell(a_sale(1001), a_sale(1002))
    first = target.export()
    till.sell(a_sale(1003))
    type(till.store).objects.filter(pk=till.store.pk).update(name="Another name")
    again = target.again(first["run"], into="again")
    assert again["files"] == first["files"] != []
    assert target.files(again, "again") == target.files(first)
    assert [path.name for path in (target.folder / "again").iterdir() if path.name.startswith(".")] == []


def exporting(target: Target, folder: Path, into: str) -> "subprocess.CompletedProcess[str]":
    """The command in a process of its own, which dies where a file in the folder says so."""
    words = [sys.executable, "manage.py", "export", target.name, *target.days, "--out", str(target.folder / into)]
    env = os.environ | {"DATABASE_URL": database_url(), VARIABLE: str(folder)}
    return subprocess.run(words, check=False, cwd=CHECKOUT, env=env, capture_output=True, text=True, timeout=120)


# PostgreSQL keeps the lock of an export that was killed until it has noticed.
BUSY = "is being exported"


def unless_busy(target: Target) -> dict[str, Any]:
    """The report of an export; nothing where the one before still has the lock."""
    try:
        return target.export()
    except CommandError as error:
        if BUSY not in str(error):
            raise
        return {}


def test_killed_anywhere_and_resumed_it_writes_the_same_bytes(target: Target, till: Till, tmp_path: Path) -> None:
    target.define("gl-csv")
    till.sell(a_sale(1001))
    (tmp_path / "kills").mkdir()
    runs = []
    for point in ITS_POINTS:
        (tmp_path / "kills" / point).touch()
        died = eventually(partial(exporting, target, tmp_path / "kills", "out"), lambda ended: BUSY not in ended.stderr)
        assert died.returncode == -9, died.stderr
        if point != "export-renamed":
            assert sorted((target.folder / "out").glob("*.csv")) == runs, "no half file has a name"
        resumed = eventually(partial(unless_busy, target), bool)
        assert [each["run"] for each in resumed["resumed"]] == [len(runs) + 1]
        assert resumed["run"] is None
        again = target.again(len(runs) + 1, into="again")
        assert target.files(again, "again") == target.files(resumed["resumed"][0])
        runs = sorted((target.folder / "out").glob("*.csv"))
        till.sell(a_sale(1002 + len(runs)))
    target.export()
    revisions = ExportRevision.objects.filter(store=till.store)
    assert [each.number for each in revisions.order_by("number")] == list(range(1, len(ITS_POINTS) + 2))


def test_a_map_with_a_hole_is_refused_by_name_and_nothing_counts_as_sent(target: Target, a_day: Day) -> None:
    target.define("gl-csv", code_map="account,code\n1000,530\n1010,531\n4000,707\n")
    with pytest.raises(CommandError, match=r"account 1100; account 2100, tax code FR-5\.5"):
        target.export()
    assert not (target.folder / "out").exists()
    assert not ExportRevision.objects.filter(store=target.till.store).exists()
    target.define("gl-csv", code_map="account,code\n1000,530\n1010,531\n4000,707\n1100,511\n2100,445\n")
    assert moved(target, target.export()) == target.books()


def test_a_code_may_depend_on_tax_code_and_on_payment_method(target: Target, till: Till) -> None:
    mixed = [{"method": "card", "amount": 200}, {"method": "wallet", "amount": 40}]
    till.sell(sale := a_sale(1001, payments=mixed))
    lines = "1000,,,530\n1010,,,531\n1100,,,511\n1100,,card,5111\n1100,,wallet,5112\n2100,FR-5.5,,44571\n4000,,,707\n"
    target.define("gl-csv", code_map=f"account,tax_code,method,code\n{lines}")
    report = target.export()
    with target.only_file(report).open(encoding="utf-8", newline="") as file:
        found = {(row["code"], row["method"]): row["debit"] for row in csv.DictReader(file) if row["order_number"]}
    assert found == {
        ("5111", "card"): "2.00",
        ("5112", "wallet"): "0.40",
        ("44571", ""): "0.00",
        ("707", ""): "0.00",
    }
    assert moved(target, report) == target.books()
    decided(Verb.VOID, sale["order_id"])
    with target.only_file(target.export()).open(encoding="utf-8", newline="") as file:
        assert {(row["code"], row["credit"]) for row in csv.DictReader(file) if row["method"]} == {
            ("5111", "2.00"),
            ("5112", "0.40"),
        }, "a void takes back from where it went"


def test_the_same_map_again_changes_nothing_and_another_is_a_version(target: Target) -> None:
    one, other = "account,code\n1000,530\n", "account,code\n1000,531\n"
    versions = [target.define("gl-csv", code_map=text)["map_version"] for text in (one, one, other)]
    assert versions == [1, 1, 2]
    with pytest.raises(CommandError, match="of another kind"):
        target.define("xero")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "must name its columns"),
        ("account\n1000\n", "code is missing"),
        ("account,code,colour\n1000,1,red\n", "colour"),
        ("account,code\n", "no lines"),
        ("account,code\n1000\n", "Line 2"),
        ("account,code\n9999,1\n", "not in the chart"),
        ("account,code\n1000,\n", "no code for account 1000"),
        ("account,code\n1000,1\n1000,2\n", "Lines 2 and 3"),
        ('account,code\n1000,"1\n', "not CSV"),
    ],
)
def test_a_map_with_a_fault_is_refused_in_words(target: Target, text: str, words: str) -> None:
    with pytest.raises(CommandError, match=words):
        target.define("gl-csv", code_map=text)


def test_what_cannot_be_exported_is_refused_in_words(target: Target, till: Till) -> None:
    with pytest.raises(CommandError, match="no export profile"):
        target.export()
    target.define("gl-csv")
    with pytest.raises(CommandError, match="is after"):
        target.export("--from", "2026-03-02", "--to", DAY)
    with pytest.raises(CommandError, match="no run 7"):
        target.again(7, into="again")
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM exports_exportprofile WHERE name = %s", [target.name])
        (profile_id,) = cursor.fetchone()
    with held_elsewhere(f"export {profile_id} of {till.store.pk}"), pytest.raises(CommandError, match="just now"):
        target.export()


def held_elsewhere(key: str) -> Any:
    """A connection that holds the lock of an export until it is closed."""
    other = psycopg.connect(database_url())
    other.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [key])
    return other


def test_a_day_knows_what_was_sent_of_it_and_whether_there_is_news(target: Target, till: Till) -> None:
    def sent() -> list[SentDay]:
        day = till.store.pk, ExportRevision._meta.get_field("business_date").to_python(DAY)
        return sent_of_days([day]).get(day, [])

    assert sent() == []
    target.define("gl-csv")
    till.sell(a_sale(1001))
    target.export()
    assert [(each.revisions, each.is_written, each.has_news) for each in sent()] == [(1, True, False)]
    till.sell(a_sale(1002))
    other = Target(till, target.folder, f"{target.name}-b")  # whose export seals it
    other.define("gl-csv")
    other.export()
    assert {each.profile: each.has_news for each in sent()} == {
        target.name: True,
        other.name: False,
    }


def test_what_was_sent_stays_as_it_was(target: Target, till: Till) -> None:
    target.define("gl-csv")
    till.sell(a_sale(1001))
    target.export()
    for table in ("exportprofile", "exportmap", "exportrun", "exportrevision", "exportedsum", "exportwritten"):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM exports_{table}")
    sent = ExportRevision.objects.get(store=till.store)
    sent.pk, sent.number = None, 2
    with pytest.raises(IntegrityError, match="nothing_sent_twice"), transaction.atomic():
        sent.save(force_insert=True)
