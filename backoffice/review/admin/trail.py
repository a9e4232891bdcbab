"""The audit trail: who did what?"""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from backoffice.review import cells
from backoffice.review.admin.base import ReadingAdmin
from backoffice.review.admin.filters import FilterForm, choice_field, day_field
from backoffice.review.admin.history import KINDS, FieldChange, in_words
from backoffice.trail.models import TrailEntry


class TrailFilters(FilterForm):
    person = forms.CharField(label=_("Person"), max_length=150, strip=True)
    about = choice_field(_("About"), _("Everything"), KINDS)
    object = forms.CharField(label=_("Which"), max_length=300, strip=True, help_text=_("A name or an id"))
    day = day_field(_("Day (UTC)"))


@admin.register(TrailEntry)
class TrailAdmin(ReadingAdmin):
    """Every change and event, the newest first."""

    store_path = "store_id"
    list_title = _("Audit trail")
    list_intro = _(
        "Who did what, when, from where and why. Nobody can change it. The newest come first; times are in UTC."
    )
    empty_text = _("Nothing has been noted yet.")
    list_display = ("at_utc", "who", "what_was_done", "what_changed", "why")
    list_display_links = None  # a row says all that there is
    list_per_page = 100
    filter_form = TrailFilters
    page_template = "console/trail_entry.html"

    def narrow(self, queryset: QuerySet[TrailEntry], chosen: Mapping[str, Any]) -> QuerySet[TrailEntry]:
        if chosen.get("person"):
            queryset = queryset.filter(person=chosen["person"])
        if chosen.get("about"):
            queryset = queryset.filter(about=chosen["about"])
        if which := chosen.get("object"):
            queryset = queryset.filter(object_id=which) | queryset.filter(object_name__icontains=which)
        if chosen.get("day"):
            begin = datetime.combine(chosen["day"], time(), tzinfo=UTC)
            queryset = queryset.filter(at__gte=begin, at__lt=begin + timedelta(days=1))
        return queryset

    def complete(self, rows: list[Any]) -> None:
        for row, line in zip(rows, in_words(rows), strict=True):
            row.line = line

    @admin.display(description=_("When"))
    def at_utc(self, row: TrailEntry) -> SafeString:
        return cells.utc_seconds(row.at)

    @admin.display(description=_("Who"))
    def who(self, row: Any) -> SafeString:
        return cells.lines(row.line.person, row.line.where)

    @admin.display(description=_("What"))
    def what_was_done(self, row: Any) -> SafeString:
        return cells.lines(row.line.deed, row.line.thing)

    @admin.display(description=_("What changed"))
    def what_changed(self, row: Any) -> SafeString:
        changes: list[FieldChange] = row.line.changes
        if not changes:
            return cells.NONE
        return format_html(
            '<span class="c-lines">{}</span>', format_html_join("", "{}", ((_change(one),) for one in changes))
        )

    @admin.display(description=_("Why"))
    def why(self, row: TrailEntry) -> str | SafeString:
        return row.reason or cells.NONE

    def page(self, row: Any) -> dict[str, Any]:
        """All of one entry."""
        (line,) = in_words([row], is_whole=True)
        return {"title": f"{line.deed}: {line.thing}", "line": line}


def _change(change: FieldChange) -> SafeString:
    if change.before and change.after:
        return format_html('<span class="c-sub">{}: <bdi>{}</bdi> → <bdi>{}</bdi></span>', *change)
    return format_html('<span class="c-sub">{}: <bdi>{}</bdi></span>', change.name, change.before or change.after)
