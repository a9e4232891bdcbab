"""The access of somebody else: an administrator signs them out, or removes the factors of whoever lost a phone."""

from typing import Any, cast

from allauth.mfa.models import Authenticator
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.review.entrance.rule import FACTOR_NAMES, ask_again
from backoffice.review.entrance.sessions import end_sessions, sessions_of
from backoffice.review.reach import mine
from backoffice.trail.acting import MAX_REASON, because
from backoffice.trail.events import SIGNED_OUT, record_event

SIGN_OUT, REMOVE = "sign-out", "remove-factors"


class AccessForm(forms.Form):
    """What is to be done, and why."""

    what = forms.ChoiceField(choices=[(SIGN_OUT, SIGN_OUT), (REMOVE, REMOVE)])
    why = forms.CharField(
        label=gettext_lazy("Why"),
        max_length=MAX_REASON,
        error_messages={"required": gettext_lazy("Say why: it is kept in the audit trail.")},
    )


def may_look_after(somebody: User, person: User) -> bool:
    """Whether somebody may sign a person out or remove their factors; an administrator's, only an administrator."""
    return somebody.has_perm("auth.change_user") and (somebody.is_superuser or not person.is_superuser)


def entrance_page(request: HttpRequest, person_id: int) -> HttpResponse:
    """Factors and sessions of somebody, and what can be done with them. Raises Http404 and PermissionDenied."""
    person = get_object_or_404(mine(request, User.objects.all()), pk=person_id)
    if not may_look_after(cast(User, request.user), person):
        raise PermissionDenied
    form = AccessForm(request.POST or None)
    if request.method == "POST":
        ask_again(request)
        if form.is_valid():
            messages.success(request, _act(person, form.cleaned_data["what"], form.cleaned_data["why"]))
            return redirect("admin:auth_user_entrance", person.pk)
    return TemplateResponse(request, "console/entrance/person.html", _context(request, person, form))


def remove_factors(person: User) -> None:
    """Removes every factor of somebody with their recovery codes, and signs them out. The database notes it."""
    Authenticator.objects.filter(user=person).delete()
    end_sessions(person)


def _act(person: User, what: str, why: str) -> str:
    because(why)
    name = person.get_username()
    if what == REMOVE:
        remove_factors(person)
        return _("%(name)s has no second factor any more, and is signed out.") % {"name": name}
    end_sessions(person)
    record_event(SIGNED_OUT, about="user", object_id=str(person.pk), object_name=name)
    return _("%(name)s is signed out everywhere.") % {"name": name}


def _context(request: HttpRequest, person: User, form: AccessForm) -> dict[str, Any]:
    return {
        **admin.site.each_context(request),
        "title": _("Access of %(name)s") % {"name": person.get_username()},
        "is_fullwidth": "1",
        "up_url": reverse("admin:auth_user_change", args=[person.pk]),
        "up_title": person.get_username(),
        "person": person,
        "factors": [
            {"name": FACTOR_NAMES[factor.type], "since": factor.created_at, "used": factor.last_used_at}
            for factor in Authenticator.objects.filter(user=person).order_by("created_at")
        ],
        "sessions": sessions_of(person),
        "form": form,
    }
