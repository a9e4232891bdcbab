"""The console's pages. Django finds them here; each module registers its own."""

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.auth.models import Group
from django.utils.translation import gettext_lazy

from backoffice.review.admin import (
    alert_settings,
    alerts,
    batches,
    decisions,
    exports,
    fleet,
    held,
    ledger,
    orders,
    people,
    shifts,
    trail,
    webhooks,
)

__all__ = [
    "alert_settings",
    "alerts",
    "batches",
    "decisions",
    "exports",
    "fleet",
    "held",
    "ledger",
    "orders",
    "people",
    "shifts",
    "trail",
    "webhooks",
]


admin.site.index_template = "console/dashboard.html"
admin.site.index_title = gettext_lazy("Dashboard")
admin.site.unregister(Group)
# Their own pages would show secrets, and let anybody with the right add a factor to somebody else.
admin.site.unregister([Authenticator, EmailAddress, UserSession])
