"""What the columns of a list are called in a file, where a cell says several things: a shop and a till, a sum and its currency.

A column that is not named here is one column of the file; what its cell says on several lines is joined there.
"""

from collections.abc import Mapping, Sequence

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from backoffice.languages.texts import Words

Titles = Mapping[str, Sequence[Words]]
"""The titles of the parts of each column, by its name in `list_display`."""


def in_currency(title: Words) -> tuple[Words, Words]:
    """An amount is a number that a program can add up, and beside it what it is an amount of."""
    return title, format_lazy("{}, {}", title, _("currency"))


WHERE = (_("Store"), _("Terminal"))
SHIFT_OF = (_("Store"), _("Terminal and shift"))
STORE = (_("Store"), _("Code"))
TITLES: Mapping[str, Titles] = {
    "terminal": {"terminal": (_("Terminal"), _("Store"))},
    "batch": {"where": SHIFT_OF},
    "order": {"order": (_("Order"), _("Online or offline")), "where": SHIFT_OF, "amount": in_currency(_("Total"))},
    "helditem": {
        "order": (_("Order"), _("Online or offline")),
        "where": SHIFT_OF,
        "amount": in_currency(_("At stake")),
    },
    "shift": {
        "number_and_day": (_("Shift"), _("Business day")),
        "where": WHERE,
        "opened": (_("Opened"), _("Closed")),
        "orders": (_("Orders"), _("Declared"), _("Held")),
        "sold": in_currency(_("Sales less refunds")),
        "difference": (*in_currency(_("Over or short")), _("Differences")),
    },
    "decision": {"where": STORE, "stake": in_currency(_("At stake"))},
    "journalentry": {"where": WHERE, "amount": in_currency(_("Amount"))},
    "exportjob": {"where": STORE, "days": (_("From"), _("To"))},
    "alert": {"where": STORE},
}


def titles_of(kind: str, column: str, title: Words) -> Sequence[Words]:
    """What the columns of a file are called that one column of a list becomes; `kind` is the name of its model."""
    return TITLES.get(kind, {}).get(column, (title,))
