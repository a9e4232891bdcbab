"""One reason for many: what is held for the same reason is decided in one go, each on its own, under one request."""

from typing import Any, NamedTuple
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.books.claims import standing_claims
from backoffice.books.deciding import DecisionReport, Proposal, decide_each
from backoffice.books.held import name_of
from backoffice.books.models import MAX_NOTE, HeldClaim
from backoffice.books.reasons import reasons_open_to
from backoffice.books.refusals import NotDecided
from backoffice.domain.decisions import DecisionState, Verb
from backoffice.review.admin.deciding.asking import may_decide
from backoffice.review.admin.deciding.queue import REASON_NAMES, HeldFilters, narrowed
from backoffice.review.admin.deciding.views import caller_address
from backoffice.review.originals import READABLE_SIZE, mark_modes
from backoffice.review.pages import console_page
from backoffice.review.scope import rows_of
from backoffice.review.stakes import stake_of
from backoffice.review.words import Label, named
from backoffice.sales.models import HeldItem

# As many as a request decides while somebody waits for it.
AT_ONCE = 50

# Those that need nothing of their own for each.
VERBS_FOR_MANY = {Verb.POST: gettext_lazy("Post as sent"), Verb.DISCARD: gettext_lazy("Discard")}
RESULTS = {
    DecisionState.DONE: Label(gettext_lazy("Done"), "green"),
    DecisionState.WAITING: Label(gettext_lazy("Waits for a second person"), "amber"),
}
REFUSED = Label(gettext_lazy("Refused"), "red")


class ManyResult(NamedTuple):
    """What became of one of many: its standing, and the words of a refusal."""

    row: Any
    standing: Label
    words: str


class ManyForm(forms.Form):
    """Which of them, and what is decided about each for which reason."""

    choice = forms.ChoiceField(label=gettext_lazy("What and why"), widget=forms.RadioSelect)
    note = forms.CharField(
        label=gettext_lazy("Note"), required=False, max_length=MAX_NOTE, widget=forms.Textarea(attrs={"rows": 2})
    )
    use_required_attribute = False

    def __init__(self, data: Any, *, person: Any) -> None:
        super().__init__(data, label_suffix="", auto_id="many-%s")
        self.fields["choice"].choices = [  # type: ignore[attr-defined]
            (
                f"{verb.value} {reason.code}",
                f"{words}: {reason.title}{_(' (with a note)') if reason.needs_note else ''}",
            )
            for verb, words in VERBS_FOR_MANY.items()
            for reason in reasons_open_to(person, verb)
        ]

    @property
    def chosen(self) -> tuple[Verb, str]:
        """The verb and the code of the reason."""
        verb, code = self.cleaned_data["choice"].split(" ", 1)
        return Verb(verb), code


def many_view(request: HttpRequest) -> HttpResponse:
    """What is held for one reason, the oldest fifty; sent, those that are ticked are decided. Raises PermissionDenied."""
    if not may_decide(request.user, Verb.POST):
        raise PermissionDenied
    filters = HeldFilters(request.GET)
    chosen = filters.chosen
    queryset = narrowed(rows_of(request, HeldItem), {**chosen, "decided": ""}).order_by("id")
    context: dict[str, Any] = {
        "title": _("Decide many for one reason"),
        "held_for": named(REASON_NAMES, chosen.get("reason")) or _("any reason"),
        "up_url": reverse("admin:sales_helditem_changelist") + _query(chosen),
        "up_title": _("Held orders"),
        "action": request.get_full_path(),
    }
    form = ManyForm(request.POST if request.method == "POST" else None, person=request.user)
    if request.method == "POST" and form.is_valid():
        ticked = [int(key) for key in request.POST.getlist("item") if key.isdecimal()][:AT_ONCE]
        # What somebody has decided meanwhile is answered, not left out.
        if rows := _complete(list(rows_of(request, HeldItem).filter(pk__in=ticked).order_by("id"))):
            return console_page(request, "console/held_many_done.html", context | _decide(request, form, rows))
        form.add_error(None, _("Tick at least one."))
    rows = _complete(list(queryset[:AT_ONCE]))
    context |= {"form": form, "rows": rows, "at_once": AT_ONCE}
    status = 422 if request.method == "POST" else 200
    return console_page(request, "console/held_many.html", context, status=status)


def _query(chosen: dict[str, Any]) -> str:
    kept = {"store": getattr(chosen.get("store"), "pk", ""), "reason": chosen.get("reason"), "sort": chosen.get("sort")}
    query = urlencode({name: value for name, value in kept.items() if value})
    return f"?{query}" if query else ""


def _complete(rows: list[Any]) -> list[Any]:
    """With what the page shows of each. `is_alone` where no other reason holds it: only such are ticked to begin with."""
    prefetch_related_objects(rows, "store", "terminal", "shift")
    mark_modes(rows, max_size=READABLE_SIZE)
    claims: dict[int, HeldClaim] = standing_claims([row.pk for row in rows], now=timezone.now())
    for row in rows:
        row.stake = stake_of(row, row.original)
        row.claim = claims.get(row.pk)
        codes = list(dict.fromkeys(reason["code"] for reason in row.reasons))
        row.reason_names = [named(REASON_NAMES, code) for code in codes]
        row.is_alone = len(codes) == 1
    return rows


def _decide(request: HttpRequest, form: ManyForm, rows: list[Any]) -> dict[str, Any]:
    """Each of them decided, with its own result."""
    verb, code = form.chosen
    proposals = [
        Proposal(
            verb=verb,
            subject=name_of(row),
            person=request.user,  # type: ignore[arg-type]
            reason=code,
            note=form.cleaned_data["note"],
            address=caller_address(request),
        )
        for row in rows
    ]
    answers = list(decide_each(proposals, now=timezone.now()))
    results = [_result(row, answer) for row, answer in zip(rows, answers, strict=True)]
    done = sum(result.standing is not REFUSED for result in results)
    request_id = next((answer.request_id for answer in answers if isinstance(answer, DecisionReport)), None)
    return {"results": results, "done": done, "refused": len(results) - done, "request_id": request_id}


def _result(row: Any, answer: DecisionReport | NotDecided) -> ManyResult:
    if isinstance(answer, NotDecided):
        return ManyResult(row, REFUSED, answer.detail)
    return ManyResult(row, RESULTS[answer.state], "")
