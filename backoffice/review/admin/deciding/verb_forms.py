"""What each verb asks: a reason and a note, and what else it needs. Amounts are typed as people write them."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django import forms
from django.contrib.auth.models import User
from django.db import connection
from django.utils.translation import gettext_lazy as _

from backoffice.books.deposits import OpenDeposit, open_deposits
from backoffice.books.held import as_sent
from backoffice.books.models import MAX_NOTE, ReasonCode
from backoffice.books.orders import payments_of
from backoffice.books.people import reach_of
from backoffice.books.reasons import reasons_open_to
from backoffice.books.refusals import NotDecided
from backoffice.domain import json_values
from backoffice.domain.decisions import Verb
from backoffice.domain.limits import MAX_CODE
from backoffice.ingestion.figures import shift_figures
from backoffice.languages.formats import money, number_ranges, sendable, some_of
from backoffice.languages.moments import written_day
from backoffice.ledger.models import PaymentAccount
from backoffice.review.admin.deciding.amounts import amount_field, to_major, to_minor
from backoffice.review.admin.deciding.correcting import correction_of, field_of, initial_of, typed_values
from backoffice.review.conflicts import find_first_version
from backoffice.review.order_lookup import MAX_NUMBER
from backoffice.review.words import METHODS, named, remark
from backoffice.sales.models import Identity, Shift

SHIFTS_OFFERED = 100
DEPOSITS_TOLD = 5
MOST_DIGITS = 16


class DecisionForm(forms.Form):
    """Why it is decided. A verb that asks more adds fields in `ask`, and says them in `arguments`."""

    reason = forms.ChoiceField(label=_("Reason"), widget=forms.RadioSelect)
    note = forms.CharField(
        label=_("Note"), required=False, max_length=MAX_NOTE, widget=forms.Textarea(attrs={"rows": 2})
    )
    use_required_attribute = False
    # The template of its fields; and whether what is typed is worked out while it is, on a page of its own.
    body = "console/fields.html"
    looks = False

    def __init__(
        self, data: Any, *, verb: Verb, row: Any, person: User, initial: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(data, initial=dict(initial or {}), label_suffix="", auto_id="decide-%s")
        self.row, self.person = row, person
        reasons = reasons_open_to(person, verb)
        self.fields["reason"].choices = [(reason.code, _asks_of(reason)) for reason in reasons]  # type: ignore[attr-defined]
        if len(reasons) == 1:
            self.initial.setdefault("reason", reasons[0].code)
        self.ask()
        own = [name for name in self.fields if name not in {"reason", "note"}]
        self.order_fields([*own, "reason", "note"])

    def ask(self) -> None:
        """Adds the verb's own fields."""

    def arguments(self) -> dict[str, Any]:
        """What the verb is told, of a form that is valid."""
        return {}

    def refuse(self, refusal: NotDecided) -> None:
        """Says why nothing was decided, in the words of the books."""
        self.add_error(None, refusal.detail)
        for error in refusal.errors:
            self.add_error(None, self.words_of(error))

    def words_of(self, error: Mapping[str, str], *, with_place: bool = True) -> str:
        """One reason of a refusal as a sentence, with the line or payment that it is about."""
        said = remark(error, getattr(self.row, "currency", None) or self.row.shift.currency)
        where = f"{said.place.capitalize()}: " if said.place and with_place else ""
        return f"{where}{said.sentence.rstrip('.')}. {said.detail}".strip()


def _asks_of(reason: ReasonCode) -> str:
    """A reason with what it asks for: `Another reason (with a note, by two people)`."""
    asks = [
        str(words)
        for words, is_asked in (
            (_("with a note"), reason.needs_note),
            (_("by two people"), reason.needs_second_person),
        )
        if is_asked
    ]
    return f"{reason.title} ({', '.join(asks)})" if asks else reason.title


def day_of_books(label: Any) -> forms.DateField:
    return forms.DateField(label=label, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))


def order_named(typed: str, *, terminal_id: int) -> str | None:
    """The identifier of the order that somebody names by its number on a till, or by its identifier. Raises ValidationError."""
    text = typed.strip().rstrip("*")
    if not text:
        return None
    if text.isdecimal() and len(text) <= MOST_DIGITS and int(text) <= MAX_NUMBER:
        same = Identity.objects.filter(terminal_id=terminal_id, number=int(text)).first()
        if same is None:
            raise forms.ValidationError(_("This till has no order of this number."))
        return str(same.item_id)
    try:
        return str(UUID(text))
    except ValueError:
        raise forms.ValidationError(_("This is neither a number nor an identifier.")) from None


class DiscardForm(DecisionForm):
    """What it is a duplicate of, if it is one."""

    def ask(self) -> None:
        self.fields["duplicate_of"] = forms.CharField(
            label=_("Duplicate of the order"),
            help_text=_("Its number on the same till, or its identifier. Empty where it never was a sale."),
            required=False,
            max_length=64,
        )
        first = None if self.is_bound else find_first_version(self.row, reach_of(self.person))
        if first is not None and first.order is not None:
            self.initial.setdefault("duplicate_of", str(first.order.order_id))

    def clean_duplicate_of(self) -> str | None:
        """The identifier of the order that is named."""
        return order_named(self.cleaned_data["duplicate_of"], terminal_id=self.row.terminal_id)

    def arguments(self) -> dict[str, Any]:
        named_order = self.cleaned_data["duplicate_of"]
        return {} if named_order is None else {"duplicate_of": named_order}


class CorrectForm(DecisionForm):
    """What was sent, field by field. What cannot be read as an order is typed as JSON, all of it."""

    def ask(self) -> None:
        currency = self.row.shift.currency
        self.sent = json_values.parse(as_sent(self.row).raw.decode())
        self.leaves = typed_values(self.sent)
        for name, leaf in self.leaves.items():
            self.fields[name] = field_of(leaf, currency)
            self.initial[name] = initial_of(leaf, currency)
        if not self.leaves:
            self.fields["whole"] = forms.JSONField(
                label=_("The corrected version, as JSON"),
                widget=forms.Textarea(attrs={"rows": 12, "spellcheck": "false"}),
            )

    def arguments(self) -> dict[str, Any]:
        said = self.cleaned_data
        return {self.row.what: correction_of(self.sent, self.leaves, said, self.row.shift.currency)}


class MoveForm(DecisionForm):
    """To which shift it belongs: one of the store's newest."""

    def ask(self) -> None:
        shifts = Shift.objects.filter(store=self.row.store_id).exclude(pk=self.row.shift_id).select_related("terminal")
        self.fields["to"] = forms.ChoiceField(
            label=_("Shift"),
            choices=[
                (
                    str(each.pk),
                    _("Shift %(number)s of %(terminal)s, %(day)s")
                    % {
                        "number": each.number,
                        "terminal": each.terminal.name,
                        "day": written_day(each.business_date),
                    },
                )
                for each in shifts.order_by("-business_date", "-opened_at")[:SHIFTS_OFFERED]
            ],
        )

    def arguments(self) -> dict[str, Any]:
        return {"to": self.cleaned_data["to"]}


class AmountsForm(DecisionForm):
    """An amount by payment method. `amounts` are those that were typed, in minor units."""

    @property
    def currency(self) -> str:
        return str(self.row.currency)

    def ask_amounts(self, methods: list[str], *, shown: Mapping[str, int]) -> None:
        """A field for each method, with the amount that it has now where that is to be changed."""
        self._methods = dict(enumerate(methods))
        for place, method in self._methods.items():
            self.fields[f"amount_{place}"] = amount_field(self.currency, named(METHODS, method))
            if method in shown:
                self.initial[f"amount_{place}"] = to_major(shown[method], self.currency)

    @property
    def amounts(self) -> dict[str, int]:
        typed = {method: self.cleaned_data[f"amount_{place}"] for place, method in self._methods.items()}
        return {method: to_minor(amount, self.currency) for method, amount in typed.items() if amount is not None}


class RetenderForm(AmountsForm):
    """How an order should have been paid: all of it."""

    def ask(self) -> None:
        paid = payments_of(self.row).by_method
        self.ask_amounts(methods_of(self.row.store_id, besides=paid), shown=paid)

    def arguments(self) -> dict[str, Any]:
        return {"payments": {method: amount for method, amount in self.amounts.items() if amount}}


class RecountForm(AmountsForm):
    """What was counted, method by method; what stays empty was not counted."""

    def ask(self) -> None:
        self.ask_amounts(["cash", *(each for each in methods_of(self.row.store_id) if each != "cash")], shown={})

    def arguments(self) -> dict[str, Any]:
        return {"counts": self.amounts}


def methods_of(store_id: int, *, besides: Mapping[str, int] | None = None) -> list[str]:
    """The methods that have an account in the store, the protocol's own first, and those by which it is paid."""
    mapped = PaymentAccount.objects.filter(store=store_id).values_list("method", flat=True)
    methods = {*mapped, *(besides or {})}
    return [method for method in METHODS if method in methods] + sorted(methods - METHODS.keys())


class ExplainForm(DecisionForm):
    """Which of the missing numbers never were a sale."""

    def ask(self) -> None:
        with connection.cursor() as cursor:
            missing = shift_figures(cursor, self.row).missing_numbers
        told = (
            _("Missing: %(numbers)s.") % {"numbers": number_ranges(missing)} if missing else _("No number is missing.")
        )
        self.fields["numbers"] = forms.CharField(label=_("Numbers"), help_text=told, max_length=40)
        if missing:
            first, last = missing[0]
            self.initial.setdefault("numbers", str(first) if first == last else f"{first}-{last}")

    def clean_numbers(self) -> str:
        """With the dash that people see turned into the one that they type."""
        return "".join(self.cleaned_data["numbers"].replace("–", "-").split())

    def arguments(self) -> dict[str, Any]:
        return {"numbers": self.cleaned_data["numbers"]}


class CountSafeForm(DecisionForm):
    """What is in the safe."""

    def ask(self) -> None:
        self.fields["amount"] = amount_field(self.row.currency, _("In the safe"), required=True)

    def arguments(self) -> dict[str, Any]:
        return {"amount": to_minor(self.cleaned_data["amount"], self.row.currency)}


class BankForm(CountSafeForm):
    """What goes to the bank, under which number, and when."""

    def ask(self) -> None:
        self.fields["amount"] = amount_field(self.row.currency, _("Amount"), required=True)
        self.fields["slip"] = forms.CharField(label=_("Number of the slip"), max_length=64)
        self.fields["date"] = day_of_books(_("Brought to the bank on"))

    def arguments(self) -> dict[str, Any]:
        said = self.cleaned_data
        return {**super().arguments(), "slip": said["slip"], "date": said["date"].isoformat()}


class ReceivedForm(BankForm):
    """What the bank has of what is on its way, by which slip, and since when. Of one deposit it is all there already."""

    def ask(self) -> None:
        super().ask()
        self.fields["date"] = day_of_books(_("Received by the bank on"))
        currency = self.row.currency
        found = [each for each in open_deposits([self.row.pk]) if each.currency == currency]
        told = some_of([_deposit_in_words(each) for each in found], limit=DEPOSITS_TOLD)
        self.fields["slip"].help_text = (
            _("On its way: %(deposits)s.") % {"deposits": told} if told else _("No deposit is on its way.")
        )
        if len(found) == 1:
            self.initial.setdefault("slip", found[0].slip)
            self.initial.setdefault("amount", to_major(found[0].on_its_way, currency))


def _deposit_in_words(deposit: OpenDeposit) -> str:
    """Such as `4711 of 2 Mar 2026 (€300.00)`."""
    return _("%(slip)s of %(day)s (%(amount)s)") % {
        "slip": sendable(deposit.slip, limit=MAX_CODE),
        "day": written_day(deposit.day),
        "amount": money(deposit.on_its_way, deposit.currency),
    }


class ChangeForm(BankForm):
    """How much change came from the bank, and when."""

    def ask(self) -> None:
        super().ask()
        self.fields["slip"].required = False
        self.fields["slip"].help_text = _("If there is one. It tells two of the same amount on one day apart.")
        self.fields["date"] = day_of_books(_("Came from the bank on"))


class LockForm(DecisionForm):
    """The last locked day."""

    label: Any = _("Locked through")

    def ask(self) -> None:
        self.fields["date"] = day_of_books(self.label)

    def arguments(self) -> dict[str, Any]:
        return {"date": self.cleaned_data["date"].isoformat()}


class UnlockForm(LockForm):
    """The first open day."""

    label = _("Open again from")
