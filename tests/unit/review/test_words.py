"""Reasons in the words of the console."""

from backoffice.books.verb_words import VERB_WORDS
from backoffice.domain.accounts import PAYMENT_ACCOUNTS
from backoffice.domain.decisions import Verb
from backoffice.domain.orders import Order
from backoffice.domain.reasons import REASONS, reasons_json
from backoffice.domain.rules import flags, holds
from backoffice.review.words import SHORT_REASONS, remark
from tests.unit.domain.builders import NO_SETTINGS, ORDINARY, a_shift, an_order, cash, plain_line


def details(order: Order) -> dict[str, str]:
    """The details of every hold and flag of an order, as the console shows them, by code."""
    found = holds(order, shift=a_shift(), methods=PAYMENT_ACCOUNTS)
    found += flags(order, shift=a_shift(), settings=NO_SETTINGS, circumstances=ORDINARY)
    return {reason["code"]: remark(reason, "EUR").detail for reason in reasons_json(found)}


def test_every_reason_has_a_few_words_for_lists() -> None:
    assert set(SHORT_REASONS) == set(REASONS)


def test_amounts_in_details_are_written_as_money() -> None:
    forgotten = an_order(kind="refund", lines=[plain_line(24000)], total=24000, payments=[cash(24000)])
    assert "240.00" in details(forgotten)["refund-not-negative"]
    wrong = an_order(lines=[plain_line(24000, quantity="-2", unit_price=12000)], total=24000, payments=[cash(24000)])
    assert details(wrong)["sign-mismatch"].count("240.00") == 2


def test_every_verb_has_words() -> None:
    assert set(VERB_WORDS) == {verb.value for verb in Verb}
