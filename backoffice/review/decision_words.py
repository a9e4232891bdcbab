"""Decisions in words: what was decided, why, and what stood before and after, with amounts in their currency."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from backoffice.books.models import Decision, ReasonCode
from backoffice.domain.moments import day_in_words
from backoffice.review.comparing import ABSENT, Field, compare_versions, is_amount
from backoffice.review.formats import MINUS, money, number_ranges, sendable
from backoffice.review.subjects import shifts_by_name
from backoffice.review.words import METHODS, SHIFT_STATES, STATUSES, VERBS, figure, named, remark

MOST_CHARACTERS = 500
MOST_SHOWN = 500

# What is kept under these names, as people call it. "-" where a page shows it in another way, or nobody can read it.
NAMES: Mapping[str, str] = {
    "amount": "Amount",
    "balance": "In the safe",
    "batches": "-",
    "card_flags": "-",
    "cash_movements": "Cash movements",
    "changed": "-",
    "content_hash": "-",
    "counted": "Cash counted",
    "date": "Day",
    "differences": "Differences",
    "duplicate_of": "Duplicate of the order",
    "entry_date": "In the books on",
    "expected": "Cash expected",
    "file": "-",
    "first_open_day": "First open day",
    "flags": "Remarks",
    "held": "Held",
    "is_missing": "-",
    "is_used": "-",
    "kept": "-",
    "left": "In the safe",
    "locked_through": "Locked through",
    "methods": "Counted by other methods",
    "movement": "-",
    "movement_id": "Cash movement",
    "number": "Number",
    "numbers": "Numbers",
    "order": "-",
    "order_count": "Orders",
    "order_id": "Order",
    "outcome": "-",
    "over_short": "Over or short",
    "payments": "Payments",
    "orders": "Orders",
    "reasons": "Why it was held",
    "refused": "Left out",
    "saved_at": "Saved by the till",
    "shift_id": "Shift",
    "shifts": "-",
    "slip": "Slip",
    "state": "State",
    "status": "Status",
    "tip": "Tip",
    "to": "Shift",
    "total": "Total",
    "unfinished": "-",
    "what": "-",
    "z_number": "Z number",
}
AMOUNTS = frozenset({"amount", "balance", "counted", "expected", "left", "over_short", "tip", "total"})
SHIFTS = ("shift_id", "to")
DAYS = frozenset({"date", "entry_date", "first_open_day", "locked_through", "saved_at"})
# What a decision is about stands above, with its link.
HERE = {"order": "order_id", "shift": "shift_id"}
BY_METHOD = frozenset({"payments", "methods"})
WORDS: Mapping[str, Mapping[str, str]] = {
    "state": {state: label.text for state, label in SHIFT_STATES.items()},
    "status": STATUSES,
}
FLAGS: Mapping[str, str] = {"more-than-in-the-safe": "More than the books knew to be in the safe"}


def verb_of(decision: Decision) -> str:
    """What was decided: `Void an order`."""
    return named(VERBS, decision.verb)


def reason_titles(decisions: Iterable[Decision]) -> dict[tuple[str, str], str]:
    """The titles of these decisions' reasons, by verb and code. One statement."""
    verbs = {decision.verb for decision in decisions}
    rows = ReasonCode.objects.filter(verb__in=verbs).values_list("verb", "code", "title")
    return {(verb, code): title for verb, code, title in rows}


def reason_of(decision: Decision) -> str:
    """Why it was decided, as its reason is called; one that was renamed or removed since by its code."""
    titles = reason_titles([decision])
    return titles.get((decision.verb, decision.reason)) or decision.reason.replace("-", " ").capitalize()


def sides_of(decision: Decision, after: Mapping[str, Any] | None) -> list[Field]:
    """What stood before beside what was asked for and what became of it, field by field; "" of what it does not say, which comes last."""
    currency = decision.store.currency
    first = _spread(decision.before)
    second = _spread({**decision.arguments, **(after or {})})
    if decision.about == "store" and "counted" in second:
        second["balance"] = second.pop("counted")
        second.pop("expected", None)
    targets = [str(said[key]) for said in (first, second) for key in SHIFTS if said.get(key)]
    called = {name: shift.text for name, shift in shifts_by_name(targets).items()}
    for said in (first, second):
        said |= {key: called.get(str(said[key]), said[key]) for key in SHIFTS if said.get(key)}
    one, two = (_in_words(said, currency=currency, about=decision.about) for said in (first, second))
    fields = [Field(name, one.get(name, ABSENT), two.get(name, "")) for name in {**one, **two}]
    return sorted(fields, key=lambda field: not field.second)


def changes_of(decision: Decision, after: Mapping[str, Any] | None) -> list[Field]:
    """What a correction changed, or all of an order that was entered by hand."""
    currency, zone = decision.store.currency, decision.store.timezone
    changed = (after or {}).get("changed")
    if changed is not None:
        fields = []
        for change in changed[:MOST_SHOWN]:
            pairs = compare_versions(
                _at(change["pointer"], change["before"]),
                _at(change["pointer"], change["after"]),
                currency=currency,
                zone=zone,
            )
            fields += [pair for pair in pairs if pair.changed]
        return fields[:MOST_SHOWN]
    typed = decision.arguments.get("order", decision.arguments.get("movement"))
    if not isinstance(typed, dict):
        return []
    fields = compare_versions({}, typed, currency=currency, zone=zone)
    return [field for field in fields if field.changed][:MOST_SHOWN]


def _at(pointer: str, value: Any) -> Any:
    """The value in its place, so that it is read as what it is."""
    for token in reversed(pointer.split("/")[1:]):
        value = {token.replace("~1", "/").replace("~0", "~"): value}
    return value


def _spread(said: Mapping[str, Any]) -> dict[str, Any]:
    """With what is kept in different shapes under one name: numbers as a range, counts as the drawer's and the others."""
    spread = dict(said)
    if "first" in spread:
        spread["numbers"] = [spread.pop("first"), spread.pop("last")]
    counts = spread.pop("counts", None)
    if isinstance(counts, dict):
        if "cash" in counts:
            spread["counted"] = counts["cash"]
        spread["methods"] = {method: amount for method, amount in counts.items() if method != "cash"}
    return spread


def _in_words(said: Mapping[str, Any], *, currency: str, about: str) -> dict[str, str]:
    words = {}
    for key, value in said.items():
        name = NAMES.get(key) or key.replace("_", " ").capitalize()
        if name == "-" or value in (None, "", {}, []) or key == HERE.get(about):
            continue
        words[name] = sendable(_value(key, value, currency=currency), limit=MOST_CHARACTERS)
    return words


def _value(key: str, value: Any, *, currency: str) -> str:
    if key in AMOUNTS and is_amount(value):
        return money(value, currency)
    if key in BY_METHOD:
        return _by_method(value, currency=currency)
    if isinstance(value, list):
        return _listed(key, value, currency=currency)
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return _day(str(value)) if key in DAYS else WORDS.get(key, {}).get(str(value), str(value))


def _listed(key: str, values: list[Any], *, currency: str) -> str:
    if key == "numbers":
        return number_ranges([(values[0], values[-1])])
    if key == "refused":
        return ", ".join(str(each["detail"]) for each in values)
    if key == "differences":
        return ", ".join(_difference(each, currency=currency) for each in values)
    if key == "reasons":
        return ", ".join(remark(each, currency).short for each in values)
    return ", ".join(named(FLAGS, str(each)) for each in values)


def _by_method(value: Any, *, currency: str) -> str:
    pairs = value.items() if isinstance(value, dict) else [(each.get("method"), each.get("amount")) for each in value]
    return ", ".join(
        f"{named(METHODS, str(method))} {money(amount, currency) if is_amount(amount) else amount}"
        for method, amount in pairs
    )


def _difference(each: Mapping[str, Any], *, currency: str) -> str:
    amount = each["difference"]
    said = str(amount).replace("-", MINUS) if each["what"] == "order_count" else money(amount, currency)
    return f"{figure(each['what'])} {said}"


def _day(text: str) -> str:
    try:
        day = date.fromisoformat(text[:10])
    except ValueError:
        return text
    return day_in_words(day)
