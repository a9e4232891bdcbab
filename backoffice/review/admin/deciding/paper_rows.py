"""The rows of a receipt as they are typed: what was sold, and how it was paid."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from django import forms
from django.utils.translation import gettext_lazy as _

from backoffice.domain.limits import MAX_CODE, MAX_NAME, MAX_PAYMENTS, MAX_TAXES
from backoffice.domain.money import gross_amount
from backoffice.domain.paper import PaperTax, tax_amounts
from backoffice.domain.scalars import MAX_MINOR, Quantity, Rate, UnitPrice
from backoffice.languages.formats import percent
from backoffice.review.admin.deciding.amounts import amount_field, plain, price_field, to_minor, to_price
from backoffice.review.words import LINE_KINDS, METHODS, named
from backoffice.sales.models import Order, OrderLine, Shift

# A form has a bound on its fields; what is longer is entered by the command.
MOST_LINES = 100
ROWS_AT_FIRST = 3
ROWS_MORE = 5
OTHER = "other"
# Where a store's taxes are looked up: they are in what it sold.
SHIFTS_READ, ORDERS_READ = 6, 200
RATE_PLACES = 4


class PaperSettings(NamedTuple):
    """What a receipt of a shift may name. `taxes` are those that were on a line together, by the value of their choice."""

    currency: str
    prices_include_tax: bool
    methods: Sequence[str]
    taxes: Mapping[str, tuple[PaperTax, ...]]


def taxes_seen(shift: Shift) -> dict[str, tuple[PaperTax, ...]]:
    """The taxes on lines of the store's latest orders, and of this shift. Three statements, over a few hundred rows."""
    # By the index of a store's business dates.
    of_store = Shift.objects.filter(store=shift.store_id).order_by("-business_date", "-opened_at")
    shifts = of_store.values_list("pk", "business_date")
    days = dict([*shifts[:SHIFTS_READ], (shift.pk, shift.business_date)])
    orders = Order.objects.filter(shift_id__in=days, business_date__in=set(days.values())).order_by("-id")
    ids = list(orders.values_list("id", flat=True)[:ORDERS_READ])
    lines = OrderLine.objects.filter(order_id__in=ids, business_date__in=set(days.values())).order_by()
    found = {}
    for taxes in lines.values_list("taxes", flat=True).distinct():
        if key := key_of_taxes(taxes):
            found[key] = read_taxes(key)
    return dict(sorted(found.items()))


def key_of_taxes(taxes: Sequence[Mapping[str, Any]]) -> str:
    """Codes, rates and kinds as one text; empty of what cannot be worked out from a receipt, and of no tax."""
    if len(taxes) > MAX_TAXES:
        return ""
    known = [(tax["code"], Rate(str(tax["rate"])), tax.get("kind", "percent")) for tax in taxes]
    usual = all(kind in {"percent", "compound"} and 0 <= rate <= 1 for _, rate, kind in known)
    return json.dumps([(code, plain(rate), kind) for code, rate, kind in known]) if known and usual else ""


def read_taxes(key: str) -> tuple[PaperTax, ...]:
    return tuple(PaperTax(code, Rate(rate), kind) for code, rate, kind in json.loads(key))


def tax_words(taxes: Sequence[PaperTax]) -> str:
    """`FR-5.5 (5.5 %)`."""
    return " + ".join(f"{tax.code} ({percent(tax.rate, places=RATE_PLACES)})" for tax in taxes)


class PaperRowForm(forms.Form):
    """One row; it is left out where nothing is typed in it."""

    use_required_attribute = False

    def __init__(self, data: Any = None, files: Any = None, *, settings: PaperSettings, **how: Any) -> None:
        super().__init__(data, files, label_suffix="", **how)
        self.settings = settings
        self.ask()

    def ask(self) -> None:
        """Adds the fields that depend on the shift."""

    @property
    def is_typed(self) -> bool:
        """Whether it is a row that can be read, and is not left empty."""
        return self.is_bound and self.has_changed() and not self.errors


class LineForm(PaperRowForm):
    """What was sold: its amount and its taxes follow."""

    name = forms.CharField(label=_("Name"), max_length=MAX_NAME)
    quantity = forms.DecimalField(
        label=_("Quantity"),
        initial=Decimal(1),
        localize=True,
        decimal_places=Quantity.decimals,
        max_value=MAX_MINOR,
        min_value=-MAX_MINOR,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    kind = forms.ChoiceField(label=_("Kind"), choices=list(LINE_KINDS.items()), initial="item")

    def ask(self) -> None:
        currency, taxes = self.settings.currency, self.settings.taxes
        self.fields["unit_price"] = price_field(currency, _("Price of one"))
        self.fields["discount"] = amount_field(currency, _("Discount"))
        known = [(key, tax_words(each)) for key, each in taxes.items()]
        self.fields["tax"] = forms.ChoiceField(
            label=_("Tax code"), choices=[("", _("No tax")), *known, (OTHER, _("Another, named above"))], required=False
        )
        if len(known) == 1:
            self.initial.setdefault("tax", known[0][0])
        self.order_fields(["name", "quantity", "unit_price", "discount", "tax", "kind"])

    def line(self, other: PaperTax | None) -> dict[str, Any]:
        """The line as the wire has it. `other` is the tax that the receipt names besides those that are known."""
        said, currency = self.cleaned_data, self.settings.currency
        quantity, price = plain(said["quantity"]), to_price(said["unit_price"], currency)
        discount = to_minor(said["discount"], currency) if said["discount"] is not None else 0
        gross = gross_amount(quantity=Quantity(quantity), unit_price=UnitPrice(str(price)))
        taxes = self._taxes(other)
        amounts = tax_amounts(gross - discount, taxes, prices_include_tax=self.settings.prices_include_tax)
        return {
            "kind": said["kind"],
            "name": said["name"],
            "quantity": quantity,
            "unit_price": price,
            "discount": discount,
            "amount": gross - discount,
            "taxes": [_tax(tax, amount) for tax, amount in zip(taxes, amounts, strict=True)],
        }

    def _taxes(self, other: PaperTax | None) -> tuple[PaperTax, ...]:
        chosen = self.cleaned_data["tax"]
        if chosen == OTHER:
            return () if other is None else (other,)
        return self.settings.taxes.get(chosen, ())


def _tax(tax: PaperTax, amount: int) -> dict[str, Any]:
    named_tax = {"code": tax.code, "rate": str(tax.rate), "amount": amount}
    return named_tax if tax.kind == "percent" else {**named_tax, "kind": tax.kind}


class PaymentForm(PaperRowForm):
    """How it was paid."""

    def ask(self) -> None:
        methods = [(method, named(METHODS, method)) for method in self.settings.methods]
        self.fields["method"] = forms.ChoiceField(label=_("Method"), choices=methods)
        if methods:
            self.initial.setdefault("method", methods[0][0])
        self.fields["amount"] = amount_field(self.settings.currency, _("Amount"), required=True)
        self.fields["reference"] = forms.CharField(
            label=_("Reference"), required=False, max_length=MAX_CODE, widget=forms.TextInput({"autocomplete": "off"})
        )

    def payment(self) -> dict[str, Any]:
        """The payment as the wire has it."""
        said = self.cleaned_data
        amount = to_minor(said["amount"], self.settings.currency)
        return {"method": said["method"], "amount": amount, "reference": said["reference"]}


def typed_rows(rows: Any) -> list[Any]:
    """The rows that can be read and are not left empty, in their order."""
    return [form for form in rows.forms if form.is_typed]


class PaperRows(forms.BaseFormSet):  # type: ignore[type-arg]  # it takes no argument when it runs
    """The rows of one kind. None must stay: what is shown to begin with may be emptied."""

    def initial_form_count(self) -> int:
        return 0


LineRows = forms.formset_factory(
    LineForm,
    formset=PaperRows,
    extra=ROWS_AT_FIRST,
    min_num=1,
    validate_min=True,
    max_num=MOST_LINES,
    validate_max=True,
    absolute_max=MOST_LINES + 1,
)
PaymentRows = forms.formset_factory(
    PaymentForm, formset=PaperRows, extra=2, max_num=MAX_PAYMENTS, validate_max=True, absolute_max=MAX_PAYMENTS + 1
)


def with_more_rows(data: Any, prefix: str) -> Any:
    """What was sent, with a few more empty rows of one kind: for a browser that runs no script."""
    data = data.copy()
    name = f"{prefix}-TOTAL_FORMS"
    if str(data.get(name, "")).isdecimal():
        data[name] = min(int(data[name][:4]), MOST_LINES) + ROWS_MORE
    return data


def other_tax(code: str, rate_percent: Decimal) -> PaperTax:
    """A tax that is in no order yet, with its rate in percent."""
    return PaperTax(code, Rate(plain(rate_percent / 100)))
