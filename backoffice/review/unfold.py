"""The look and the menu of the console: django-unfold's settings."""

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy


def _stylesheet(_request: HttpRequest) -> str:
    return static("console/console.css")


def _favicon(_request: HttpRequest) -> str:
    return static("console/favicon.svg")


def _item(title: str, icon: str, address: str, **more: Any) -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": reverse_lazy(f"admin:{address}"), **more}


def _at_accounts(request: HttpRequest) -> bool:
    # The trial balance is under the accounts' address, but has an item of its own.
    return "/ledger/account/" in request.path and "trial-balance" not in request.path


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The menu, in the order of the questions people ask; "Held orders" shows their number."""
    from backoffice.review.dashboard import held_badge  # noqa: PLC0415 - settings are read before models can be

    badge = held_badge() if request.user.is_authenticated else ""
    held = _item("Held orders", "front_hand", "sales_helditem_changelist", **({"badge": badge} if badge else {}))
    return [
        {"items": [_item("Dashboard", "dashboard", "index")]},
        {
            "title": "Is everything here?",
            "items": [
                _item("Terminals", "point_of_sale", "fleet_terminal_changelist"),
                _item("Uploads", "cloud_upload", "inbox_batch_changelist"),
            ],
        },
        {
            "title": "What was sold?",
            "items": [
                _item("Orders", "receipt_long", "sales_order_changelist"),
                _item("Shifts", "schedule", "sales_shift_changelist"),
            ],
        },
        {"title": "What is held?", "items": [held]},
        {
            "title": "The books",
            "items": [
                _item("Journal", "menu_book", "ledger_journalentry_changelist"),
                _item("Trial balance", "balance", "ledger_trial_balance"),
                _item("Accounts", "account_tree", "ledger_account_changelist", active=_at_accounts),
            ],
        },
        {"title": "Set up", "items": [_item("Stores", "storefront", "fleet_store_changelist")]},
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
