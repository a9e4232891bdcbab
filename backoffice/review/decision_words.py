"""Decisions in words: what was decided, why, and what stood before and after, with amounts in their currency."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from backoffice.books.models import Decision, ReasonCode
from backoffice.books.verb_words import VERB_WORDS
from backoffice.languages.formats import money, number_ranges, sendable, whole
from backoffice.languages.moments import written_day
from backoffice.languages.texts import Words, in_their_language
from backoffice.review.comparing import ABSENT, Field, compare_versions, is_amount
from backoffice.review.papers import Paper, sent_paper
from backoffice.review.subjects import shifts_by_name
from backoffice.review.words import METHODS, SHIFT_STATES, STATUSES, figure, named, remark

MOST_CHARACTERS = 500
MOST_SHOWN = 500

# What is kept under these names, as people call it. "-" where a page shows it in another way, or nobody can read it.
NAMES: Mapping[str, Words] = {
    "amount": _("Amount"),
    "balance": _("In the safe"),
    "batches": "-",
    "card_flags": "-",
    "cash_movements": _("Cash movements"),
    "changed": "-",
    "content_hash": "-",
    "currency": "-",
    "counted": _("Cash counted"),
    "date": _("Day"),
    "differences": _("Differences"),
    "duplicate_of": _("Duplicate of the order"),
    "entry_date": _("In the books on"),
    "expected": _("Cash expected"),
    "file": "-",
    "first_open_day": _("First open day"),
    "flags": _("Remarks"),
    "held": _("Held"),
    "is_missing": "-",
    "is_used": "-",
    "kept": "-",
    "left": _("In the safe"),
    "locked_through": _("Locked through"),
    "methods": _("Counted by other methods"),
    "movement": "-",
    "movement_id": _("Cash movement"),
    "number": _("Number"),
    "numbers": _("Numbers"),
    "on_its_way": _("On its way to the bank"),
    "order": "-",
    "order_count": _("Orders"),
    "order_id": _("Order"),
    "outcome": "-",
    "over_short": _("Over or short"),
    "payments": _("Payments"),
    "orders": _("Orders"),
    "reasons": _("Why it was held"),
    "refused": _("Left out"),
    "saved_at": _("Saved by the till"),
    "shift_id": _("Shift"),
    "shifts": "-",
    "slip": _("Slip"),
    "state": _("State"),
    "status": _("Status"),
    "tip": _("Tip"),
    "to": _("Shift"),
    "total": _("Total"),
    "unfinished": "-",
    "what": "-",
    "z_number": _("Z number"),
}
AMOUNTS = frozenset({"amount", "balance", "counted", "expected", "left", "on_its_way", "over_short", "tip", "total"})
SHIFTS = ("shift_id", "to")
DAYS = frozenset({"date", "entry_date", "first_open_day", "locked_through", "saved_at"})
# What a decision is about stands above, with its link.
HERE = {"order": "order_id", "shift": "shift_id"}
BY_METHOD = frozenset({"payments", "methods"})
WORDS: Mapping[str, Mapping[str, Words]] = {
    "state": {state: label.text for state, label in SHIFT_STATES.items()},
    "status": STATUSES,
}
FLAGS: Mapping[str, Words] = {"more-than-in-the-safe": _("More than the books knew to be in the safe")}


def verb_of(decision: Decision) -> str:
    """What was decided: `Void an order`."""
    return named(VERB_WORDS, decision.verb)


def reason_titles(decisions: Iterable[Decision]) -> dict[tuple[str, str], str]:
    """The titles of these decisions' reasons, by verb and code. One statement."""
    verbs = {decision.verb for decision in decisions}
    rows = ReasonCode.objects.filter(verb__in=verbs).values_list("verb", "code", "title")
    return {(verb, code): in_their_language(title) for verb, code, title in rows}


def reason_of(decision: Decision) -> str:
    """Why it was decided, as its reason is called; one that was renamed or removed since by its code."""
    titles = reason_titles([decision])
    return titles.get((decision.verb, decision.reason)) or unnamed_reason(decision.reason)


def unnamed_reason(code: str) -> str:
    """A reason that is not among the rows any more, by its code."""
    return code.replace("-", " ").capitalize()


def shifts_named_in(decisions: Iterable[Decision]) -> dict[str, str]:
    """What the shifts are called that these requests name. One statement, for pages that show many."""
    said = [each for decision in decisions for each in (decision.before, decision.arguments)]
    return _called({str(each[key]) for each in said for key in SHIFTS if each.get(key)})


def _called(shift_ids: Collection[str]) -> dict[str, str]:
    return {name: shift.text for name, shift in shifts_by_name(list(shift_ids)).items()}


def sides_of(
    decision: Decision, after: Mapping[str, Any] | None, *, called: Mapping[str, str] | None = None
) -> list[Field]:
    """What stood before beside what was asked for and what became of it, field by field; "" of what it does not say, which comes last.

    An identifier that stays as it was says nothing to people, and is left out.

    `called` has the names of its shifts, where they were read already.
    """
    currency = decision.store.currency
    first = _spread(decision.before)
    second = _spread({**decision.arguments, **(after or {})})
    if decision.about == "store" and "counted" in second:
        second["balance"] = second.pop("counted")
        second.pop("expected", None)
    for key in [key for key in first if key.endswith("_id") and first[key] == second.get(key)]:
        del first[key], second[key]
    if called is None:
        called = _called({str(said[key]) for said in (first, second) for key in SHIFTS if said.get(key)})
    for said in (first, second):
        said |= {key: called.get(str(said[key]), said[key]) for key in SHIFTS if said.get(key)}
    one, two = (_in_words(said, currency=currency, about=decision.about) for said in (first, second))
    fields = [Field(name, one.get(name, ABSENT), two.get(name, "")) for name in {**one, **two}]
    return sorted(fields, key=lambda field: not field.second)


def typed_paper(decision: Decision) -> Paper | None:
    """The receipt of an order that was typed by a person, for whoever agrees; None where none was."""
    what = "order" if "order" in decision.arguments else "movement"
    store = decision.store
    return sent_paper(decision.arguments.get(what), what=what, currency=store.currency, zone=store.timezone)


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
        name = str(NAMES.get(key) or key.replace("_", " ").capitalize())
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
        return gettext("Yes") if value else gettext("No")
    return _day(str(value)) if key in DAYS else str(WORDS.get(key, {}).get(str(value), value))


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
    said = whole(amount) if each["what"] == "order_count" else money(amount, currency)
    return f"{figure(each['what'])} {said}"


def _day(text: str) -> str:
    try:
        day = date.fromisoformat(text[:10])
    except ValueError:
        return text
    return written_day(day)
