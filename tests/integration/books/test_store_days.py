"""A day of a store as an accountant sees it: its shifts, their Zs, what came late, and when it is audited."""

import json
from html import unescape
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from backoffice.books.evidence.checkpoints import sign_checkpoint
from backoffice.books.reports import pdf as making_pdf
from backoffice.books.store_days import read_store_day
from backoffice.domain.decisions import Verb
from backoffice.inbox.claims import BATCHES_TOGETHER
from backoffice.ingestion.batch.claims import process_next
from backoffice.ingestion.till_reports import TillReport, x_report, z_report
from backoffice.review.till_report import PAPERS, report_html
from backoffice.sales.models import Shift
from backoffice.sales.z_reports import ZReport
from tests.integration.books.office import decided
from tests.integration.books.test_crashes import Killed, killed_before
from tests.integration.console.pages import Page
from tests.integration.evidence.sealing import NOON, seal_here
from tests.till import Till, a_movement, a_sale


def z_of(till: Till, revision: int | None = None) -> TillReport:
    report = z_report(Shift.objects.get(pk=till.shift_id), revision=revision)
    assert report is not None
    return report


def x_of(till: Till) -> TillReport:
    return x_report(Shift.objects.get(pk=till.shift_id), now=timezone.now())


def day_of(till: Till) -> Any:
    till.store.refresh_from_db()
    return read_store_day(till.store, Shift.objects.get(pk=till.shift_id).business_date)


def test_a_day_from_its_first_sale_to_its_audit(till: Till, capsys: pytest.CaptureFixture[str]) -> None:
    """Two baguettes are sold; the till closes and its shift settles with Z 1. A third sale comes late, from its cache."""
    sold = [a_sale(1001), a_sale(1002)]
    till.sell(*sold)
    assert (day_of(till).state, day_of(till).late_tills) == ("collecting", ["Till 1"])
    till.close(*sold)
    assert day_of(till).state == "to_review"
    first = z_of(till)
    assert (first.z_number, first.revision, first.figures["net"], first.figures["held"]) == (1, 1, 480, 0)

    till.sell(a_sale(1003, mode="offline"))
    second = z_of(till)
    assert (second.z_number, second.revision, second.revisions) == (1, 2, 2)
    assert (second.figures["net"], second.figures["late"]) == (720, {"count": 1, "amount": 240})
    assert second.figures["cash"]["over_short"] == -240, "the late sale was paid in cash that nobody counted"
    assert [each["what"] for each in second.figures["differences"]][:2] == ["order_count", "sales"]
    assert z_of(till, 1).figures == first.figures, "what was printed stays as it was"
    for revision, net in ((1, "€4.80"), (2, "€7.20")):
        for paper in ("a4", "80mm"):
            assert f"Sales less refunds {net}" in Page(report_html(z_of(till, revision), paper=paper)).text

    day = day_of(till)
    assert (day.state, day.over_short, day.sums[0]["net"]) == ("to_review", -240, 720)
    decided(Verb.APPROVE, till.shift_id, reason="difference-explained", note="A sale from the cache came late.")
    assert (day_of(till).state, day_of(till).waits_for) == ("audited", "an export")
    assert z_of(till).revision == 2, "an approval changes no figure"

    capsys.readouterr()
    call_command("store_day", till.store.code, "2026-03-01", "--json")
    printed = json.loads(capsys.readouterr().out)
    assert (printed["state"], printed["shifts"][0]["z_number"], printed["shifts"][0]["z_revision"]) == ("audited", 1, 2)
    assert printed["not_banked"] == {"safe": -20000, "on_its_way": 0}, "the float came from the safe"
    till.sell(a_sale(1004))
    assert day_of(till).state == "to_review", "what comes later ends the approval"


@pytest.fixture
def one_of_each(till: Till) -> Till:
    """A shift in which there is one of each: what is sold, taken back, given away, voided, practised, owed, donated, and put into the drawer."""
    bread = a_sale(1)["lines"][0]
    gift_card = bread | {"kind": "gift_card", "amount": 5000, "unit_price": 5000, "quantity": "1", "taxes": []}
    cheaper = bread | {"amount": 190, "discount": 50, "taxes": [{"code": "FR-5.5", "rate": "0.055", "amount": 10}]}
    free_of_tax = bread | {"amount": 240, "taxes": [{"code": "FR-0", "rate": "0", "amount": 0}]}
    back = bread | {"quantity": "-2", "amount": -240, "taxes": [{"code": "FR-5.5", "rate": "0.055", "amount": -13}]}
    card = {"payments": [{"method": "card", "amount": 5200}], "total": 5000, "tip": 200}
    orders = [
        a_sale(1001, lines=[gift_card], **card, mode="online", type="on_table", cashier="Bo"),
        a_sale(1002, lines=[cheaper], total=190, payments=[{"method": "cash", "amount": 190}]),
        a_sale(1003, lines=[free_of_tax], type=None, cashier=""),
        a_sale(1004, kind="refund", lines=[back], total=-240, payments=[{"method": "cash", "amount": -240}]),
        a_sale(1005, status="voided"),
        a_sale(1006, status="training"),
    ]
    movements = [a_movement(5000), a_movement(800, kind="cash_out", reason="tips")]
    till.sell(*orders, a_sale(1007, total=1), movements=movements)
    till.close(*orders, last_number=1007, counted=20000 + 190 + 5000 - 800)
    return till


def test_everything_that_a_z_says(one_of_each: Till) -> None:
    said = z_of(one_of_each).figures
    assert (said["orders"], said["first_number"], said["last_number"]) == (6, 1001, 1006)
    assert said["sales"] == {"count": 3, "amount": 5430}
    assert said["refunds"] == said["refunds_without_original"] == {"count": 1, "amount": -240}
    assert (said["net"], said["tips"], said["tax"], said["held"]) == (5190, {"count": 1, "amount": 200}, -3, 1)
    taxes = [(tax["code"], tax["rate"], tax["net"], tax["tax"], tax["gross"]) for tax in said["taxes"]]
    assert taxes == [("", None, 5000, 0, 5000), ("FR-0", "0", 240, 0, 240), ("FR-5.5", "0.055", -47, -3, -50)]
    assert [(row["kind"], row["gross"]) for row in said["revenue"]] == [("item", 190)]
    assert [(row["kind"], row["gross"]) for row in said["not_revenue"]] == [("gift_card", 5000)]
    assert said["payments"] == [
        {"method": "card", "count": 1, "amount": 5200},
        {"method": "cash", "count": 3, "amount": 190},
    ]
    assert {row["type"]: row["amount"] for row in said["order_types"]} == {"on_table": 5000, "takeaway": -50, None: 240}
    assert {row["cashier"]: row["tips"] for row in said["cashiers"]} == {"Bo": 200, "Anna": 0, "": 0}
    assert (said["discounts"], said["returns"]) == ({"count": 1, "amount": 50}, {"count": 1, "amount": -240})
    assert said["voids"] == said["training"] == {"count": 1, "amount": 240}
    assert said["offline"] == {"count": 3, "amount": 190}
    assert [(row["kind"], row["reason"], row["amount"]) for row in said["cash"]["movements"]] == [
        ("cash_in", "change", 5000),
        ("cash_out", "tips", 800),
    ]
    assert (said["cash"]["expected"], said["cash"]["counted"], said["cash"]["over_short"]) == (24390, 24390, 0)
    text = Page(report_html(z_of(one_of_each))).text
    for words in (
        "FR-5.5, 5.5 %",
        "Gift card sold",
        "Cash out, tips (1)",
        "Held for a decision 1",
        "Since this terminal began",
    ):
        assert words in text


def test_numbers_have_no_gap_and_perpetual_totals_go_on(till: Till) -> None:
    till.sell(a_sale(1001))
    assert (x_of(till).kind, x_of(till).z_number, x_of(till).perpetual["net"]) == ("x", None, 240)
    till.close(a_sale(1001))
    earlier = till.shift_id
    till.open(number=312, first_number=1002)
    till.sell(a_sale(1002), a_sale(1003))
    till.close(a_sale(1002), a_sale(1003))
    assert (z_of(till).z_number, z_of(till).perpetual["sales"]) == (2, 720)
    till.sell(a_sale(1004), shift_id=earlier)
    assert z_of(till).perpetual["sales"] == 720, "a Z that was printed stays"
    kept = ZReport.objects.filter(terminal=till.terminal).order_by("place")
    assert [(each.z_number, each.revision, each.total_sales) for each in kept] == [
        (1, 1, 240),
        (2, 1, 720),
        (1, 2, 960),
    ]
    assert x_of(till).perpetual["sales"] == 960, "nothing of this shift is counted twice"


def test_nothing_new_makes_no_revision_and_batches_together_make_one(till: Till) -> None:
    till.sell(order := a_sale(1001))
    till.close(order)
    till.sell(order)
    assert z_of(till).revision == 1
    for place in range(5):
        till.upload(a_sale(1002 + place))
    assert process_next(now=timezone.now(), most=BATCHES_TOGETHER) == 5
    assert (z_of(till).revision, z_of(till).figures["orders"]) == (2, 6)


def test_decisions_make_a_revision_and_a_void_leaves_what_was_printed(till: Till) -> None:
    till.sell(order := a_sale(1001))
    till.close(order)
    decided(Verb.RETENDER, order["order_id"], payments={"card": 240})
    decided(Verb.VOID, order["order_id"])
    decided(Verb.RECOUNT, till.shift_id, counts={"cash": 20000})
    said = [z_of(till, revision).figures for revision in (1, 2, 3, 4)]
    assert [(each["net"], each["cash"]["over_short"]) for each in said] == [(240, 0), (240, 240), (0, 240), (0, 0)]
    assert said[2]["voided_by_head_office"] == {"count": 1, "amount": 240}
    assert z_of(till).perpetual == {"sales": 0, "returns": 0, "net": 0}


def test_killed_between_any_two_steps_of_a_close_no_z_is_missing_and_no_number(till: Till) -> None:
    """All or nothing: no number is taken, and no shift settles without its Z."""
    till.sell(order := a_sale(1001))
    for place in count():
        try:
            with transaction.atomic(), connection.execute_wrapper(killed_before(place)):
                till.close(order)
        except Killed:
            assert not ZReport.objects.filter(terminal=till.terminal).exists(), place
            assert Shift.objects.get(pk=till.shift_id).z_number is None, place
        else:
            break
    assert place > 15
    assert (z_of(till).z_number, z_of(till).revision, z_of(till).figures["net"]) == (1, 1, 240)


@pytest.mark.parametrize(
    ("change", "guard"),
    [
        ("UPDATE sales_zreport SET sales = 1 WHERE terminal_id = %s", "z_reports_are_append_only"),
        ("DELETE FROM sales_zreport WHERE terminal_id = %s", "z_reports_are_append_only"),
        ("TRUNCATE sales_zreport", "z_reports_are_append_only"),
        (("place", "place + 2"), "z_reports_have_no_gap"),
        (("revision", "3"), "z_reports_have_no_gap"),
        (("total_sales", "total_sales + 1"), "z_totals_go_on"),
        (("z_number", "9"), "z_is_of_its_shift"),
    ],
)
def test_the_database_keeps_every_z_as_it_was(till: Till, change: Any, guard: str) -> None:
    till.close()
    if isinstance(change, tuple):
        change = _another(*change)
    values = [till.terminal.pk] if "%s" in change else []
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(IntegrityError) as refused, transaction.atomic():
            cursor.execute(change, values)
    assert refused.value.__cause__.diag.constraint_name == guard


def _another(column: str, value: str) -> str:
    """A statement that adds the next revision, right but for one column."""
    columns = [field.column for field in ZReport._meta.fields if field.column != "id"]
    following = {"revision": "revision + 1", "place": "place + 1", column: value}
    said = ", ".join(following.get(name, name) for name in columns)
    return f"INSERT INTO sales_zreport ({', '.join(columns)}) SELECT {said} FROM sales_zreport WHERE terminal_id = %s"


def test_a_store_that_approves_by_itself_has_its_day_audited_within_its_tolerance(till: Till) -> None:
    till.store.approves_by_itself, till.store.max_over_short = True, 100
    till.store.save()
    till.close(counted=19950)
    assert (day_of(till).state, day_of(till).over_short) == ("audited", -50)
    till.store.flags_need_a_person = True
    till.store.save()
    till.open(number=312, opening_float=19950)
    till.sell(order := a_sale(1001, type="drive_in"))
    till.close(order, counted=20190)
    assert day_of(till).state == "to_review", "an order has a remark"
    decided(Verb.APPROVE, till.shift_id)
    assert day_of(till).state == "audited"


def test_a_day_names_who_is_late_what_is_held_missing_and_explained(till: Till) -> None:
    other = Till(till.store, name="Till 2")
    other.open()
    orders = [a_sale(number) for number in (1001, 1002, 1003, 1004)]
    till.sell(orders[0], a_sale(1002, total=1))
    till.close(*orders)
    day = day_of(till)
    assert (day.state, day.late_tills, day.held) == ("collecting", ["Till 1", "Till 2"], 1)
    assert [gap["missing_numbers"] for gap in day.gaps] == [[[1003, 1004]]]
    decided(Verb.EXPLAIN, till.shift_id, numbers="1003-1004")
    other.close()
    day = day_of(till)
    assert (day.state, day.late_tills, day.gaps[0]["explained_numbers"]) == ("to_review", [], [[1003, 1004]])
    assert z_of(till).figures["explained_numbers"] == [[1003, 1004]]
    assert (len(day.shifts), day.uncounted) == (2, 0)


def test_the_newest_checkpoint_stands_on_every_z(
    till: Till, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    till.sell(order := a_sale(1001))
    seal_here()
    note = sign_checkpoint(now=NOON)
    till.close(order)
    assert z_of(till).seal == x_of(till).seal == note
    for paper in PAPERS:
        call_command("z_report", str(till.shift_id), "--html", paper)
        printed = capsys.readouterr().out
        assert note in unescape(printed), paper
    monkeypatch.setattr(making_pdf, "TIMEOUT_S", 300)  # on a machine that does other things as well
    call_command("z_report", str(till.shift_id), "--pdf", str(tmp_path / "z.pdf"))
    assert (tmp_path / "z.pdf").read_bytes().startswith(b"%PDF-")


def test_the_command_prints_one_object_and_refuses_in_words(till: Till, capsys: pytest.CaptureFixture[str]) -> None:
    till.sell(order := a_sale(1001))
    call_command("z_report", str(till.shift_id), "--json")
    x = json.loads(capsys.readouterr().out)
    assert (x["kind"], x["z_number"], x["figures"]["net"]) == ("x", None, 240)
    till.close(order)
    call_command("z_report", str(till.shift_id), "--revision", "1", "--json")
    printed = capsys.readouterr().out
    assert printed.count("\n") == 1
    z = json.loads(printed)
    assert (z["kind"], z["z_number"], z["revision"], z["store"]["code"]) == ("z", 1, 1, till.store.code)
    call_command("z_report", str(till.shift_id))
    assert "Z 1, revision 1 of shift 311" in capsys.readouterr().out
    for words, said in (
        (["z_report", "nonsense"], "is no shift id"),
        (["z_report", str(till.store.uuid)], "There is no shift"),
        (["z_report", str(till.shift_id), "--revision", "2"], "1 revisions are kept"),
        (["store_day", "NOWHERE", "2026-03-01"], "There is no store"),
    ):
        with pytest.raises(CommandError, match=said):
            call_command(*words)
