"""The filters above a list: plain forms, sent with GET, whose fields are the only parameters a list understands."""

from __future__ import annotations

from typing import Any

from django import forms

from backoffice.fleet.models import Store, Terminal


class FilterForm(forms.Form):
    """No filters. What is left empty, or makes no sense, narrows nothing."""

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
    """The browser's own calendar."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


def store_field() -> forms.ModelChoiceField[Store]:
    """Which store."""
    return forms.ModelChoiceField(Store.objects.all(), label="Store", empty_label="All stores")


def terminal_field() -> forms.ModelChoiceField[Terminal]:
    """Which terminal."""
    return forms.ModelChoiceField(
        Terminal.objects.select_related("store"), label="Terminal", empty_label="All terminals"
    )


def choice_field(label: str, everything: str, choices: dict[str, str]) -> forms.ChoiceField:
    """One of a few."""
    return forms.ChoiceField(label=label, choices=[("", everything), *choices.items()])


def day_field(label: str = "Business day") -> forms.DateField:
    """A day."""
    return forms.DateField(label=label, widget=DayInput())
