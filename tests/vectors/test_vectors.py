"""The committed vectors are what the rules say, and the rules say what whoever thought of a case wrote beside it."""

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from backoffice.domain.accounts import LINE_KINDS, PAYMENT_ACCOUNTS
from backoffice.domain.orders import TAX_KINDS
from backoffice.domain.reasons import REASONS
from tests.vectors.building import DrawerCase, Json, MovementCase, OrderCase, ShiftsCase
from tests.vectors.files import FILES, FOLDER, SCHEMA, text_of, vector
from tests.vectors.judging import judge_drawer
from tests.vectors.judging_shifts import judge_shifts
from tests.vectors.reading import entry, in_order, reasons

# Of processing that failed, what no terminal sends, and what depends on the books being locked.
NOT_OF_MEMBERS = {"business-date-in-locked-period", "entered-by-hand", "processing-failed"}
CASES = [case for file in FILES.values() for case in file.cases]
VECTORS = [vector(case) for case in CASES]


def orders_of(found: Json) -> Iterator[tuple[Any, Json]]:
    """Every order of a vector with what is expected of it; those of whole shifts are posted."""
    match found["kind"]:
        case "order":
            yield found["order"], found["expect"]
        case "sequence":
            for step in found["steps"]:
                yield from zip(step["orders"], step["expect"], strict=True)
        case "drawer" | "shifts":
            for shift in found["shifts"]:
                yield from ((order, {"reasons": [], "outcome": "posted"}) for order in shift["orders"])


ORDERS = [pair for found in VECTORS for pair in orders_of(found)]
READABLE = [order for order, expect in ORDERS if "unreadable-order" not in str(expect["reasons"])]


@pytest.mark.parametrize("name", FILES)
def test_the_committed_file_is_what_the_rules_say(name: str) -> None:
    assert (FOLDER / name).read_text() == text_of(FILES[name]), "python -m tests.vectors --write"


@pytest.mark.parametrize("name", FILES)
def test_the_committed_file_is_as_its_schema_says(name: str) -> None:
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(json.loads((FOLDER / name).read_text()))


@pytest.mark.parametrize(
    "case", [case for case in CASES if isinstance(case, OrderCase | MovementCase)], ids=lambda case: case.name
)
def test_the_rules_give_the_reasons_that_were_thought_of(case: OrderCase | MovementCase) -> None:
    expect = vector(case)["expect"]
    assert reasons(expect["reasons"]) == sorted(case.reasons)
    holding = any(REASONS[reason["code"]].kind == "hold" for reason in expect["reasons"])
    assert expect["outcome"] == ("held" if holding else "posted")
    if case.entry is not None:
        assert in_order(expect["postings"]) == entry(case.entry)


@pytest.mark.parametrize("case", [case for case in CASES if isinstance(case, DrawerCase)], ids=lambda case: case.name)
def test_a_drawer_ends_as_it_was_thought_of(case: DrawerCase) -> None:
    for shift, expect in zip(case.shifts, judge_drawer(case), strict=True):
        assert reasons(expect["flags"]) == sorted(shift.flags)
        assert (expect["state"], [each["what"] for each in expect["differences"]]) == (
            shift.state,
            list(shift.differences),
        )
        found = [in_order(expect[name]) for name in ("opening", "over_short", "closing")]
        assert found == [entry(each) for each in (shift.opening_entry, shift.over_short_entry, shift.to_the_safe_entry)]


@pytest.mark.parametrize("case", [case for case in CASES if isinstance(case, ShiftsCase)], ids=lambda case: case.name)
def test_shifts_stand_as_they_were_thought_of(case: ShiftsCase) -> None:
    for shift, expect in zip(case.shifts, judge_shifts(case), strict=True):
        assert reasons(expect["flags"]) == sorted(shift.flags)
        assert (expect["state"], expect["missing_numbers"]) == (shift.state, [list(pair) for pair in shift.missing])
        assert (expect["business_date"], expect["opened_at_corrected"] or "") == (shift.business_date, shift.corrected)


def test_every_entry_balances() -> None:
    for _, expect in ORDERS:
        for side in [expect.get("postings", [])]:
            assert sum(line["debit"] for line in side) == sum(line["credit"] for line in side)


def test_there_are_hundreds_of_them_each_under_a_name_of_its_own() -> None:
    names = [found["name"] for found in VECTORS]
    assert len(set(names)) == len(names)
    assert len(ORDERS) >= 150


def test_every_kind_currency_and_price_mode_is_in_them() -> None:
    lines = [line for order in READABLE for line in order["lines"]]
    assert {line.get("kind", "item") for line in lines} >= LINE_KINDS
    assert {tax.get("kind", "percent") for line in lines for tax in line["taxes"]} >= TAX_KINDS
    assert {pay["method"] for order in READABLE for pay in order["payments"]} >= set(PAYMENT_ACCOUNTS)
    assert {"EUR", "USD", "CHF", "JPY", "KWD"} <= {found["store"]["currency"] for found in VECTORS}
    assert {found["store"]["prices_include_tax"] for found in VECTORS} == {True, False}


def test_every_reason_that_a_member_of_a_batch_can_have_is_in_them() -> None:
    found = {reason["code"] for _, expect in ORDERS for reason in expect["reasons"]}
    found |= {reason["code"] for each in VECTORS if each["kind"] == "movement" for reason in each["expect"]["reasons"]}
    found |= {
        flag["code"]
        for each in VECTORS
        if each["kind"] in {"drawer", "shifts"}
        for shift in each["shifts"]
        for flag in shift["expect"]["flags"]
    }
    assert found == set(REASONS) - NOT_OF_MEMBERS
