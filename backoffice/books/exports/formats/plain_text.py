"""Beancount and hledger: a file that stands by itself, and beside it the transactions alone, for a journal of one's own.

The first opens its accounts, includes the second, and says after each day what every account must be: the programs' own
checkers compare that with the transactions.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from backoffice.books.exports.coding import Code
from backoffice.books.exports.formats.sending import Sending, Sent
from backoffice.books.exports.formats.texts import one_line
from backoffice.books.exports.models import ExportRevision
from backoffice.books.exports.refusals import NotExported

ROOTS = {"1": "Assets", "2": "Liabilities", "3": "Equity", "4": "Income"}
BEANCOUNT_ACCOUNT = re.compile(r"(Assets|Liabilities|Equity|Income|Expenses)(:[A-Z0-9][A-Za-z0-9-]*)+")
# Two spaces end a name, and these begin something else.
HLEDGER_ACCOUNT = re.compile(r"[^\s;|(\[*!=~:]+( ?[^\s;]+)*")
_LONG_AGO = "1970-01-01"


class DayBalances(NamedTuple):
    """What every account that has moved so far must be at the end of a day, in minor units, counting this file alone."""

    revision: ExportRevision
    balances: dict[str, int]


def check_beancount(code: Code) -> None:
    """Raises NotExported for what is no account of Beancount; a code of digits gets its root by the first."""
    if BEANCOUNT_ACCOUNT.fullmatch(_account(code)) is None:
        raise NotExported(f"{code.code!r} is no account of Beancount, such as Assets:Cash:Paris.")


def check_hledger(code: Code) -> None:
    """Raises NotExported for what is no account of hledger."""
    if HLEDGER_ACCOUNT.fullmatch(_account(code)) is None:
        raise NotExported(f"{code.code!r} is no account of hledger, such as assets:cash:paris.")


def write_beancount(sending: Sending, folder: Path, name: str) -> None:
    """NAME.beancount, and the transactions in NAME.entries."""
    with (folder / f"{name}.entries").open("w", encoding="utf-8", newline="\n") as file:
        for sent in sending.transactions():
            file.write(_beancount_transaction(sending, sent))
    with (folder / f"{name}.beancount").open("w", encoding="utf-8", newline="\n") as file:
        currency = sending.run.currency
        file.write(f'option "title" "{_quoted(sending.store_name)}, {_quoted(sending.store_code)}"\n')
        file.write(f'option "operating_currency" "{currency}"\noption "inferred_tolerance_default" "*:0"\n\n')
        for account, title in _accounts(sending).items():
            file.write(f'{_LONG_AGO} open {account} {currency}\n  name: "{_quoted(title)}"\n')
        file.write(f'\ninclude "{name}.entries"\n')
        for day, balances in _balances(sending):
            morning = day.business_date + timedelta(days=1)
            file.write(f"\n; {one_line(day.reference)}\n")
            for account, minor in balances.items():
                file.write(f"{morning} balance {account} {sending.amount(minor)} {currency}\n")


def write_hledger(sending: Sending, folder: Path, name: str) -> None:
    """NAME.journal, and the transactions in NAME.entries."""
    mark = "decimal-mark .\n"
    with (folder / f"{name}.entries").open("w", encoding="utf-8", newline="\n") as file:
        file.write(mark)
        for sent in sending.transactions():
            file.write(_hledger_transaction(sending, sent))
    with (folder / f"{name}.journal").open("w", encoding="utf-8", newline="\n") as file:
        currency = sending.run.currency
        file.write(f"; {one_line(sending.store_name)}, {one_line(sending.store_code)}\n{mark}")
        file.write(f"commodity 1000.{'0' * sending.digits} {currency}\n\n")
        for account in _accounts(sending):
            file.write(f"account {account}\n")
        file.write(f"\ninclude {name}.entries\n")
        for day, balances in _balances(sending):
            file.write(f"\n{day.business_date} balances after {_hledger_text(day.reference)}\n")
            for account, minor in balances.items():
                file.write(f"    {account}    0 {currency} = {sending.amount(minor)} {currency}\n")


def _account(code: Code) -> str:
    """Where a code is found in these programs: one of digits alone is put under a root by its first."""
    return f"{ROOTS.get(code.code[0], 'Expenses')}:{code.code}" if code.code.isdecimal() else code.code


def _accounts(sending: Sending) -> dict[str, str]:
    """Every account that the run moves, with its name, in the order of their spelling."""
    found = {}
    for _, sums in sending.days:
        for each in sums:
            code = sending.code_of(each.account_id, each.tax_code, each.method)
            found[_account(code)] = code.name
    return dict(sorted(found.items()))


def _balances(sending: Sending) -> Iterator[DayBalances]:
    """From the sums that were decided, not from the transactions."""
    balances: dict[str, int] = {}
    for revision, sums in sending.days:
        for each in sums:
            code = sending.code_of(each.account_id, each.tax_code, each.method)
            account = _account(code)
            balances[account] = balances.get(account, 0) + each.debit - each.credit
        yield DayBalances(revision, dict(sorted(balances.items())))


def _beancount_transaction(sending: Sending, sent: Sent) -> str:
    currency = sending.run.currency
    title = f'"{_quoted(sent.terminal)}" "{_quoted(sent.title)}"' if sent.terminal else f'"{_quoted(sent.title)}"'
    lines = [f"{sent.business_date} * {title}", f'  reference: "{_quoted(sent.reference)}"']
    if sent.revision != sent.reference:
        lines.append(f'  revision: "{_quoted(sent.revision)}"')
    for posting in sent.postings:
        amount = sending.amount(posting.debit - posting.credit)
        lines.append(f"  {_account(posting.code)}  {amount} {currency}")
        if posting.tax_code:
            lines.append(f'    tax_code: "{_quoted(posting.tax_code)}"')
        if posting.method:
            lines.append(f'    method: "{_quoted(posting.method)}"')
    return "\n".join([*lines, "\n"])


def _hledger_transaction(sending: Sending, sent: Sent) -> str:
    currency = sending.run.currency
    title = " | ".join(_hledger_text(text) for text in (sent.terminal, sent.title) if text)
    reference, revision = _hledger_text(sent.reference), _hledger_text(sent.revision)
    lines = [f"{sent.business_date} * ({reference}) {title}  ; revision:{revision}"]
    for posting in sent.postings:
        amount = sending.amount(posting.debit - posting.credit)
        tags = [f"{name}:{_hledger_text(text)}" for name, text in _tags(posting.tax_code, posting.method) if text]
        comment = f"  ; {', '.join(tags)}" if tags else ""
        lines.append(f"    {_account(posting.code)}    {amount} {currency}{comment}")
    return "\n".join([*lines, "\n"])


def _tags(tax_code: str, method: str) -> tuple[tuple[str, str], tuple[str, str]]:
    return ("tax-code", tax_code), ("method", method)


def _quoted(text: str) -> str:
    """A text within Beancount's quotation marks."""
    return one_line(text).replace("\\", "\\\\").replace('"', '\\"')


def _hledger_text(text: str) -> str:
    """hledger cannot quote: what would end a description, a code or a tag is written with a sign that looks like it."""
    return one_line(text).translate(_LOOKALIKES)


_LOOKALIKES = str.maketrans({";": "\uff1b", "|": "\uff5c", "(": "\uff08", ")": "\uff09", ",": "\uff0c"})
