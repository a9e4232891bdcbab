"""The login, and the page on which everybody looks after their own sign-in."""

from typing import Any, cast

from allauth.account.internal.flows.login import perform_password_login
from allauth.account.models import Login
from allauth.mfa.base.views import IndexView
from allauth.mfa.webauthn.views import ReauthenticateWebAuthnView
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from backoffice.review.entrance.rule import has_factor, needs_factor
from backoffice.review.entrance.sessions import end_sessions, sessions_of
from backoffice.trail.events import SIGNED_OUT, record_event


class ConsoleLogin(LoginView):
    """The password; the second factor of whoever has one is asked for next, and only then they are logged in."""

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        person = form.get_user()
        if self.request.user.is_authenticated:
            logout(self.request)
        login = Login(user=person, redirect_url=self.get_success_url())
        return perform_password_login(self.request, {"username": person.get_username()}, login)  # type: ignore[no-any-return]


class SignInPage(IndexView):  # type: ignore[misc]
    """One's own factors, sessions and password; for whoever must have a factor and has none, where to begin."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        person = self.request.user
        return {
            **super().get_context_data(**kwargs),
            "has_factor": has_factor(person),
            "needs_factor": needs_factor(person),
            "sessions": sessions_of(cast(User, person)),
        }


class PasskeyAgain(ReauthenticateWebAuthnView):  # type: ignore[misc]
    """A passkey, asked for again; a wrong answer stays on the page."""

    def form_invalid(self, form: Form) -> HttpResponse:
        return self.render_to_response({**self.get_context_data(), "form": form})  # type: ignore[no-any-return]


@require_POST
@login_required
def sign_out_everywhere(request: HttpRequest) -> HttpResponse:
    """Ends all sessions of the person who asks for it, this one too."""
    person = cast(User, request.user)
    end_sessions(person, but=request.session.session_key)
    record_event(SIGNED_OUT, about="user", object_id=str(person.pk), object_name=person.get_username())
    logout(request)
    messages.success(request, _("You are signed out everywhere."))
    return redirect("admin:login")
