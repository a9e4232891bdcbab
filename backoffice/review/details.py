"""What is said about one reason in particular, in the reader's language.

The rules write it in English when they judge, with the figures in it, and so it is kept and sent to terminals. Here it is
recognised by its sentence. What is not recognised, such as what is wrong in an order that cannot be read, stays as it is:
it is for whoever builds the till.
"""

import re
from collections.abc import Iterator
from functools import cache

from django.utils.translation import get_language, gettext, gettext_noop

from backoffice.languages.offered import ENGLISH

DETAILS = (
    gettext_noop("A refund of {amount} would take money"),
    gettext_noop("It changes how another order was paid, and nothing else"),
    gettext_noop("The total is {total}, the lines come to {lines}"),
    gettext_noop("{due} with the tip, the payments come to {paid}"),
    gettext_noop("{amount} is more than {most}"),
    gettext_noop("No rule posts {kind}"),
    gettext_noop("Nobody knows what {kind} is computed from"),
    gettext_noop("No account is mapped to {method}"),
    gettext_noop("Below the shift's first number {number}"),
    gettext_noop("{name} is not known"),
    gettext_noop("A terminal that is offline knows no customers"),
    gettext_noop("Offline there is no network printer"),
    gettext_noop("Before the shift opened"),
    gettext_noop("After the shift closed"),
    gettext_noop("The device's clock is {seconds} s ahead of ours"),
    gettext_noop("The device's clock is {seconds} s behind ours"),
    gettext_noop("Received after the close, in a batch that the close does not list"),
    gettext_noop("Entered in the books on {day}"),
    gettext_noop("The amount is {amount}, quantity times price less discount is {expected}"),
    gettext_noop("{amount} before discount, quantity times price is {expected}"),
    gettext_noop("{tax} is not {rate} of {base}"),
    gettext_noop("{tendered} tendered less {change} change is not {amount}"),
    gettext_noop("The store's maximum is {amount}"),
    gettext_noop("The store's minimum is {amount}"),
    gettext_noop("Not less than the step of {step}"),
    gettext_noop("More than half of the step of {step}"),
    gettext_noop("Also on another order within 24 hours"),
    gettext_noop("{reason} is posted to suspense"),
    gettext_noop("Another shift of this terminal has this number"),
    gettext_noop("An order of this terminal has this number; go on behind `last_number`"),
    gettext_noop("The last close left {left}, the shift opened with {float}"),
    gettext_noop("{length} characters, of which {limit} are shown"),
    gettext_noop("{length} characters, of which the tables have the first {limit}"),
    gettext_noop("{length} characters, at most {limit}"),
    gettext_noop("{count} entries, at most {limit}"),
    gettext_noop("{count} bytes, at most {limit} are read"),
    gettext_noop("Less the taxes in it, it is beyond {limit} minor units"),
    gettext_noop("No such order is in the books"),
    gettext_noop("It is a refund itself"),
    gettext_noop("More than {days} days after the sale"),
    gettext_noop("{given} given back in all, {sold} were sold"),
    gettext_noop("{given} paid back in all, {paid} were paid"),
    gettext_noop("No order that it gives back was paid with it"),
    gettext_noop("Known under another shift, and stays there"),
    gettext_noop("Known with other content"),
    gettext_noop("Sent with other content in the same batch"),
    gettext_noop("Belongs to another terminal"),
    gettext_noop("Another order of this terminal has this number"),
    gettext_noop("From its paper receipt"),
    # What people handed in and was refused.
    gettext_noop("Another order of this terminal has the number {number}"),
    gettext_noop("It is {value}, and stays that"),
    gettext_noop("It is paid so, and no account is mapped"),
    gettext_noop("This very order is known"),
    gettext_noop("{amount} came in, it can be {most} at most"),
    gettext_noop("{amount} went back, it can be {most} at most"),
    gettext_noop("A card number stood here; all but its last four digits were masked before it was stored"),
    gettext_noop("Card data stood here, and was removed before the rest was stored"),
)
# Why a file of a till is not taken, and why nothing is exported: said by rules, or kept by a worker that has no reader.
REFUSALS = (
    gettext_noop("A cache file has at most {most} bytes."),
    gettext_noop("Its first line is cut off, or is none of a cache file."),
    gettext_noop("Its signature is wrong: it was changed or cut off after it was saved. Copy it again."),
    gettext_noop("Its first line names no terminal."),
    gettext_noop("It is a cache file of a version that is not known here: {version}."),
    gettext_noop("It is no cache file of a terminal."),
    gettext_noop("Its first line is damaged."),
    gettext_noop("What it holds cannot be read: {error}."),
    gettext_noop("It names one terminal outside, and another inside."),
    gettext_noop("What it holds is not gzip."),
    gettext_noop("It unpacks to more than {most} bytes."),
    gettext_noop("What it holds is cut off, or other bytes follow it."),
    gettext_noop("There is no terminal {terminal} here."),
    gettext_noop("It is signed with a key that its terminal never had."),
    gettext_noop("Its terminal belongs to another store."),
    gettext_noop("Its terminal worked with the books of {books}."),
    gettext_noop("{length} bytes; at most {most} are taken."),
    gettext_noop("{person} may not export the books of this store."),
    gettext_noop("{first} is after {last}: an export goes from an earlier day to a later one."),
    gettext_noop("An export covers ten years at most."),
    gettext_noop("An FEC is in {currency}, and this store's books are in {other}."),
    gettext_noop("The map has no code for what has moved: {named}. Nothing was written."),
    gettext_noop("{code} is no account code of Xero: they have {most} characters at most."),
    gettext_noop("{reference} has {count} lines, and Xero takes {most} at once: map more of them to one code."),
    gettext_noop("{code} is no account of Beancount, such as Assets:Cash:Paris."),
    gettext_noop("{code} is no account of hledger, such as assets:cash:paris."),
    gettext_noop("{code} is no account of an FEC: its number begins with three digits."),
    gettext_noop("{profile} is being exported for {store} just now. Try again once that has ended."),
    gettext_noop(
        "Run {number} of {profile} would not be what it was when it was first written: the books, or"
        " this program, have changed. Nothing was written; `manage.py verify_books` says which."
    ),
    gettext_noop("Given up after {tries} tries: its worker died each time."),
    gettext_noop("Its files cannot be written: {error}."),
    gettext_noop("This file is too large for a browser. On the server: {command}"),
)
_PLACEHOLDER = re.compile(r"\\\{(\w+)\\\}")


def translated_detail(detail: str) -> str:
    """A detail in the reader's language, its figures as they stand in it; as it is where nobody translated it."""
    if get_language() == ENGLISH:
        return detail
    for text, found in recognised(detail):
        return gettext(text).format(**found)
    return detail


def recognised(detail: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The sentences that a detail or a refusal may be, each with what stands at its places."""
    for text, pattern in _patterns():
        if match := pattern.fullmatch(detail):
            yield text, match.groupdict()


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    # Those with more words of their own come first: `{name} is not known` is the end of many sentences.
    longest = sorted(DETAILS + REFUSALS, key=lambda text: -len(re.sub(r"\{\w+\}", "", text)))
    return tuple((text, re.compile(_PLACEHOLDER.sub(r"(?P<\1>.+)", re.escape(text)), re.DOTALL)) for text in longest)
