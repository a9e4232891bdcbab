"""The files of docs/vectors: which cases each has, and how they are written."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tests.vectors.building import DrawerCase, Json, MovementCase, OrderCase, Place, SequenceCase, ShiftsCase
from tests.vectors.cases import adjustments, drawers, flags, holds, ledger, refunds, sales, sequences, shifts
from tests.vectors.judging import entry_of_member, judge_drawer, judge_movement, judge_order
from tests.vectors.judging_shifts import declaration_of_shift, judge_shifts

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "vectors"
SCHEMA = FOLDER / "vectors.schema.json"
AnyCase = OrderCase | MovementCase | SequenceCase | DrawerCase | ShiftsCase
SETTINGS = ("max_order_total", "min_refund_total", "refund_days", "rounding_step", "rounding_mode", "max_over_short")


class VectorFile(NamedTuple):
    """One file: `about` says in a sentence what is in it."""

    about: str
    cases: Sequence[AnyCase]


FILES: Mapping[str, VectorFile] = {
    "ledger-examples.json": VectorFile("The worked examples of docs/ledger.md.", ledger.CASES),
    "sales.json": VectorFile("Sales: kinds of lines and taxes, price modes, currencies, payments.", sales.CASES),
    "refunds.json": VectorFile("Refunds and exchanges, each alone: what it gives back is not there.", refunds.CASES),
    "adjustments.json": VectorFile("Tips and payments that are changed afterwards.", adjustments.CASES),
    "holds.json": VectorFile("Orders and cash movements that are held.", holds.CASES),
    "flags.json": VectorFile("Orders and cash movements that are posted and flagged.", flags.CASES),
    "sequences.json": VectorFile("Orders whose outcome or flags other orders decide.", sequences.CASES),
    "drawers.json": VectorFile("Cash movements, openings and closes.", drawers.CASES),
    "shifts.json": VectorFile("Tables over a close, numbers that come again, clocks that are wrong.", shifts.CASES),
}


def vector(case: AnyCase) -> Json:
    """A case and what becomes of it, as its file has it."""
    head = {"name": case.name, "source": case.source, "store": _store(case.at), "shift": _shift(case.at)}
    if isinstance(case, OrderCase):
        how = {"late": case.late, "clock_skew_ms": case.clock_skew_ms}
        return {"kind": "order", **head, "circumstances": how, "order": case.order, "expect": judge_order(case)}
    if isinstance(case, MovementCase):
        return {"kind": "movement", **head, "movement": case.movement, "expect": judge_movement(case)}
    if isinstance(case, SequenceCase):
        return {"kind": "sequence", **head, "steps": list(_steps(case)), "afterwards": _afterwards(case)}
    if isinstance(case, ShiftsCase):
        return {"kind": "shifts", **head, "shifts": list(_shifts_in_a_row(case))}
    return {"kind": "drawer", **head, "shifts": list(_shifts(case))}


def _store(place: Place) -> Json:
    settings = {name: place.settings.get(name) for name in (*SETTINGS, "order_types")}
    mode = {"prices_include_tax": place.prices_include_tax}
    return {"currency": place.currency, "timezone": place.timezone, **mode, "settings": settings}


def _shift(place: Place) -> Json:
    return {"first_number": place.first_number, "opened_at": place.opened_at, "closed_at": place.closed_at}


def outcome(spelled: str) -> Json:
    """`"posted refund-too-late@/closed_at"` as a vector has it."""
    first, *rest = spelled.split()
    return {"outcome": first, "reasons": [reason(each) for each in rest]}


def reason(spelled: str) -> Json:
    """`"late@"` as a vector has it."""
    code, _, pointer = spelled.partition("@")
    return {"code": code, "pointer": pointer}


def _steps(case: SequenceCase) -> Iterator[Json]:
    for step in case.steps:
        expected = [
            {**outcome(spelled), "postings": entry_of_member(order, case.at) if spelled.startswith("posted") else []}
            for order, spelled in zip(step.orders, step.outcomes, strict=True)
        ]
        which = {"terminal": step.terminal, "shift": step.shift}
        yield {**which, "orders": list(step.orders), "expect": expected}


def _afterwards(case: SequenceCase) -> list[Json]:
    return [
        {"order_id": order_id, "reasons": outcome(spelled)["reasons"]} for order_id, spelled in case.afterwards.items()
    ]


def _shifts(case: DrawerCase) -> Iterator[Json]:
    for shift, expect in zip(case.shifts, judge_drawer(case), strict=True):
        yield {
            "opening_float": shift.opening_float,
            "orders": list(shift.orders),
            "movements": list(shift.movements),
            "cash_counted": shift.counted,
            "float_left": shift.float_left,
            "expect": expect,
        }


def _shifts_in_a_row(case: ShiftsCase) -> Iterator[Json]:
    for shift, expect in zip(case.shifts, judge_shifts(case), strict=True):
        heard = shift.heard
        yield {
            "heartbeat": heard and {"clock_skew_ms": heard.clock_skew_ms, "received_at": heard.heartbeat_at},
            "received_at": heard and heard.opening_at,
            "opening": shift.opening,
            "orders": list(shift.orders),
            "unreadable": list(shift.unreadable),
            "close": declaration_of_shift(shift),
            "expect": expect,
        }


def text_of(file: VectorFile) -> str:
    """A file as it is committed: a field of a vector on each line, so that a difference shows what has changed."""
    vectors = ",\n".join(_on_lines(vector(case)) for case in file.cases)
    head = f'"$schema": {_spelled(SCHEMA.name)},\n"about": {_spelled(file.about)},\n"vectors": [\n'
    return f"{{\n{head}{vectors}\n]\n}}\n"


def _on_lines(fields: Json) -> str:
    return "{" + ",\n ".join(f"{_spelled(name)}: {_spelled(value)}" for name, value in fields.items()) + "}"


def _spelled(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
