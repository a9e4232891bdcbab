"""A terminal's standing in sentences with numbers: what it has not told us, and what it last said of itself."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.fleet.models import Heartbeat, Terminal
from backoffice.languages.formats import duration, money, number_ranges
from backoffice.languages.moments import written_day
from backoffice.review.standings import Gap, SyncStanding
from backoffice.review.sync import Signs, SyncState

RANGES_SAID = 20
# The protocol's own bound: orders of such a clock are flagged.
CLOCK_IS_WRONG = timedelta(minutes=10)


class Reader(NamedTuple):
    """For whom it is written: the store's zone and currency, the moment, and whether they may see what was sold."""

    zone: str
    currency: str
    now: datetime
    sees_money: bool


def reader_of(terminal: Terminal, may: Mapping[str, bool], *, now: datetime) -> Reader:
    """Who reads of a terminal: someone who may see kinds of rows, by the names of their models."""
    return Reader(terminal.store.timezone, terminal.store.currency, now, sees_money=may["order"])


def sync_sentences(standing: SyncStanding, reader: Reader, *, in_brief: bool = False) -> list[str]:
    """Why a terminal is in its state, the most urgent first. What can be counted has its number.

    In brief, what stands beside them is left out where something else is said: its cache and its open shift.
    """
    signs = standing.signs
    urgent = [
        *_silence(standing, reader),
        *(sentence for gap in standing.gaps for sentence in gap_sentences(gap, reader)),
        *_closes_beyond(standing),
        *_for_a_person(signs),
        *_on_the_way(signs, reader),
    ]
    if urgent and in_brief:
        return urgent
    said = [*urgent, *_at_the_till(standing, reader), *_still_open(standing, reader)]
    if said:
        return said
    if standing.state is SyncState.NEW:
        return [_("Not activated yet: issue a code and type it into the till.")]
    return [_("Everything that it sold is here and settled.")]


def _silence(standing: SyncStanding, reader: Reader) -> list[str]:
    since = standing.signs.silent_since
    if since is None:
        return []
    span = duration(reader.now - since)
    if standing.open_shifts:
        return [
            _("Not heard from for %(span)s, with shift %(number)s open.")
            % {"span": span, "number": standing.open_shifts[0].number}
        ]
    return [_("Not heard from for %(span)s, with something still to send.") % {"span": span}]


def gap_sentences(gap: Gap, reader: Reader) -> list[str]:
    """What one closed shift lacks: `3 orders missing: 1021–1023, declared at the close of 18:02.`"""
    said = []
    close = _close_of(gap, reader)
    if gap.missing:
        numbers = number_ranges(gap.missing, limit=RANGES_SAID)
        facts = {"count": f"{gap.how_many:,}", "numbers": numbers, "close": close}
        if gap.is_more:
            said.append(_("At least %(count)s orders missing: %(numbers)s, declared at %(close)s.") % facts)
        else:
            text = ngettext(
                "%(count)s order missing: %(numbers)s, declared at %(close)s.",
                "%(count)s orders missing: %(numbers)s, declared at %(close)s.",
                gap.how_many,
            )
            said.append(text % facts)
    if gap.lacks_upload:
        said.append(
            _("An upload that was declared at %(close)s has not arrived or is not read yet.") % {"close": close}
        )
    return said


def _close_of(gap: Gap, reader: Reader) -> str:
    """`the close of 18:02`; with its day where that is not today, and with its shift where nobody closed it."""
    if gap.closed_at is None:
        return _("the end of shift %(number)s") % {"number": gap.number}
    return _("the close of %(when)s") % {"when": clock(gap.closed_at, reader)}


def clock(moment: datetime, reader: Reader) -> str:
    """`18:02` in the store's zone, or `27 Nov 2026, 18:02` where that is another day there."""
    zone = ZoneInfo(reader.zone)
    local = moment.astimezone(zone)
    if local.date() == reader.now.astimezone(zone).date():
        return f"{local:%H:%M}"
    return f"{written_day(local.date())}, {local:%H:%M}"


def _closes_beyond(standing: SyncStanding) -> list[str]:
    """Closed shifts that are not said: they lack what is no number, or there are too many to read."""
    count = standing.signs.closing - sum(1 for gap in standing.gaps if gap.missing or gap.lacks_upload)
    if count < 1:
        return []
    text = ngettext(
        "%(count)s closed shift with something missing.", "%(count)s closed shifts with something missing.", count
    )
    return [text % {"count": f"{count:,}"}]


def _for_a_person(signs: Signs) -> list[str]:
    counted = (
        (
            signs.failed,
            ngettext(
                "%(count)s upload could not be processed.", "%(count)s uploads could not be processed.", signs.failed
            ),
        ),
        (
            signs.conflicts,
            ngettext(
                "%(count)s order sent twice with different content.",
                "%(count)s orders sent twice with different content.",
                signs.conflicts,
            ),
        ),
        (signs.held, ngettext("%(count)s order held.", "%(count)s orders held.", signs.held)),
        (
            signs.discrepant,
            ngettext("%(count)s shift does not add up.", "%(count)s shifts do not add up.", signs.discrepant),
        ),
    )
    return [text % {"count": f"{count:,}"} for count, text in counted if count]


def _on_the_way(signs: Signs, reader: Reader) -> list[str]:
    if not signs.waiting:
        return []
    text = ngettext("%(count)s upload waiting", "%(count)s uploads waiting", signs.waiting) % {
        "count": f"{signs.waiting:,}"
    }
    if signs.oldest is None:
        return [f"{text}."]
    return [_("%(uploads)s, for %(span)s.") % {"uploads": text, "span": duration(reader.now - signs.oldest)}]


def _at_the_till(standing: SyncStanding, reader: Reader) -> list[str]:
    beat = standing.heartbeat
    if not standing.signs.cached or beat is None:
        return []
    text = ngettext(
        "%(orders)s still at the till, as it said at %(when)s.",
        "%(orders)s still at the till, as it said at %(when)s.",
        standing.signs.cached,
    )
    return [text % {"orders": cached_in_words(beat, reader), "when": clock(beat.received_at, reader)}]


def _still_open(standing: SyncStanding, reader: Reader) -> list[str]:
    text = _("Shift %(number)s has been open for %(span)s.")
    return [
        text % {"number": shift.number, "span": duration(reader.now - shift.opened_at)}
        for shift in standing.open_shifts[:1]
    ]


def cached_in_words(beat: Heartbeat, reader: Reader) -> str:
    """`14 orders, €123.40`: what a terminal had in its cache; the amount for who may see what was sold."""
    text = ngettext("%(count)s order", "%(count)s orders", beat.cached_orders) % {"count": f"{beat.cached_orders:,}"}
    return f"{text}, {money(beat.cached_total, reader.currency)}" if reader.sees_money else text


def reported_words(beat: Heartbeat, reader: Reader) -> list[str]:
    """What a terminal last said of itself, the unusual first."""
    said = []
    if beat.offline_mode:
        since = beat.offline_since or beat.received_at
        said.append(_("Offline mode since %(when)s") % {"when": clock(since, reader)})
    if beat.cached_orders:
        said.append(_("%(orders)s in its cache") % {"orders": cached_in_words(beat, reader)})
        if beat.oldest_cached_at is not None:
            said.append(_("the oldest of %(when)s") % {"when": clock(beat.oldest_cached_at, reader)})
    else:
        said.append(_("Nothing in its cache"))
    if clock_is_wrong(beat):
        said.append(clock_in_words(beat))
    return said


def clock_is_wrong(beat: Heartbeat) -> bool:
    """Whether its clock is so far off that its orders are flagged."""
    return abs(timedelta(milliseconds=beat.clock_skew_ms)) > CLOCK_IS_WRONG


def clock_in_words(beat: Heartbeat) -> str:
    """`Clock 12 min fast`."""
    skew = timedelta(milliseconds=beat.clock_skew_ms)
    if abs(skew) < timedelta(seconds=1):
        return _("Clock right to the second")
    facts = {"span": duration(skew)}
    return _("Clock %(span)s fast") % facts if skew > timedelta(0) else _("Clock %(span)s slow") % facts
