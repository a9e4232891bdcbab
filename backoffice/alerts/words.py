"""Alerts in words: what happened, since when, and what to do. In the language that is active."""

from datetime import datetime, timedelta

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from backoffice.alerts.models import Alert
from backoffice.domain.alerts import AlertKind, Severity
from backoffice.languages.formats import counted, duration, money, whole
from backoffice.languages.moments import written_moment

SEVERITY_WORDS = {Severity.WARNING: _("Warning"), Severity.CRITICAL: _("Critical")}
HEADLINES = {
    AlertKind.SILENT: _("%(till)s of %(store)s is silent"),
    AlertKind.CACHED: _("%(till)s of %(store)s keeps orders that it has not sent"),
    AlertKind.WAITING: _("An upload of %(till)s of %(store)s waits to be processed"),
    AlertKind.OPEN_LONG: _("The shift of %(till)s of %(store)s stays open"),
    AlertKind.GAP: _("A closed shift of %(till)s of %(store)s lacks orders"),
    AlertKind.OVER_SHORT: _("The drawer of %(till)s of %(store)s is over or short"),
}
HEADLINES_OF_MANY = {
    AlertKind.SILENT: _("%(count)s tills of %(store)s are silent"),
    AlertKind.CACHED: _("%(count)s tills of %(store)s keep orders that they have not sent"),
    AlertKind.WAITING: _("Uploads of %(count)s tills of %(store)s wait to be processed"),
    AlertKind.OPEN_LONG: _("%(count)s shifts of %(store)s stay open"),
    AlertKind.GAP: _("%(count)s closed shifts of %(store)s lack orders"),
    AlertKind.OVER_SHORT: _("%(count)s drawers of %(store)s are over or short"),
    AlertKind.UNSEALED: _("Entries wait for their seal"),
}
ADVICE = {
    AlertKind.SILENT: _(
        "Call the store: is the till on, and is its network up? It goes on selling, and sends everything once it is back."
    ),
    AlertKind.CACHED: _(
        "Nothing is lost while the till keeps its orders. See that its network stays up until it has sent them."
    ),
    AlertKind.WAITING: _(
        "Nothing is lost. Whoever runs this service should look: handbook, “At night”, “Orders wait”."
    ),
    AlertKind.OPEN_LONG: _(
        "Ask the store to close the shift at the till. Where the till is gone, end the shift in the console."
    ),
    AlertKind.GAP: _(
        "Switch the till on and let it send what is missing. What never was a sale can be explained on the shift's page."
    ),
    AlertKind.OVER_SHORT: _("Compare the count with the shift's report; count again, or approve it with a reason."),
    AlertKind.UNSEALED: _("Whoever runs this service should look: handbook, “At night”, “Seals are late”."),
}


def alert_headline(alert: Alert) -> str:
    """What happened, in one line: `Till 2 of Paris Bastille is silent`."""
    words = HEADLINES if alert.subject else HEADLINES_OF_MANY
    if alert.kind == AlertKind.WAITING and alert.store_id is None:
        return gettext("Uploads of many stores wait to be processed")
    store = alert.store.name if alert.store else ""
    till = str(alert.names[0]) if alert.names else ""
    return words[AlertKind(alert.kind)] % {"till": till, "store": store, "count": alert.members}


def measure(alert: Alert, value: int | None = None) -> str:
    """What was measured, with its unit: `25 min`, `310 orders`, `€12.00`."""
    number = alert.value if value is None else value
    return measured(AlertKind(alert.kind), number, currency=alert.store.currency if alert.store else None)


def measured(kind: AlertKind, number: int, *, currency: str | None) -> str:
    """A measure of a kind with its unit. Money of many currencies is in minor units."""
    if kind is AlertKind.CACHED:
        return counted(number, "order")
    if kind is AlertKind.OVER_SHORT:
        if currency is None:
            return gettext("%(number)s minor units") % {"number": whole(number)}
        return money(number, currency)
    if kind in {AlertKind.OPEN_LONG, AlertKind.GAP}:
        return duration(timedelta(hours=number))
    return duration(timedelta(minutes=number))


def moment_in_words(moment: datetime, alert: Alert) -> str:
    """A moment by the store's clock, which is named; that of the service as a whole in UTC."""
    return written_moment(moment, alert.store.timezone if alert.store else "UTC")


def advice(alert: Alert) -> str:
    """What to do."""
    return str(ADVICE[AlertKind(alert.kind)])
