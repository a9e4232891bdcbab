"""The forms of decisions: one for each verb, and those that answer a request of somebody else."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.books.deciding import DecisionReport, Proposal, agree, decide, decline, withdraw
from backoffice.books.models import MAX_NOTE, Decision
from backoffice.books.refusals import NotDecided
from backoffice.books.verb_words import VERB_WORDS
from backoffice.domain.decisions import DecisionState, Verb
from backoffice.fleet.models import Store
from backoffice.remote import remote_address
from backoffice.review.admin.deciding.asking import ASKINGS, Asking, form_of, may_decide, subject_in_commands
from backoffice.review.admin.deciding.paper_form import LOOK, MORE
from backoffice.review.admin.deciding.queue import FILTERS, HeldQueue, filters_of
from backoffice.review.admin.deciding.verb_forms import DecisionForm
from backoffice.review.caches import file_url
from backoffice.review.cells import page_url
from backoffice.review.decision_words import typed_paper, verb_of
from backoffice.review.entrance.rule import ask_again
from backoffice.review.pages import console_page
from backoffice.review.scope import row_of
from backoffice.review.subjects import name_of_row, subjects_of
from backoffice.sales.models import HeldItem, Order, Shift

# A dialog asks for the form alone, and is told where to go on.
IN_DIALOG = "X-Dialog"
GO_ON = "X-Location"
# The script of a receipt asks for its sums alone.
PART = "X-Part"
# What an address may say of a form beforehand.
SAID_BEFORE = ("numbers", "number", "date")
# What the name of a row is made of.
RELATED = {HeldItem: ("store", "terminal", "shift"), Order: ("store", "terminal"), Shift: ("store", "terminal")}


def decide_view(request: HttpRequest, verb: str, key: str) -> HttpResponse:
    """The form of a verb about a row; sent, it decides. Raises Http404, and PermissionDenied without the right."""
    asking = next((asking for known, asking in ASKINGS.items() if known.value == verb), None)
    if asking is None:
        raise Http404
    if not may_decide(request.user, Verb(verb)):
        raise PermissionDenied
    row = row_of(request, asking.about, key, *RELATED.get(asking.about, ()))
    form = form_of(Verb(verb), row)(
        request.POST if request.method == "POST" else None,
        verb=Verb(verb),
        row=row,
        person=request.user,  # type: ignore[arg-type]
        initial={name: request.GET[name] for name in SAID_BEFORE if name in request.GET},
    )
    if form.looks and PART in request.headers:
        return TemplateResponse(request, "console/paper_sums.html", {"form": form})
    is_sent = request.method == "POST" and not (form.looks and {LOOK, MORE} & request.POST.keys())
    if is_sent and form.is_valid():
        try:
            report = decide(_proposal(request, Verb(verb), row, form), now=timezone.now())
        except NotDecided as refusal:
            form.refuse(refusal)
        else:
            tell(request, report, about=name_of_row(row))
            return go_on(request, _what_follows(request, row))
    return _form_page(request, asking, verb, row, form)


def _proposal(request: HttpRequest, verb: Verb, row: Any, form: DecisionForm) -> Proposal:
    return Proposal(
        verb=verb,
        subject=subject_in_commands(row),
        person=request.user,  # type: ignore[arg-type]
        reason=form.cleaned_data["reason"],
        note=form.cleaned_data["note"],
        arguments=form.arguments(),
        address=caller_address(request),
    )


def caller_address(request: HttpRequest) -> str | None:
    """Where a decision comes from, as a decision keeps it: one address, or none."""
    address = remote_address(request.META).partition("/")[0]
    return None if address == "unknown" else address


def _form_page(request: HttpRequest, asking: Asking, verb: str, row: Any, form: DecisionForm) -> HttpResponse:
    context = {
        "title": VERB_WORDS[verb],
        "about": name_of_row(row),
        "does": asking.does,
        "form": form,
        "button": asking.button,
        "queue": filters_of(request),
        "up_url": _what_follows(request, row) if isinstance(row, Store) else page_url(row),
        "up_title": name_of_row(row),
        "action": request.path,
        # A page of its own keeps what its row's page had taken.
        "claimed": row if form.looks and isinstance(row, HeldItem) else None,
    }
    return as_dialog_or_page(request, context)


def as_dialog_or_page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """The form alone where a dialog asks for it, else a page around it. 422 where it was sent and is not accepted."""
    template = "console/decide_form.html" if IN_DIALOG in request.headers else "console/decide.html"
    status = 422 if request.method == "POST" else 200
    return console_page(request, template, context, status=status)


def tell(request: HttpRequest, report: DecisionReport, *, about: str) -> None:
    """Says on the next page what became of a decision."""
    what = {"verb": VERB_WORDS[report.verb], "about": about}
    if report.state is DecisionState.WAITING:
        messages.warning(request, _("%(verb)s, %(about)s: it waits for a second person.") % what)
    else:
        messages.success(request, _("%(verb)s, %(about)s: done.") % what)


def go_on(request: HttpRequest, address: str) -> HttpResponse:
    """To the next page: a dialog cannot be redirected, and is told."""
    if IN_DIALOG in request.headers:
        return HttpResponse(status=204, headers={GO_ON: address})
    return HttpResponseRedirect(address)


def _what_follows(request: HttpRequest, row: Any) -> str:
    """Of what was held the next one, while there is one; else the page of what was decided about, of a store its days."""
    if isinstance(row, Store):
        return f"{reverse('admin:sales_store_days')}?{urlencode({'store': row.pk})}"
    if not isinstance(row, HeldItem):
        return page_url(row)
    queue = HeldQueue(request, filters_of(request))
    following = queue.after(row, now=timezone.now())
    if following is not None:
        return queue_url(following, queue.filters)
    messages.info(request, _("Nothing more is held here."))
    return reverse("admin:sales_helditem_changelist") + (f"?{queue.filters}" if queue.filters else "")


def queue_url(item: HeldItem, filters: str) -> str:
    """The page of a held order, as one of the queue from which it was opened."""
    return page_url(item) + (f"?{urlencode({FILTERS: filters})}" if filters else "")


class AnswerForm(forms.Form):
    """Why a request is agreed to, declined or withdrawn."""

    note = forms.CharField(
        label=gettext_lazy("Note"), required=False, max_length=MAX_NOTE, widget=forms.Textarea(attrs={"rows": 2})
    )
    use_required_attribute = False

    def __init__(self, data: Any, *, answer: str) -> None:
        super().__init__(data, label_suffix="", auto_id="answer-%s")
        if answer == "agree":
            del self.fields["note"]
        if answer == "decline":
            self.fields["note"].help_text = gettext_lazy("Whoever asked reads it.")


AGREE = "agree"
ANSWERS: dict[str, tuple[Callable[..., DecisionReport], Any, Any]] = {
    AGREE: (agree, gettext_lazy("Agree"), gettext_lazy("It takes effect at once, in your name and theirs.")),
    "decline": (decline, gettext_lazy("Decline"), gettext_lazy("Nothing changes. Say why, in a note.")),
    "withdraw": (withdraw, gettext_lazy("Withdraw"), gettext_lazy("Nothing changes. You can ask again.")),
}
ANSWERED = {
    DecisionState.DONE: gettext_lazy("%(verb)s: agreed, and done."),
    DecisionState.DECLINED: gettext_lazy("%(verb)s: declined."),
    DecisionState.WITHDRAWN: gettext_lazy("%(verb)s: withdrawn."),
}


def answer_view(request: HttpRequest, key: UUID, answer: str) -> HttpResponse:
    """The form by which a request is answered. Raises Http404, and PermissionDenied without the right to decide the verb."""
    if answer not in ANSWERS:
        raise Http404
    decision = row_of(request, Decision, key, "store", "person")
    if not may_decide(request.user, Verb(decision.verb)):
        raise PermissionDenied
    if answer == AGREE:
        ask_again(request)  # before anything is filled in
    act, button, does = ANSWERS[answer]
    form = AnswerForm(request.POST if request.method == "POST" else None, answer=answer)
    if request.method == "POST" and form.is_valid():
        said = {"note": form.cleaned_data["note"]} if "note" in form.fields else {}
        try:
            report = act(decision.pk, person=request.user, address=caller_address(request), now=timezone.now(), **said)
        except NotDecided as refusal:
            form.add_error(None, refusal.detail)
        else:
            messages.success(request, str(ANSWERED[report.state]) % {"verb": verb_of(decision)})
            return go_on(request, reverse("admin:books_decision_waiting"))
    context = {
        "title": f"{button}: {verb_of(decision)}",
        "about": subjects_of([decision])[decision.pk].text,
        "asked": decision,
        "paper": typed_paper(decision),
        "file_url": file_url(decision),
        "does": does,
        "form": form,
        "button": button,
        "action": request.path,
        "up_url": reverse("admin:books_decision_waiting"),
        "up_title": _("Waiting for a second person"),
    }
    return as_dialog_or_page(request, context)
