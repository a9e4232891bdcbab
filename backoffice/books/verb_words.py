"""What people call the things that can be decided, by verb."""

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from backoffice.languages.texts import Words

VERB_WORDS: Mapping[str, Words] = {
    "post": _("Post what was held"),
    "correct": _("Correct what was held"),
    "discard": _("Discard what was held"),
    "move": _("Move to another shift"),
    "void": _("Void an order"),
    "retender": _("Correct how it was paid"),
    "explain": _("Explain missing numbers"),
    "enter": _("Enter an order by hand"),
    "recount": _("Count a drawer again"),
    "end": _("End a shift"),
    "approve": _("Approve a shift"),
    "count-safe": _("Count the safe"),
    "bank": _("Bring cash to the bank"),
    "bank-received": _("Cash received by the bank"),
    "bank-change": _("Change from the bank"),
    "lock": _("Lock the books"),
    "unlock": _("Open locked books again"),
    "import-cache": _("Take in what a till could not send"),
}
