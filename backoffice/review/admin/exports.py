"""Exports: what was handed to other programs, by whom, and how far a job is. Asked for here, written by a worker."""

from operator import attrgetter
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import prefetch_related_objects
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from backoffice.books.exports.downloads import TooLarge, kept_names, take_file
from backoffice.books.exports.jobs import ask_export
from backoffice.books.exports.models import ExportJob, ExportProfile
from backoffice.books.exports.planning import StoreDays, days_of
from backoffice.books.exports.refusals import NotExported
from backoffice.fleet.models import Store
from backoffice.remote import remote_address
from backoffice.review import cells
from backoffice.review.admin.base import ReadingAdmin
from backoffice.review.admin.filters import DAYS, DayInput
from backoffice.review.details import translated_detail
from backoffice.review.reach import own_choices
from backoffice.review.words import Label

JOB_STATES = {
    "waiting": Label(_("Waiting"), "blue"),
    "running": Label(_("Being written"), "blue"),
    "done": Label(_("Done"), "green"),
    "failed": Label(_("Failed"), "red"),
}
RIGHT = "exports.run_export"


class ExportForm(forms.Form):
    """Which profile is sent which days of which store."""

    profile = forms.ModelChoiceField(ExportProfile.objects.order_by("name"), label=_("Profile"), empty_label=None)
    store = forms.ModelChoiceField(Store.objects.all(), label=_("Store"), empty_label=None)
    first = forms.DateField(label=_("From"), widget=DayInput(), validators=DAYS)
    last = forms.DateField(label=_("To"), widget=DayInput(), validators=DAYS)

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, auto_id="export-%s", label_suffix="")


@admin.register(ExportJob)
class ExportJobAdmin(ReadingAdmin):
    """Every export, the newest first; who may run them asks for one above the list."""

    store_path = "store"
    list_title = _("Exports")
    list_intro = _("What was handed to other programs: each time only what they were not sent before.")
    empty_text = _("Nothing has been exported yet. A target is made with: manage.py export_profile")
    list_display = ("standing", "target", "where", "days", "who", "asked", "entries")
    live_part = "console/rows.html"
    live_page_part = "console/export_part.html"
    page_key = ("asked_at", "id")
    page_template = "console/export.html"
    change_list_template = "console/exports.html"

    def get_urls(self) -> list[URLPattern]:
        ask = path("ask/", self.admin_site.admin_view(self.ask_view), name="exports_exportjob_ask")
        file = path("<path:object_id>/file/", self.admin_site.admin_view(self.file_view), name="exports_exportjob_file")
        return [ask, file, *super().get_urls()]

    def complete(self, rows: list[Any]) -> None:
        prefetch_related_objects(rows, "store", "profile", "person", "run")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        form = (
            own_choices(request, ExportForm())
            if request.user.has_perm(RIGHT) and ExportProfile.objects.exists()
            else None
        )
        return super().changelist_view(request, {"ask_form": form, **(extra_context or {})})

    @admin.display(description=_("State"))
    def standing(self, row: ExportJob) -> SafeString:
        return cells.label(JOB_STATES[row.state])

    @admin.display(description=_("Profile"))
    def target(self, row: ExportJob) -> SafeString:
        return cells.lines(row.profile.name, row.profile.format)

    @admin.display(description=_("Store"))
    def where(self, row: ExportJob) -> SafeString:
        return cells.lines(row.store.name, row.store.code)

    @admin.display(description=_("Business days"))
    def days(self, row: ExportJob) -> SafeString:
        return cells.span_of_days(row.first_day, row.last_day)

    @admin.display(description=_("Who"))
    def who(self, row: ExportJob) -> str:
        return gettext("by command") if row.person is None else str(row.person)

    @admin.display(description=_("Asked"))
    def asked(self, row: ExportJob) -> SafeString:
        return cells.when(row.asked_at, row.store)

    @admin.display(description=_("Result"))
    def entries(self, row: ExportJob) -> str | SafeString:
        if row.run is None:
            return {"done": gettext("nothing new"), "failed": gettext("refused")}.get(row.state, cells.NONE)
        return gettext("run {number}").format(number=row.run.number)

    def page(self, row: Any) -> dict[str, Any]:
        """Its revisions with what they move, its files, and who took them along."""
        prefetch_related_objects([row], "store", "profile", "person", "run", "downloads__person")
        run = row.run
        days = [] if run is None else list(days_of(run))
        return {
            "title": gettext("Export to {profile}").format(profile=row.profile.name),
            "standing": JOB_STATES[row.state],
            "why_not": translated_detail(row.words),
            "entry_count": sum(revision.entry_count for revision, _ in days),
            "revisions": [(revision, sum(each.debit for each in sums)) for revision, sums in days],
            "files": kept_names(row),
            "downloads": sorted(row.downloads.all(), key=attrgetter("taken_at"), reverse=True),
        }

    def is_final(self, row: ExportJob) -> bool:
        """Once it is written or failed. Its page has forms then, and no two readings of a form are alike."""
        return row.state in {"done", "failed"}

    def show(self, request: HttpRequest, object_id: str, *, template: str, **extra: Any) -> HttpResponse:
        return super().show(request, object_id, template=template, may_run=request.user.has_perm(RIGHT), **extra)

    def ask_view(self, request: HttpRequest) -> HttpResponse:
        """Leaves a job for a worker. Takes POST only."""
        person = _allowed(request)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        form = own_choices(request, ExportForm(request.POST))
        if not form.is_valid():
            messages.error(
                request,
                "; ".join(
                    f"{form.fields[name].label}: {' '.join(map(str, words))}" for name, words in form.errors.items()
                ),
            )
            return HttpResponseRedirect(reverse("admin:exports_exportjob_changelist"))
        chosen = form.cleaned_data
        span = StoreDays(chosen["store"], chosen["first"], chosen["last"])
        try:
            job = ask_export(
                chosen["profile"], span, person=person, address=remote_address(request.META) or None, now=timezone.now()
            )
        except NotExported as refusal:
            messages.error(request, translated_detail(str(refusal)))
            return HttpResponseRedirect(reverse("admin:exports_exportjob_changelist"))
        return HttpResponseRedirect(cells.page_url(job))

    def file_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Hands out a file, and keeps who took it. Takes POST only."""
        person = _allowed(request)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        job = self.get_object(request, unquote(object_id))
        name = request.POST.get("name", "")
        if job is None or name not in {kept.name for kept in kept_names(job)}:
            raise Http404
        try:
            content = take_file(
                job, name, person=person, address=remote_address(request.META) or None, now=timezone.now()
            )
        except TooLarge as refusal:
            messages.error(request, translated_detail(str(refusal)))
            return HttpResponseRedirect(cells.page_url(job))
        answer = HttpResponse(content, content_type="application/octet-stream")
        answer["Content-Disposition"] = f'attachment; filename="{name.rpartition("/")[2]}"'
        return answer


def _allowed(request: HttpRequest) -> Any:
    """Who asks. Raises PermissionDenied without the right to run exports."""
    if not request.user.has_perm(RIGHT):
        raise PermissionDenied
    return request.user
