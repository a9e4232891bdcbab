"""The file of a till that died: handed in, looked at, and asked for. What it holds is in no book until two people said so."""

from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.books.deciding import decide
from backoffice.books.importing import hand_in, proposal_of
from backoffice.books.models import CacheFile
from backoffice.books.refusals import NotDecided
from backoffice.books.verb_words import VERB_WORDS
from backoffice.domain.decisions import Verb
from backoffice.fleet.models import Terminal
from backoffice.review.admin.deciding.asking import may_decide
from backoffice.review.admin.deciding.verb_forms import DecisionForm
from backoffice.review.admin.deciding.views import caller_address, tell
from backoffice.review.cache_content import last_asked, read_content
from backoffice.review.cells import page_url
from backoffice.review.details import translated_detail
from backoffice.review.entrance.rule import ask_again
from backoffice.review.pages import console_page
from backoffice.review.reach import mine

MEBIBYTE = 1024 * 1024
# A real cache is a tenth as large when it is packed; what unpacks to more is for the command, outside of the web server.
MOST_UNPACKED = 32 * MEBIBYTE


class FileForm(forms.Form):
    """The file that the till saved."""

    file = forms.FileField(label=gettext_lazy("The file that the till saved"), allow_empty_file=True)
    use_required_attribute = False

    def __init__(self, data: Any = None, files: Any = None) -> None:
        super().__init__(data, files, label_suffix="", auto_id="file-%s")
        most = settings.MAX_CONSOLE_FILE_BYTES // MEBIBYTE
        field = self.fields["file"]
        field.help_text = _("At most %(most)s MiB. A larger one is taken in by the command, on the server itself.") % {
            "most": most
        }
        too_large = _("The file is larger than %(most)s MiB.") % {"most": most}
        field.widget.attrs |= {"data-most": settings.MAX_CONSOLE_FILE_BYTES, "data-too-large": too_large}

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if (file.size or 0) > settings.MAX_CONSOLE_FILE_BYTES:
            raise forms.ValidationError(str(self.fields["file"].widget.attrs["data-too-large"]))
        return file


def file_view(request: HttpRequest) -> HttpResponse:
    """Asks for the file; sent, it is checked and kept without card data, and shown. Raises PermissionDenied."""
    if not may_decide(request.user, Verb.IMPORT_CACHE):
        raise PermissionDenied
    if request.method != "POST":
        ask_again(
            request
        )  # before anything is chosen: a file that is sent is not kept while somebody proves who they are
    form = FileForm(request.POST, request.FILES) if request.method == "POST" else FileForm()
    if request.method == "POST" and form.is_valid():
        try:
            kept = hand_in(
                form.cleaned_data["file"].read(),
                person=request.user,  # type: ignore[arg-type]
                now=timezone.now(),
                most_unpacked=MOST_UNPACKED,
            )
        except NotDecided as refusal:
            form.add_error("file", translated_detail(refusal.detail))
        else:
            return HttpResponseRedirect(reverse("admin:fleet_terminal_cache_file", args=[kept.pk]))
    context = {
        "title": VERB_WORDS[Verb.IMPORT_CACHE.value],
        "form": form,
        "up_url": reverse("admin:fleet_terminal_changelist"),
        "up_title": _("Terminals"),
    }
    return console_page(request, "console/cache_file.html", context, status=422 if request.method == "POST" else 200)


def content_view(request: HttpRequest, key: UUID) -> HttpResponse:
    """What a file holds, and below it why it is to be taken in; sent, it is asked for. Raises Http404, PermissionDenied."""
    if not may_decide(request.user, Verb.IMPORT_CACHE):
        raise PermissionDenied
    files = CacheFile.objects.select_related("terminal__store")
    file = get_object_or_404(files, pk=key, terminal__in=mine(request, Terminal.objects.all()))
    ask_again(request)
    terminal, content = file.terminal, read_content(file, most_unpacked=MOST_UNPACKED)
    form = DecisionForm(
        request.POST if request.method == "POST" else None,
        verb=Verb.IMPORT_CACHE,
        row=terminal,
        person=request.user,  # type: ignore[arg-type]
    )
    # To ask for it opens it as well.
    if request.method == "POST" and not content.is_too_large and form.is_valid():
        said, who = form.cleaned_data, {"person": request.user, "address": caller_address(request)}
        proposal = proposal_of(file, reason=said["reason"], note=said["note"], **who)  # type: ignore[arg-type]
        try:
            report = decide(proposal, now=timezone.now())
        except NotDecided as refusal:
            form.add_error(None, refusal.detail)
        else:
            tell(request, report, about=terminal.name)
            return HttpResponseRedirect(page_url(terminal))
    context = {
        "title": VERB_WORDS[Verb.IMPORT_CACHE.value],
        "row": terminal,
        "file": file,
        "content": content,
        "asked": last_asked(file),
        "form": form,
        "up_url": page_url(terminal),
        "up_title": terminal.name,
    }
    return console_page(request, "console/cache_content.html", context, status=422 if request.method == "POST" else 200)
