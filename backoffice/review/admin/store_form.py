"""The forms of the fleet. Amounts of a store are typed as people write them, and stored in minor units."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from babel.numbers import get_currency_precision
from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminTextInputWidget

from backoffice.domain.rules import ORDER_TYPES
from backoffice.domain.scalars import MAX_MINOR
from backoffice.fleet.models import MAX_ROUNDING_STEP, Store, Terminal, check_printable
from backoffice.languages.texts import Words
from backoffice.trail.acting import MAX_REASON

# What a store has for good.
FIXED = ("code", "currency", "timezone")
STORE_FIELDSETS: tuple[tuple[Words | None, dict[str, Any]], ...] = (
    (None, {"fields": ("name", *FIXED, "prices_include_tax")}),
    (
        _("What is remarked on"),
        {
            "fields": (
                "max_order_total",
                "min_refund_total",
                "refund_days",
                "order_types",
                "rounding_step",
                "rounding_mode",
            ),
            "description": _(
                "Orders outside these limits are still posted, with a remark. An empty limit is not checked."
            ),
        },
    ),
    (
        _("What a drawer may differ by"),
        {
            "fields": ("max_over_short",),
            "description": _("What is over or short is always posted. Beyond this a person has to look at the shift."),
        },
    ),
    (_("What takes two people"), {"fields": ("second_person_above",)}),
    (_("How long books are kept"), {"fields": ("retention_years",)}),
    (_("What takes nobody"), {"fields": ("approves_by_itself", "flags_need_a_person")}),
)


class AmountSetting(NamedTuple):
    """An amount among the settings, and its bound in minor units: that of the model."""

    title: Words
    help_text: Words
    most: int


AMOUNTS = {
    "max_order_total": AmountSetting(_("Largest order"), _("A larger order gets a remark."), MAX_MINOR),
    "min_refund_total": AmountSetting(_("Smallest refund"), _("A smaller refund gets a remark."), MAX_MINOR),
    "rounding_step": AmountSetting(
        _("Cash rounding step"),
        _("Such as 0.05 in Switzerland. Rounding by more than the step explains gets a remark."),
        MAX_ROUNDING_STEP,
    ),
    "max_over_short": AmountSetting(
        _("Most over or short"),
        _(
            "Of shifts that close from now on: a drawer that is over or short by more makes its shift discrepant."
            " Empty: no amount does."
        ),
        MAX_MINOR,
    ),
    "second_person_above": AmountSetting(
        _("Second person above"),
        _("Decisions about more than this take two people. Empty: no amount does."),
        MAX_MINOR,
    ),
}


# Settings as people call them; where there is no more to say, the model's own words stand below.
WORDED: Mapping[str, tuple[Words, Words]] = {
    "rounding_mode": (
        _("How cash is rounded"),
        _(
            "To the nearest step, rounding is at most half of it; up or down, less than a whole one."
            " Empty: to the nearest."
        ),
    ),
    "approves_by_itself": (
        _("Shifts that add up need nobody's approval"),
        _("A drawer over or short by more than is tolerated still does; where nothing is, any amount."),
    ),
    "flags_need_a_person": (
        _("… unless an order of theirs has a remark"),
        _("Says something only with the one above."),
    ),
    "refund_days": (_("Days in which a refund is usual"), ""),
    "retention_years": (
        _("Years for which books are kept"),
        _("Years for which orders and journal are kept, from the end of their month."),
    ),
    "name": (_("Name"), ""),
    "prices_include_tax": (_("Prices include tax"), ""),
}


class ReasonedForm(forms.ModelForm):  # type: ignore[type-arg] # django-stubs' generic has no run-time counterpart
    """A form that asks why; the answer is for the audit trail."""

    why = forms.CharField(
        label=_("Why"),
        help_text=_("For the audit trail. May be empty."),
        required=False,
        max_length=MAX_REASON,
        validators=[check_printable],
        widget=UnfoldAdminTextInputWidget(),
    )


class StoreForm(ReasonedForm):
    """Shows amounts in the store's currency."""

    class Meta:
        model = Store
        fields = tuple(name for _title, options in STORE_FIELDSETS for name in options["fields"] if name not in FIXED)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "name" not in self.fields:
            return  # shown to somebody who may only look
        digits = get_currency_precision(self.instance.currency)
        for name, setting in AMOUNTS.items():
            minor = getattr(self.instance, name)
            self.fields[name] = forms.DecimalField(
                label=f"{setting.title} ({self.instance.currency})",
                help_text=setting.help_text,
                required=False,
                min_value=Decimal(0),
                max_value=Decimal(setting.most).scaleb(-digits),
                decimal_places=digits,
                widget=UnfoldAdminDecimalFieldWidget(),
            )
            self.initial[name] = None if minor is None else Decimal(minor).scaleb(-digits)
        self.fields["order_types"] = forms.CharField(
            label=_("Types of order"),
            help_text=gettext("Separated by commas. Other types get a remark. Empty: {types}.").format(
                types=", ".join(sorted(ORDER_TYPES))
            ),
            required=False,
            widget=UnfoldAdminTextInputWidget(),
        )
        self.initial["order_types"] = ", ".join(self.instance.order_types or ())
        for name, (label, help_text) in WORDED.items():
            self.fields[name].label = label
            self.fields[name].help_text = help_text or self.fields[name].help_text
        self.fields["retention_years"].required = False

    def clean_order_types(self) -> list[str] | None:
        """Each type once, in alphabetical order; None means the protocol's own types."""
        return sorted({name for word in self.cleaned_data["order_types"].split(",") if (name := word.strip())}) or None

    def clean_retention_years(self) -> int:
        """Empty, it stays as it was: books are kept for some time."""
        years: int | None = self.cleaned_data["retention_years"]
        return self.instance.retention_years if years is None else years

    def clean(self) -> dict[str, Any]:
        """Converts amounts to minor units."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        digits = get_currency_precision(self.instance.currency)
        for name in AMOUNTS:
            if cleaned.get(name) is not None:
                cleaned[name] = int(cleaned[name].scaleb(digits))
        return cleaned


class TerminalForm(ReasonedForm):
    """Another name for a terminal."""

    class Meta:
        model = Terminal
        fields = ("name",)

    def clean_name(self) -> str:
        """No other terminal of the store has it. The model's own check leaves this to a form that has the store too."""
        name: str = self.cleaned_data["name"]
        if Terminal.objects.filter(store=self.instance.store_id, name=name).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError(gettext("Another terminal of this store has this name."))
        return name
