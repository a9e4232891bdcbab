"""An order typed from its paper receipt: who and when, what was sold, how it was paid; amounts are worked out and compared."""

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from django import forms
from django.db import connection
from django.utils.translation import gettext_lazy as _

from backoffice.books.held import as_sent
from backoffice.books.refusals import NotDecided
from backoffice.domain import json_values
from backoffice.domain.limits import MAX_CODE, MAX_NAME
from backoffice.domain.paper import PaperTax
from backoffice.domain.scalars import MAX_NUMBER
from backoffice.ingestion.figures import shift_figures
from backoffice.languages.formats import number_ranges
from backoffice.review.admin.deciding.amounts import amount_field, to_minor
from backoffice.review.admin.deciding.paper_prefill import read_loosely
from backoffice.review.admin.deciding.paper_rows import (
    OTHER,
    LineRows,
    PaperSettings,
    PaymentRows,
    other_tax,
    taxes_seen,
    typed_rows,
    with_more_rows,
)
from backoffice.review.admin.deciding.verb_forms import DecisionForm, day_of_books, methods_of, order_named
from backoffice.review.paper_sums import PaperSums, paper_sums
from backoffice.review.words import KINDS, TYPES
from backoffice.sales.models import Shift

# Submit buttons that only look: at the sums, or for more rows. For browsers that run no script.
LOOK, MORE = "look", "more"
# Where the rules say that something is wrong, by the first word of its place; a row's own below.
PLACES = {
    "refund_of": "gives_back",
    "opened_at": "time",
    "closed_at": "time",
    **{name: name for name in ("number", "kind", "type", "cashier", "rounding", "total", "tip")},
}
LINE_PLACES = {"amount": "unit_price", "taxes": "tax"}


class PaperForm(DecisionForm):
    """What stands on the receipt. What is worked out of it is shown while it is typed, and checked by the rules when sent."""

    body = "console/paper_fields.html"
    looks = True

    def __init__(self, data: Any, **how: Any) -> None:
        if data is not None and data.get(MORE):
            data = with_more_rows(data, data[MORE])
        super().__init__(data, **how)

    @property
    def shift(self) -> Shift:
        """The shift in which it was sold."""
        shift: Shift = self.row
        return shift

    def ask(self) -> None:
        shift = self.shift
        settings = PaperSettings(
            shift.currency, shift.prices_include_tax, methods_of(shift.store_id), taxes_seen(shift)
        )
        self.fields |= self._heads(shift) | self._feet(shift.currency)
        how: dict[str, Any] = {"data": self.data if self.is_bound else None, "form_kwargs": {"settings": settings}}
        self.lines, self.payments = LineRows(prefix="lines", **how), PaymentRows(prefix="payments", **how)
        if not self.is_bound:
            self.begin(settings)

    def begin(self, settings: PaperSettings) -> None:
        """Fills in what is known before anybody types."""

    def _heads(self, shift: Shift) -> dict[str, forms.Field]:
        """Which order it is, and when it was sold."""
        self.initial.setdefault("day", shift.business_date)
        self.initial.setdefault("cashier", shift.cashier)
        self.initial.setdefault("is_offline", True)
        kinds = list(KINDS.items())
        return {
            "number": forms.IntegerField(
                label=_("Number of the order"), min_value=1, max_value=MAX_NUMBER, widget=_integer()
            ),
            "is_offline": forms.BooleanField(label=_("An asterisk stands behind its number"), required=False),
            "day": day_of_books(_("Day")),
            "time": forms.TimeField(label=_("Time"), widget=forms.TimeInput({"type": "time"}, format="%H:%M")),
            "cashier": forms.CharField(label=_("Cashier"), required=False, max_length=MAX_NAME),
            "type": forms.ChoiceField(label=_("Type"), choices=[("", _("Not said")), *TYPES.items()], required=False),
            "kind": forms.ChoiceField(
                label=_("Kind"),
                choices=kinds,
                initial="sale",
                help_text=_("Of a refund, type quantities and payments with a minus."),
            ),
            "gives_back": forms.CharField(
                label=_("Gives back the order"),
                help_text=_(
                    "Of a refund: the number on the same till, or the identifier. Empty where it is not known."
                ),
                required=False,
                max_length=64,
            ),
        }

    def _feet(self, currency: str) -> dict[str, forms.Field]:
        """What stands below its lines, and a tax that no order of the store has yet."""
        return {
            "other_code": forms.CharField(label=_("Another tax code"), required=False, max_length=MAX_CODE),
            "other_rate": forms.DecimalField(
                label=_("Its rate in percent"),
                required=False,
                localize=True,
                min_value=0,
                max_value=100,
                decimal_places=4,
                widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
            ),
            "rounding": amount_field(currency, _("Rounding")),
            "total": amount_field(currency, _("Total on the receipt"), required=True),
            "tip": amount_field(currency, _("Tip")),
        }

    @property
    def typed_lines(self) -> list[Any]:
        return typed_rows(self.lines)

    @property
    def typed_payments(self) -> list[Any]:
        return typed_rows(self.payments)

    @property
    def parts(self) -> dict[str, list[Any]]:
        """The fields as they stand on the page."""
        heads = ["number", "is_offline", "day", "time", "cashier", "type", "kind", "gives_back"]
        return {
            "heads": [self[name] for name in heads if name in self.fields],
            "taxes": [self["other_code"], self["other_rate"]],
            "feet": [self["rounding"], self["total"], self["tip"]],
            "why": [self["reason"], self["note"]],
        }

    def is_valid(self) -> bool:
        """Whether all of it can be read, with every row."""
        return all([super().is_valid(), self.lines.is_valid(), self.payments.is_valid()])

    def clean_gives_back(self) -> str | None:
        return order_named(self.cleaned_data["gives_back"], terminal_id=self.shift.terminal_id)

    def clean(self) -> dict[str, Any]:
        said = super().clean() or self.cleaned_data
        is_named = any(form.cleaned_data.get("tax") == OTHER for form in self.typed_lines)
        if is_named and self.other is None:
            self.add_error("other_code", _("A line has another tax: name it, with its rate."))
        return said

    @property
    def other(self) -> PaperTax | None:
        """The tax that is in no order yet; None where it is not named wholly."""
        code, rate = (self.cleaned_data.get(name) for name in ("other_code", "other_rate"))
        return other_tax(code, rate) if code and rate is not None else None

    def amount_of(self, name: str) -> int:
        """An amount that was typed, in minor units; 0 where there is none that can be read."""
        typed: Decimal | None = self.cleaned_data.get(name)
        return 0 if typed is None else to_minor(typed, self.shift.currency)

    @property
    def order(self) -> dict[str, Any]:
        """The order as the wire has it, without an identifier, of a form that is valid."""
        said = self.cleaned_data
        at = datetime.combine(said["day"], said["time"], ZoneInfo(self.shift.store.timezone)).isoformat()
        return {
            "number": said["number"],
            "mode": "offline" if said["is_offline"] else "online",
            "kind": said["kind"],
            "status": "paid",
            "type": said["type"] or None,
            "opened_at": at,
            "closed_at": at,
            "cashier": said["cashier"],
            "refund_of": said["gives_back"],
            "lines": [form.line(self.other) for form in self.typed_lines],
            "rounding": self.amount_of("rounding"),
            "total": self.amount_of("total"),
            "tip": self.amount_of("tip"),
            "payments": [form.payment() for form in self.typed_payments],
        }

    @cached_property
    def sums(self) -> PaperSums:
        """What the rows come to as far as they can be read; where it adds up and lacks nothing, what it does to the books."""
        self.is_valid()
        typed = {**self.cleaned_data, "lines": [form.line(self.other) for form in self.typed_lines]}
        typed["payments"] = [form.payment() for form in self.typed_payments]
        typed |= {name: self.amount_of(name) for name in ("rounding", "tip")}
        typed["total"] = self.amount_of("total") if self.cleaned_data.get("total") is not None else None
        lacks = set(self.errors) - {"reason", "note"} or self.lines.total_error_count()
        whole = None if lacks or self.payments.total_error_count() else self.order | {"order_id": str(uuid4())}
        return paper_sums(self.shift, typed, whole=None if whole is None else json.dumps(whole).encode())

    def arguments(self) -> dict[str, Any]:
        return {"order": self.order}

    def refuse(self, refusal: NotDecided) -> None:
        """Says why nothing was decided, each reason at its field. The sums stay as they are typed."""
        _ = self.sums
        # Before any has an error: a row that has one counts as not typed.
        sent = {"lines": self.typed_lines, "payments": self.typed_payments}
        self.add_error(None, refusal.detail)
        for error in refusal.errors:
            form, name = self._at(error["pointer"], sent)
            form.add_error(name, self.words_of(error, with_place=name is None))

    def _at(self, pointer: str, sent: Mapping[str, list[Any]]) -> tuple[Any, str | None]:
        """The form and the field of a place in the order, whose rows are `sent`; no field for what is of none."""
        _root, first, *rest = [*pointer.split("/"), "", ""]
        if first not in sent or not rest[0].isdecimal():
            return self, PLACES.get(first)
        row, name = sent[first][int(rest[0])], LINE_PLACES.get(rest[1], rest[1])
        return row, name if name in row.fields else None


class CorrectFromPaperForm(PaperForm):
    """An order that arrived and cannot be read: what could be read of it is filled in."""

    @property
    def shift(self) -> Shift:
        shift: Shift = self.row.shift
        return shift

    def begin(self, settings: PaperSettings) -> None:
        sent = json_values.parse(as_sent(self.row).raw.decode())
        found = read_loosely(sent, settings, zone=self.shift.store.timezone)
        self.initial.update(found.heads)
        for rows, known in ((self.lines, found.lines), (self.payments, found.payments)):
            rows.initial = known
            rows.extra = max(rows.extra, len(known) + 1)


class EnterForm(PaperForm):
    """An order that never arrived."""

    def ask(self) -> None:
        super().ask()
        with connection.cursor() as cursor:
            missing = shift_figures(cursor, self.shift).missing_numbers
        if missing:
            self.initial.setdefault("number", missing[0][0])
            self.fields["number"].help_text = _("Missing: %(numbers)s.") % {"numbers": number_ranges(missing)}
        first = "time" if "number" in self.initial else "number"
        self.fields[first].widget.attrs["autofocus"] = True


def _integer() -> forms.TextInput:
    return forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"})
