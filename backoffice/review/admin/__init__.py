"""The console's pages. Django finds them here; each module registers its own."""

from django.contrib import admin
from django.contrib.auth.models import Group

from backoffice.review.admin import batches, decisions, exports, fleet, held, ledger, orders, people, shifts, trail

__all__ = ["batches", "decisions", "exports", "fleet", "held", "ledger", "orders", "people", "shifts", "trail"]


admin.site.index_template = "console/dashboard.html"
admin.site.index_title = "Dashboard"
admin.site.unregister(Group)
