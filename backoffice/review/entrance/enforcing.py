"""The middleware that lets nobody decide or manage who has not shown a second factor in this session."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import resolve, reverse
from django.urls.exceptions import Resolver404
from django.utils.http import urlencode

from backoffice.review.entrance.rule import has_factor, has_shown_factor, needs_factor
from backoffice.review.middleware import is_of_the_console

# What one can reach on the way: out, and to what is asked for. Whoever has a factor must show it, and cannot add another.
ALWAYS = frozenset({"admin:login", "admin:logout", "admin:jsi18n"})
TO_SHOW_ONE = ALWAYS | {"mfa_reauthenticate", "mfa_reauthenticate_webauthn"}
TO_ADD_ONE = ALWAYS | {"mfa_index", "mfa_activate_totp", "mfa_add_webauthn", "account_reauthenticate"}


class SecondFactor:
    """Leads to the second factor of whoever needs one, or to setting it up."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if (
            not is_of_the_console(request)
            or request.user.is_anonymous
            or has_shown_factor(request)
            or not needs_factor(request.user)
        ):
            return self.get_response(request)
        must_show = has_factor(request.user)
        if _name(request) in (TO_SHOW_ONE if must_show else TO_ADD_ONE):
            return self.get_response(request)
        if not must_show:
            return HttpResponseRedirect(reverse("mfa_index"))
        back = request.get_full_path() if request.method == "GET" else reverse("admin:index")
        return HttpResponseRedirect(f"{way_to_show(request)}?{urlencode({'next': back})}")


def way_to_show(request: HttpRequest) -> str:
    """The address at which this person shows the factor they have."""
    from backoffice.review.entrance.adapters import AccountAdapter  # noqa: PLC0415 - it needs the rule above

    return str(AccountAdapter(request).get_reauthentication_methods(request.user)[0]["url"])


def _name(request: HttpRequest) -> str:
    try:
        return resolve(request.path_info).view_name
    except Resolver404:
        return ""
