"""The dashboard's first answer, in one sentence: has everything arrived, and does anything wait for a person?"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.fleet.models import Terminal
from backoffice.languages.formats import some_of
from backoffice.review.sync import NOTHING_UNSETTLED, Signs, SyncState, sync_state

TILLS_NAMED = 3


def headline(terminals: Sequence[Terminal], signs: Mapping[int, Signs], stores: Mapping[int, str]) -> dict[str, Any]:
    """Whether everything has arrived, and whether anything waits for a person: `answer` in one sentence, `is_complete`,
    `is_settled`, `because` in short phrases, and `who` is meant: the first tills. `stores` are names by id.
    """
    activated = [terminal for terminal in terminals if terminal.activated_at is not None]
    found = [signs.get(one.pk, NOTHING_UNSETTLED) for one in activated]
    meant = [one for one, has in zip(activated, found, strict=True) if _is_meant(has)]
    behind = sum(1 for one in found if not one.is_complete)
    waiting = sum(1 for one in found if one.undecided or one.discrepant)
    return {
        "answer": _answer(len(activated), behind, waiting),
        "is_complete": bool(activated) and not behind,
        "is_settled": bool(activated) and not behind and not waiting,
        "because": _because(found),
        "who": _who(meant, stores),
    }


def _who(terminals: Sequence[Terminal], stores: Mapping[int, str]) -> str:
    """The first of them with their store; a store that is that of all is named once."""
    if len({one.store_id for one in terminals}) == 1:
        return f"{some_of([one.name for one in terminals], limit=TILLS_NAMED)}, {stores[terminals[0].store_id]}"
    return some_of([f"{one.name} ({stores[one.store_id]})" for one in terminals], limit=TILLS_NAMED)


def _is_meant(signs: Signs) -> bool:
    return bool(not signs.is_complete or signs.undecided or signs.discrepant)


def _answer(count: int, behind: int, waiting: int) -> str:
    if not count:
        return _("No terminal is activated yet")
    if count == 1:
        return _answer_of_one(is_behind=bool(behind), needs_attention=bool(waiting))
    facts = {"count": f"{count:,}", "behind": f"{behind:,}", "waiting": f"{waiting:,}"}
    if not behind:
        told = _("All %(count)s terminals have told us everything") % facts
        needs = ngettext("but %(waiting)s needs attention", "but %(waiting)s need attention", waiting)
    else:
        told = ngettext(
            "%(behind)s of %(count)s terminals has not told us everything",
            "%(behind)s of %(count)s terminals have not told us everything",
            behind,
        )
        told = told % facts
        needs = ngettext("and %(waiting)s needs attention", "and %(waiting)s need attention", waiting)
    return f"{told}, {needs % facts}" if waiting else told


def _answer_of_one(*, is_behind: bool, needs_attention: bool) -> str:
    if is_behind:
        if needs_attention:
            return _("The only terminal has not told us everything, and needs attention")
        return _("The only terminal has not told us everything")
    if needs_attention:
        return _("The only terminal has told us everything, but needs attention")
    return _("The only terminal has told us everything")


def _because(found: Sequence[Signs]) -> list[str]:
    def count(has: Callable[[Signs], object]) -> int:
        return sum(1 for signs in found if has(signs))

    silent = count(lambda signs: signs.silent_since)
    opened = count(lambda signs: signs.open)
    closing = count(lambda signs: signs.closing)
    waiting = count(lambda signs: signs.waiting)
    failed = count(lambda signs: signs.failed)
    held = count(lambda signs: signs.undecided)
    discrepant = count(lambda signs: signs.discrepant)
    phrases = (
        (silent, ngettext("%(count)s is silent", "%(count)s are silent", silent)),
        (opened, ngettext("%(count)s has a shift open", "%(count)s have a shift open", opened)),
        (closing, ngettext("%(count)s closed with orders missing", "%(count)s closed with orders missing", closing)),
        (waiting, ngettext("%(count)s has uploads waiting here", "%(count)s have uploads waiting here", waiting)),
        (
            failed,
            ngettext(
                "%(count)s sent what could not be processed", "%(count)s sent what could not be processed", failed
            ),
        ),
        (held, ngettext("%(count)s has orders held", "%(count)s have orders held", held)),
        (
            discrepant,
            ngettext(
                "%(count)s has a shift that does not add up", "%(count)s have shifts that do not add up", discrepant
            ),
        ),
    )
    return [text % {"count": f"{number:,}"} for number, text in phrases if number]


def count_states(terminals: Sequence[Terminal], signs: Mapping[int, Signs]) -> list[tuple[SyncState, int]]:
    """How many terminals are in each state; "not activated" only if there are any."""
    counts = Counter(sync_state(one, signs.get(one.pk, NOTHING_UNSETTLED)) for one in terminals)
    return [(state, counts[state]) for state in SyncState if counts[state] or state is not SyncState.NEW]
