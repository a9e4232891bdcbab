"""The look and the menu of the console: django-unfold's settings."""

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy


def _stylesheet(_request: HttpRequest) -> str:
    return static("console/console.css")


def _favicon(_request: HttpRequest) -> str:
    return static("console/favicon.svg")


def _item(title: str, icon: str, address: str, *, kind: str = "", **more: Any) -> dict[str, Any]:
    """An item of the menu; `kind` is what one must be allowed to see for it."""
    return {"title": title, "icon": icon, "link": reverse_lazy(f"admin:{address}"), "kind": kind, **more}


def _at_accounts(request: HttpRequest) -> bool:
    # The trial balance is under the accounts' address, but has an item of its own, and leads to the days of an account.
    return "/ledger/account/" in request.path and not request.path.endswith(("/trial-balance/", "/days/"))


def _at_shifts(request: HttpRequest) -> bool:
    return "/sales/shift/" in request.path and "/shift/days/" not in request.path  # as above


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The menu, in the order of the questions people ask: what the user may see, "Held orders" with their number."""
    from backoffice.review.dashboard import held_badge  # noqa: PLC0415 - settings are read before models can be
    from backoffice.review.rights import may_see  # noqa: PLC0415

    may = may_see(request)
    groups = []
    for title, items in MENU:
        shown = [dict(item) for item in items if not item["kind"] or may[item["kind"]]]
        for item in shown:
            if item["kind"] == "helditem" and (badge := held_badge()):
                item["badge"] = badge
        if shown:
            groups.append({"title": title, "items": shown})
    return groups


MENU: list[tuple[str, list[dict[str, Any]]]] = [
    ("", [_item("Dashboard", "dashboard", "index")]),
    (
        "Is everything here?",
        [
            _item("Terminals", "point_of_sale", "fleet_terminal_changelist", kind="terminal"),
            _item("Uploads", "cloud_upload", "inbox_batch_changelist", kind="batch"),
        ],
    ),
    (
        "What was sold?",
        [
            _item("Orders", "receipt_long", "sales_order_changelist", kind="order"),
            _item("Shifts", "schedule", "sales_shift_changelist", kind="shift", active=_at_shifts),
            _item("Store days", "calendar_month", "sales_store_days", kind="shift"),
        ],
    ),
    (
        "What is held?",
        [
            _item("Held orders", "front_hand", "sales_helditem_changelist", kind="helditem"),
            _item("Decisions", "gavel", "books_decision_changelist", kind="decision"),
        ],
    ),
    (
        "The books",
        [
            _item("Journal", "menu_book", "ledger_journalentry_changelist", kind="journalentry"),
            _item("Trial balance", "balance", "ledger_trial_balance", kind="journalentry"),
            _item("Accounts", "account_tree", "ledger_account_changelist", kind="account", active=_at_accounts),
            _item("Exports", "output", "exports_exportjob_changelist", kind="exportjob"),
        ],
    ),
    (
        "Reports",
        [
            _item("Sales summary", "bar_chart", "report_sales", kind="order"),
            _item("Tax", "percent", "report_tax", kind="order"),
            _item("Over and short", "difference", "report_over_short", kind="shift"),
            _item("Refunds without receipt", "assignment_return", "report_no_receipt", kind="order"),
            _item("Risk", "flag", "report_risk", kind="order"),
            _item("Cash not banked", "savings", "report_cash", kind="journalentry"),
            _item("Made offline", "cloud_off", "report_offline", kind="order"),
        ],
    ),
    (
        "Who did what?",
        [
            _item("Audit trail", "manage_search", "trail_trailentry_changelist", kind="trailentry"),
            _item("People", "group", "auth_user_changelist", kind="user"),
        ],
    ),
    ("Set up", [_item("Stores", "storefront", "fleet_store_changelist", kind="store")]),
]

LOGIN_REDIRECT_URL = reverse_lazy("admin:index")

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Back Office",
    "SITE_HEADER": "Back Office",
    "SITE_SUBHEADER": "Head office console",
    "SITE_URL": None,
    "SITE_SYMBOL": "point_of_sale",
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _favicon}],
    "BORDER_RADIUS": "8px",
    "STYLES": [_stylesheet],
    "DASHBOARD_CALLBACK": "backoffice.review.dashboard.add_dashboard",
    "COLORS": {
        "primary": {
            "50": "oklch(97.3% .014 195)",
            "100": "oklch(94.2% .032 195)",
            "200": "oklch(89% .06 195)",
            "300": "oklch(81% .09 195)",
            "400": "oklch(72% .105 195)",
            "500": "oklch(60% .1 197)",
            "600": "oklch(49.5% .085 200)",
            "700": "oklch(43% .074 202)",
            "800": "oklch(37% .062 204)",
            "900": "oklch(31% .05 206)",
            "950": "oklch(22% .036 208)",
        },
    },
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": False,
        "navigation": navigation,
    },
}
