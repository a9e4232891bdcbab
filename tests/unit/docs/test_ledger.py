"""docs/ledger.md against the chart, the posting rules' mappings and the migrations that guard the books."""

import re

from backoffice.domain.accounts import CASH_REASON_ACCOUNTS, CHART, PAYMENT_ACCOUNTS
from tests.unit.docs.documents import CHECKOUT, LEDGER, blocks, rows, section

ACCOUNTS = section(LEDGER, "## Accounts")
MIGRATIONS = "\n".join(
    path.read_text()
    for room in ("ledger", "sales")
    for path in (CHECKOUT / "backoffice" / room / "migrations").glob("*.py")
)


def test_its_accounts_are_the_chart() -> None:
    listed = [
        (cells[0], re.sub(r" \(by .*\)", "", cells[1]), cells[2]) for cells in rows(ACCOUNTS) if cells[0].isdigit()
    ]
    assert listed == [tuple(account) for account in CHART]


def test_it_says_where_methods_and_reasons_post() -> None:
    (sentence,) = re.findall(r"^Payment methods post to: (.*)$", ACCOUNTS, re.MULTILINE)
    methods, reasons = sentence.rstrip(".").split(". Cash reasons: ")
    assert mapping(methods) == PAYMENT_ACCOUNTS
    assert mapping(reasons) == CASH_REASON_ACCOUNTS


def mapping(words: str) -> dict[str, str]:
    """ "cash 1000 · card, wallet 1100" as method → account."""
    found: dict[str, str] = {}
    for group in words.split(" · "):
        names, _, account = group.rpartition(" ")
        found |= dict.fromkeys(names.split(", "), account)
    return found


def test_every_guard_that_it_names_is_in_a_migration() -> None:
    guards = {
        name
        for cells in rows(section(LEDGER, "## What the database guarantees"))
        for cell in cells[1:]
        for name in re.findall(r"`([a-z_]+(?:YYYYMM)?)`", cell)
    }
    assert len(guards) > 10
    for guard in guards:
        assert guard.replace("YYYYMM", "%1$s") in MIGRATIONS, guard


def test_every_table_that_its_queries_read_has_a_model() -> None:
    tables = {
        name
        for query in blocks(LEDGER.read_text(), "sql")
        for name in re.findall(r"\b(?:ledger|sales|fleet)_\w+", query)
    }
    assert len(blocks(LEDGER.read_text(), "sql")) == 5
    for table in tables:
        room, _, model = table.partition("_")
        models = (CHECKOUT / "backoffice" / room / "models.py").read_text().lower()
        assert f"class {model}(" in models, table
