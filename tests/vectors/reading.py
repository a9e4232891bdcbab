"""What cases say in short, and what vectors say in JSON, in one form to compare."""

from collections.abc import Iterable

from tests.vectors.building import Json


def entry(spelled: str) -> list[Json]:
    """`"1000 D 240, 2100/FR-5.5 C 13"` as a vector has it: the account, with its tax code; D for debit, C for credit."""
    return in_order(_posting(each) for each in spelled.split(", ") if each)


def _posting(spelled: str) -> Json:
    account, side, amount = spelled.split()
    code, _, tax_code = account.partition("/")
    debit, credit = (int(amount), 0) if side == "D" else (0, int(amount))
    return {"account": code, "debit": debit, "credit": credit, "tax_code": tax_code}


def in_order(postings: Iterable[Json]) -> list[Json]:
    """Debits first, then by account and tax code: entries say nothing by their order."""
    return sorted(postings, key=lambda line: (line["debit"] == 0, line["account"], line["tax_code"]))


def reasons(found: Iterable[Json]) -> list[str]:
    """Reasons as `code@pointer`, in a fixed order; words for people are left out."""
    return sorted(f"{reason['code']}@{reason['pointer']}" for reason in found)
