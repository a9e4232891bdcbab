"""The filters above a list: plain forms sent with GET. Their fields are the only parameters that a list accepts."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator

from backoffice.domain.scalars import FIRST_YEAR, LAST_YEAR
from backoffice.fleet.models import Store, Terminal
from backoffice.ledger.models import Account

# Any business day there can be: a store's may differ by one from the day at the till (protocol §2.5).
DAYS = (MinValueValidator(date(FIRST_YEAR - 1, 12, 31)), MaxValueValidator(date(LAST_YEAR + 1, 1, 1)))


class FilterForm(forms.Form):
    """No filters. A field that is empty or invalid is ignored."""

    use_required_attribute = False

    def __init__(self, data: Any) -> None:
        super().__init__(data, label_suffix="", auto_id="filter-%s")
        for field in self.fields.values():
            field.required = False

    @property
    def is_narrowed(self) -> bool:
        """Whether any filter is set."""
        return self.is_valid() and any(value for value in self.cleaned_data.values())


class DayInput(forms.DateInput):
    """A date with the browser's own calendar."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


def store_field() -> forms.ModelChoiceField[Store]:
    return forms.ModelChoiceField(Store.objects.all(), label="Store", empty_label="All stores")


def terminal_field() -> forms.ModelChoiceField[Terminal]:
    return forms.ModelChoiceField(
        Terminal.objects.select_related("store"), label="Terminal", empty_label="All terminals"
    )


def account_field() -> forms.ModelChoiceField[Account]:
    return forms.ModelChoiceField(Account.objects.all(), label="Account", empty_label="All accounts")


def choice_field(label: str, everything: str, choices: dict[str, str]) -> forms.ChoiceField:
    """A choice, with `everything` as the name of no choice."""
    return forms.ChoiceField(label=label, choices=[("", everything), *choices.items()])


def day_field(label: str = "Business day") -> forms.DateField:
    return forms.DateField(label=label, widget=DayInput(), validators=DAYS)


class ReportFilters(FilterForm):
    """Of which store and days a report is."""

    store = store_field()
    first = day_field("From")
    last = day_field("To")
