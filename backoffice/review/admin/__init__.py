"""The console's pages. Django finds them here; each module registers its own."""

from django.contrib import admin
from django.contrib.auth.models import Group, User

from backoffice.review.admin import batches, decisions, exports, fleet, held, ledger, orders, shifts

__all__ = ["batches", "decisions", "exports", "fleet", "held", "ledger", "orders", "shifts"]

admin.site.index_template = "console/dashboard.html"
admin.site.index_title = "Dashboard"
admin.site.unregister([User, Group])
