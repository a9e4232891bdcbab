"""The look and the menu of the console: django-unfold's settings."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from backoffice.languages.texts import Words


def _palette(_request: HttpRequest) -> str:
    return static("console/palette.css")


def _stylesheet(_request: HttpRequest) -> str:
    return static("console/console.css")


def _script(name: str) -> Callable[[HttpRequest], str]:
    """The address of a script of ours."""
    return lambda _request: static(f"console/{name}.js")


def _favicon(_request: HttpRequest) -> str:
    return static("console/favicon.svg")


def _item(title: Words, icon: str, address: str, *, kind: str = "", **more: Any) -> dict[str, Any]:
    """An item of the menu; `kind` is what one must be allowed to see for it."""
    return {"title": title, "icon": icon, "link": reverse_lazy(f"admin:{address}"), "kind": kind, **more}


def _at_accounts(request: HttpRequest) -> bool:
    # The trial balance is under the accounts' address, but has an item of its own, and leads to the days of an account.
    return "/ledger/account/" in request.path and not request.path.endswith(("/trial-balance/", "/days/"))


def _at_shifts(request: HttpRequest) -> bool:
    return "/sales/shift/" in request.path and "/shift/days/" not in request.path  # as above


def _at_decisions(request: HttpRequest) -> bool:
    return "/books/decision/" in request.path and not request.path.endswith("/waiting/")  # as above


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The menu, in the order of the questions people ask: what the user may see, "Held orders" with their number."""
    from backoffice.review.dashboard import held_badge  # noqa: PLC0415 - settings are read before models can be
    from backoffice.review.rights import may_see  # noqa: PLC0415

    may = may_see(request)
    groups = []
    for title, items in MENU:
        shown = [dict(item) for item in items if not item["kind"] or may[item["kind"]]]
        for item in shown:
            if item["kind"] == "helditem" and (badge := held_badge(request)):
                item["badge"] = badge
        if shown:
            groups.append({"title": title, "items": shown})
    return groups


MENU: list[tuple[Words, list[dict[str, Any]]]] = [
    ("", [_item(_("Dashboard"), "dashboard", "index")]),
    (
        _("Is everything here?"),
        [
            _item(_("Alerts"), "notifications", "alerts_alert_changelist", kind="alert"),
            _item(_("Terminals"), "point_of_sale", "fleet_terminal_changelist", kind="terminal"),
            _item(_("Uploads"), "cloud_upload", "inbox_batch_changelist", kind="batch"),
        ],
    ),
    (
        _("What was sold?"),
        [
            _item(_("Orders"), "receipt_long", "sales_order_changelist", kind="order"),
            _item(_("Shifts"), "schedule", "sales_shift_changelist", kind="shift", active=_at_shifts),
            _item(_("Store days"), "calendar_month", "sales_store_days", kind="shift"),
        ],
    ),
    (
        _("What is held?"),
        [
            _item(_("Held orders"), "front_hand", "sales_helditem_changelist", kind="helditem"),
            _item(_("Waiting for a second person"), "group", "books_decision_waiting", kind="decision"),
            _item(_("Decisions"), "gavel", "books_decision_changelist", kind="decision", active=_at_decisions),
        ],
    ),
    (
        _("The books"),
        [
            _item(_("Journal"), "menu_book", "ledger_journalentry_changelist", kind="journalentry"),
            _item(_("Trial balance"), "balance", "ledger_trial_balance", kind="journalentry"),
            _item(_("Accounts"), "account_tree", "ledger_account_changelist", kind="account", active=_at_accounts),
            _item(_("Exports"), "output", "exports_exportjob_changelist", kind="exportjob"),
        ],
    ),
    (
        _("Reports"),
        [
            _item(_("Sales summary"), "bar_chart", "report_sales", kind="order"),
            _item(_("Sales by weekday"), "calendar_view_week", "report_weekdays", kind="order"),
            _item(_("Tax"), "percent", "report_tax", kind="order"),
            _item(_("Over and short"), "difference", "report_over_short", kind="shift"),
            _item(_("Over and short by weekday"), "calendar_view_month", "report_over_short_weekdays", kind="shift"),
            _item(_("Refunds without receipt"), "assignment_return", "report_no_receipt", kind="order"),
            _item(_("Risk"), "flag", "report_risk", kind="order"),
            _item(_("Cash not banked"), "savings", "report_cash", kind="journalentry"),
            _item(_("Made offline"), "cloud_off", "report_offline", kind="order"),
        ],
    ),
    (
        _("Who did what?"),
        [
            _item(_("Audit trail"), "manage_search", "trail_trailentry_changelist", kind="trailentry"),
            _item(_("People"), "group", "auth_user_changelist", kind="user"),
        ],
    ),
    (
        _("Set up"),
        [
            _item(_("Stores"), "storefront", "fleet_store_changelist", kind="store"),
            _item(_("Alert rules"), "tune", "alerts_alertrule_changelist", kind="alertrule"),
            _item(_("Quiet hours"), "bedtime", "alerts_quiethours_changelist", kind="quiethours"),
            _item(_("Recipients of mails"), "mail", "alerts_alertrecipient_changelist", kind="alertrecipient"),
            _item(_("Webhooks"), "webhook", "alerts_webhookendpoint_changelist", kind="webhookendpoint"),
            _item(_("Webhook deliveries"), "outbox", "alerts_webhookdelivery_changelist", kind="webhookdelivery"),
        ],
    ),
]

LOGIN_REDIRECT_URL = reverse_lazy("admin:index")

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Back Office",
    "SITE_HEADER": "Back Office",
    "SITE_SUBHEADER": _("Head office console"),
    "SITE_URL": None,
    "SITE_SYMBOL": "point_of_sale",
    "SHOW_LANGUAGES": True,
    "LANGUAGES": {"action": reverse_lazy("admin:language")},
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _favicon}],
    "BORDER_RADIUS": "8px",
    "STYLES": [_palette, _stylesheet],
    "SCRIPTS": [_script("keys"), _script("dialogs"), _script("claims")],
    "DASHBOARD_CALLBACK": "backoffice.review.dashboard.add_dashboard",
    "ACCOUNT": {
        "navigation": [{"title": _("Your sign-in"), "link": reverse_lazy("mfa_index")}],
    },
    "SIDEBAR": {
        "show_search": True,
        "command_search": True,
        "show_all_applications": False,
        "navigation": navigation,
    },
}
