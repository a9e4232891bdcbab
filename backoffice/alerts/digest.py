"""The summary that store managers get every morning: how their stores stand, and what was wrong since the day before.

Auditors get the newest signed checkpoint of the books with it, as a file to keep (docs/evidence.md, "Keeping a checkpoint").
"""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.db import connection
from django.utils import translation
from django.utils.translation import gettext as _

from backoffice.alerts.mails import checkpoint_file, console_address, new_mail
from backoffice.alerts.models import Alert, AlertMail, AlertRecipient
from backoffice.alerts.words import SEVERITY_WORDS, alert_headline, measure, moment_in_words
from backoffice.domain.alerts import Severity
from backoffice.fleet.models import Store
from backoffice.languages.moments import written_moment
from backoffice.postgres.rows import named_rows, rows_as

SENT_AT = time(7, 0)
A_DAY = timedelta(days=1)
MOST_STORES, MOST_ALERTS = 50, 10

UNSETTLED = """
SELECT store_id, count(*) FILTER (WHERE state = 'open') AS open, count(*) FILTER (WHERE state = 'closing') AS closing,
    count(*) FILTER (WHERE state = 'discrepant') AS discrepant
FROM sales_shift WHERE state NOT IN ('reconciled', 'approved') AND store_id = ANY(%(stores)s) GROUP BY store_id
"""
HELD = """
SELECT store_id, count(*) AS held FROM sales_helditem
WHERE decision_id IS NULL AND store_id = ANY(%(stores)s) GROUP BY store_id
"""

# Seals are made in the books, which are beside the alerts: so the newest is read here by its name.
NEWEST_CHECKPOINT = "SELECT note, signed_at FROM evidence_checkpoint ORDER BY size DESC, id DESC LIMIT 1"


class Signed(NamedTuple):
    """A signed note of the books; empty before there is one."""

    note: str = ""
    signed_at: datetime | None = None


def make_digests(*, now: datetime) -> int:
    """Makes the summaries whose hour has come: one for each person and day, by the clock of their first store. How many."""
    made = 0
    for recipient in AlertRecipient.objects.filter(digest=True).select_related("person").prefetch_related("stores"):
        stores = _stores_of(recipient)
        if not stores:
            continue
        local = now.astimezone(ZoneInfo(stores[0].timezone))
        key = f"digest {recipient.person_id} {local:%Y-%m-%d}"
        if local.time() < SENT_AT or AlertMail.objects.filter(key=key).exists():
            continue
        with translation.override(recipient.language):
            subject = _("Your stores this morning, %(day)s") % {"day": f"{local:%d.%m.%Y}"}
            signed = _newest_checkpoint() if recipient.checkpoint else Signed()
            about = [_about_checkpoint(signed, now=now)] if recipient.checkpoint else []
            body = _body(stores, about, now=now)
        mail = new_mail(
            recipient.person, kind="digest", subject=subject, body=body, now=now, key=key, checkpoint=signed.note
        )
        made += mail is not None
    return made


def _stores_of(recipient: AlertRecipient) -> list[Store]:
    """Theirs, or all; one more than are listed, to say so."""
    return list(recipient.stores.all()) or list(Store.objects.all()[: MOST_STORES + 1])


def _newest_checkpoint() -> Signed:
    with connection.cursor() as cursor:
        cursor.execute(NEWEST_CHECKPOINT)
        return next(iter(rows_as(Signed, cursor)), Signed())


def _about_checkpoint(signed: Signed, *, now: datetime) -> str:
    """What is attached, and what to do with it; also where there is none, so that it is missed."""
    title = _("The books")
    if signed.signed_at is None:
        missing = _("There is no checkpoint to keep: nothing was signed yet. Ask whoever runs this service for it.")
        return f"{title}\n{missing}"
    file = checkpoint_file(now)
    lines = [
        title,
        _("Attached is %(file)s: the newest checkpoint of the books, signed on %(moment)s.")
        % {"file": file, "moment": written_moment(signed.signed_at, "UTC")},
        _("Keep the file where nobody who runs this service can reach it."),
        _("Later it shows whether what was in the books then was changed, removed or added to:"),
        f"manage.py verify_books --anchor {file}",
    ]
    return "\n".join(lines)


def _body(stores: Sequence[Store], about_books: Sequence[str], *, now: datetime) -> str:
    listed = stores[:MOST_STORES]
    counts = _counts([store.pk for store in listed])
    alerts = _alerts([store.pk for store in listed], now=now)
    parts = [_of_store(store, counts.get(store.pk, {}), alerts.get(store.pk, [])) for store in listed]
    if len(stores) > MOST_STORES:
        parts.append(_("There are more stores than a mail should list."))
    parts += [*about_books, console_address("admin:index")]
    return "\n\n".join(parts) + "\n"


def _counts(stores: Sequence[int]) -> dict[int, dict[str, int]]:
    found: dict[int, dict[str, int]] = {}
    with connection.cursor() as cursor:
        for statement in (UNSETTLED, HELD):
            cursor.execute(statement, {"stores": list(stores)})
            for row in named_rows(cursor):
                found.setdefault(row.pop("store_id"), {}).update(row)
    return found


def _alerts(stores: Sequence[int], *, now: datetime) -> dict[int, list[Alert]]:
    """What is open, and what was raised since a day ago, by store; the open and urgent ones first."""
    rows = Alert.objects.select_related("store").filter(store__in=stores)
    found: dict[int, list[Alert]] = {}
    for alert in [
        *rows.filter(resolved_at__isnull=True).order_by("-place", "-id"),
        *rows.filter(resolved_at__isnull=False, raised_at__gt=now - A_DAY).order_by("-id"),
    ]:
        found.setdefault(alert.store_id or 0, []).append(alert)
    return found


def _of_store(store: Store, counts: dict[str, int], alerts: Sequence[Alert]) -> str:
    phrases = [
        words % {"count": counts[name]}
        for name, words in (
            ("open", _("shifts still open: %(count)s")),
            ("closing", _("closed shifts that lack something: %(count)s")),
            ("discrepant", _("shifts that do not add up: %(count)s")),
            ("held", _("orders that wait for a decision: %(count)s")),
        )
        if counts.get(name)
    ]
    lines = [str(store), *(f"- {phrase}" for phrase in phrases)]
    lines += [f"- {_line(alert)}" for alert in alerts[:MOST_ALERTS]]
    if len(alerts) > MOST_ALERTS:
        lines.append("- " + _("and %(more)s more alerts") % {"more": len(alerts) - MOST_ALERTS})
    if len(lines) == 1:
        lines.append(_("Everything is here and adds up."))
    return "\n".join(lines)


def _line(alert: Alert) -> str:
    word = SEVERITY_WORDS[Severity(alert.severity)]
    if alert.resolved_at is not None:
        over = _("over since %(moment)s") % {"moment": moment_in_words(alert.resolved_at, alert)}
        return f"{alert_headline(alert)}, {over}"
    return f"{word}: {alert_headline(alert)} ({measure(alert)})"
