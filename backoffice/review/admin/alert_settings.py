"""Of what people are told, when not, and who: the settings of alerts."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.db.models import Model, QuerySet, prefetch_related_objects
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelect2MultipleWidget

from backoffice.alerts.models import AlertRecipient, AlertRule, QuietHours
from backoffice.alerts.words import measured
from backoffice.domain.alerts import AlertKind
from backoffice.languages.texts import Words
from backoffice.review import cells
from backoffice.review.admin.base import ConsoleAdmin
from backoffice.review.admin.store_form import ReasonedForm
from backoffice.review.reach import OF_HEAD_OFFICE

THRESHOLD = _(
    "Silent, waiting, unsealed: minutes. Open shift, missing orders: hours. Kept orders: their number."
    " Over or short: the smallest unit of the store's currency (500 is 5.00 euros). Empty: never."
)

UNIT_WORDS: Mapping[AlertKind, Words] = {
    AlertKind.SILENT: _("minutes"),
    AlertKind.CACHED: _("number of orders"),
    AlertKind.WAITING: _("minutes"),
    AlertKind.OPEN_LONG: _("hours"),
    AlertKind.GAP: _("hours"),
    AlertKind.OVER_SHORT: _("500 is 5.00 euros"),
    AlertKind.UNSEALED: _("minutes"),
}


class AlertSettingAdmin(ConsoleAdmin):
    """A list of settings that are added, changed and removed by whoever has the right."""

    change_list_template = "console/settings_list.html"
    form = ReasonedForm
    add_words: Words = ""
    newest_first = False
    shown_fields: tuple[str, ...] = ()

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        may = self.has_add_permission(request) if obj is None else self.has_change_permission(request, obj)
        return [*self.shown_fields, *(["why"] if may else [])]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        more = {"add_words": self.add_words, "may_add": self.has_add_permission(request)}
        return super().changelist_view(request, more | (extra_context or {}))

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """What is added has no name yet: its page is called by what one does there."""
        answer: Any = super().render_change_form(request, context, *args, **kwargs)
        if kwargs.get("obj") is None:
            answer.context_data["title"] = self.add_words
        return answer

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return plain_choice(super().formfield_for_dbfield(db_field, request, **kwargs))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(self._right("add")))

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(request.user.has_perm(self._right("delete")))

    def _right(self, verb: str) -> str:
        return f"{self.opts.app_label}.{verb}_{self.opts.model_name}"


class AlertRuleForm(ReasonedForm):
    """Thresholds, with what they are measured in."""

    class Meta:
        model = AlertRule
        fields = ("kind", "store", "warning", "critical")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "store" in self.fields:
            self.fields["store"].empty_label = gettext("All stores that have no rule of their own")  # type: ignore[attr-defined]
            self.fields["critical"].help_text = THRESHOLD
        if "warning" in self.fields and self.instance.pk:
            unit = UNIT_WORDS[AlertKind(self.instance.kind)]
            for name in ("warning", "critical"):
                self.fields[name].label = f"{self.fields[name].label} ({unit})"

    def clean(self) -> dict[str, Any]:
        """Refuses a second rule of one kind and store, also where it is for all stores."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        same = AlertRule.objects.filter(kind=cleaned.get("kind"), store=cleaned.get("store"))
        if same.exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError(gettext("There is a rule for this already."))
        return cleaned


@admin.register(AlertRule)
class AlertRuleAdmin(AlertSettingAdmin):
    """Thresholds by kind and store."""

    store_path = "store"
    list_title = _("Alert rules")
    list_intro = _("From when on people are told. A rule of a store takes the place of the one for all stores.")
    empty_text = _("There is no rule: nobody is told of anything")
    add_words = _("Add a rule")
    list_display = ("about", "where", "warns", "is_critical")
    form = AlertRuleForm
    shown_fields = ("kind", "store", "warning", "critical")
    page_key = ("kind", "id")
    history_about = "alert rule"

    def complete(self, rows: list[Any]) -> None:
        prefetch_related_objects(rows, "store")

    @admin.display(description=_("About"))
    def about(self, row: AlertRule) -> str:
        return row.get_kind_display()

    @admin.display(description=_("Store"))
    def where(self, row: AlertRule) -> SafeString | str:
        return cells.lines(row.store.name, row.store.code) if row.store else gettext("All stores")

    @admin.display(description=_("Warning from"))
    def warns(self, row: AlertRule) -> SafeString | str:
        return _threshold(row, row.warning)

    @admin.display(description=_("Critical from"))
    def is_critical(self, row: AlertRule) -> SafeString | str:
        return _threshold(row, row.critical)


@admin.register(QuietHours)
class QuietHoursAdmin(AlertSettingAdmin):
    """When a store's people sleep."""

    store_path = "store"
    list_title = _("Quiet hours")
    list_intro = _("When nobody is mailed about a store, by its clock. What happens meanwhile is mailed afterwards.")
    empty_text = _("No store has quiet hours: mails go out at any time")
    add_words = _("Add quiet hours")
    list_display = ("where", "hours", "critical")
    shown_fields = ("store", "begins_at", "ends_at", "critical_anyway")
    page_key = ("store_id",)
    history_about = "quiet hours"

    def get_queryset(self, request: HttpRequest) -> QuerySet[QuietHours]:
        rows: QuerySet[QuietHours] = super().get_queryset(request)
        return rows.select_related("store")

    @admin.display(description=_("Store"))
    def where(self, row: QuietHours) -> str:
        return row.store.name

    @admin.display(description=_("Quiet"))
    def hours(self, row: QuietHours) -> str:
        return f"{row.begins_at:%H:%M}–{row.ends_at:%H:%M}"

    @admin.display(description=_("Critical alerts"))
    def critical(self, row: QuietHours) -> str:
        return gettext("are mailed all the same") if row.critical_anyway else gettext("wait as well")


class RecipientForm(ReasonedForm):
    """Who is mailed: only people with an address."""

    class Meta:
        model = AlertRecipient
        fields = ("person", "stores", "language", "least", "alerts", "digest", "checkpoint")
        widgets = {"stores": UnfoldAdminSelect2MultipleWidget}

    def clean_person(self) -> Any:
        person = self.cleaned_data["person"]
        if not person.email:
            raise forms.ValidationError(gettext("There is no mail address of this person."))
        return person


@admin.register(AlertRecipient)
class AlertRecipientAdmin(AlertSettingAdmin):
    """Who is mailed, of which stores, and how much."""

    store_path = OF_HEAD_OFFICE
    list_title = _("Recipients of mails")
    list_intro = _("Who is mailed about alerts: of which stores, how urgent, in which language.")
    empty_text = _("Nobody is mailed about alerts yet")
    add_words = _("Add a recipient")
    list_display = ("who", "which_stores", "how_urgent", "how_often", "tongue")
    form = RecipientForm
    shown_fields = ("person", "stores", "language", "least", "alerts", "digest", "checkpoint")
    history_about = "mail recipient"

    def complete(self, rows: list[Any]) -> None:
        prefetch_related_objects(rows, "person", "stores")

    @admin.display(description=_("Person"))
    def who(self, row: AlertRecipient) -> SafeString:
        return cells.lines(row.person, row.person.email)

    @admin.display(description=_("Stores"))
    def which_stores(self, row: AlertRecipient) -> str:
        return ", ".join(store.name for store in row.stores.all()) or gettext("All stores")

    @admin.display(description=_("From"))
    def how_urgent(self, row: AlertRecipient) -> str:
        return row.get_least_display()

    @admin.display(description=_("Mails"))
    def how_often(self, row: AlertRecipient) -> str | SafeString:
        wanted = (
            (gettext("alerts"), row.alerts),
            (gettext("every morning"), row.digest),
            (gettext("checkpoint of the books"), row.checkpoint),
        )
        names = [name for name, is_on in wanted if is_on]
        return ", ".join(names) or cells.NONE

    @admin.display(description=_("Language"))
    def tongue(self, row: AlertRecipient) -> str:
        return row.get_language_display()


def plain_choice(field: Any) -> Any:
    """A choice without Django's buttons to change what is chosen from."""
    if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
        field.widget = field.widget.widget
    return field


def _threshold(row: AlertRule, level: int | None) -> SafeString | str:
    if level is None:
        return cells.NONE
    return measured(AlertKind(row.kind), level, currency=row.store.currency if row.store else None)
