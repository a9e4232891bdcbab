"""The filters above a list: plain forms sent with GET. Their fields are the only parameters that a list accepts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext_lazy as _

from backoffice.domain.scalars import FIRST_YEAR, LAST_YEAR
from backoffice.fleet.models import Store, Terminal
from backoffice.languages.texts import Words
from backoffice.ledger.models import Account

# Any business day there can be: a store's may differ by one from the day at the till (protocol §2.5).
DAYS = (MinValueValidator(date(FIRST_YEAR - 1, 12, 31)), MaxValueValidator(date(LAST_YEAR + 1, 1, 1)))

BUSINESS_DAY = _("Business day")


class FilterForm(forms.Form):
    """No filters. A field that is empty or invalid is ignored."""

    use_required_attribute = False

    def __init__(self, data: Any) -> None:
        super().__init__(data, label_suffix="", auto_id="filter-%s")
        for field in self.fields.values():
            field.required = False

    @property
    def chosen(self) -> dict[str, Any]:
        """What each field was set to; nothing where something in the form is no choice."""
        return self.cleaned_data if self.is_valid() else {}

    @property
    def is_narrowed(self) -> bool:
        """Whether any filter is set."""
        return any(self.chosen.values())


class DayInput(forms.DateInput):
    """A date with the browser's own calendar."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


def store_field() -> forms.ModelChoiceField[Store]:
    return forms.ModelChoiceField(Store.objects.all(), label=_("Store"), empty_label=_("All stores"))


def terminal_field() -> forms.ModelChoiceField[Terminal]:
    return forms.ModelChoiceField(
        Terminal.objects.select_related("store"), label=_("Terminal"), empty_label=_("All terminals")
    )


def account_field() -> forms.ModelChoiceField[Account]:
    return forms.ModelChoiceField(Account.objects.all(), label=_("Account"), empty_label=_("All accounts"))


def choice_field(label: Words, everything: Words, choices: Mapping[str, Words]) -> forms.ChoiceField:
    """A choice, with `everything` as the name of no choice."""
    return forms.ChoiceField(label=label, choices=[("", everything), *choices.items()])


def day_field(label: Words = BUSINESS_DAY) -> forms.DateField:
    return forms.DateField(label=label, widget=DayInput(), validators=DAYS)


class ReportFilters(FilterForm):
    """Of which store and days a report is."""

    store = store_field()
    first = day_field(_("From"))
    last = day_field(_("To"))
