"""The forms of the entrance: django-allauth's, with our words and Unfold's look."""

from typing import Any

from allauth.account.forms import ReauthenticateForm as PasswordForm
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    EditWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from django import forms
from django.utils.translation import gettext_lazy as _
from fido2.webauthn import AuthenticationResponse, RegistrationResponse
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

MAX_NAME = 60


def code_field(label: Any) -> forms.CharField:
    """A field for a code, which phones offer to fill in."""
    hints = {"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": "", "spellcheck": "false"}
    return forms.CharField(label=label, max_length=40, widget=UnfoldAdminTextInputWidget(attrs=hints))


def name_field() -> forms.CharField:
    return forms.CharField(label=_("Name"), max_length=MAX_NAME, required=False, widget=UnfoldAdminTextInputWidget())


class CodeForm(AuthenticateForm):  # type: ignore[misc]
    """The second factor at sign-in."""

    code = code_field(_("Code from your app, or a recovery code"))


class CodeAgainForm(ReauthenticateForm):  # type: ignore[misc]
    """The second factor, asked for again."""

    code = code_field(_("Code from your app, or a recovery code"))


class AppForm(ActivateTOTPForm):  # type: ignore[misc]
    """An app shows that it has the secret."""

    code = code_field(_("Code that the app shows now"))


class PasskeyField(forms.JSONField):
    """What a browser says of a passkey, as the hidden field of a form. Anything that is not that is a wrong answer."""

    def __init__(self, kind: type[RegistrationResponse | AuthenticationResponse]) -> None:
        super().__init__(widget=forms.HiddenInput)
        self.kind = kind

    def clean(self, value: Any) -> Any:
        answer = super().clean(value)
        try:
            self.kind.from_dict(answer)
        except (AttributeError, KeyError, TypeError, ValueError):
            raise forms.ValidationError(_("That is no answer of a passkey. Try again.")) from None
        return answer


class PasskeyForm(AddWebAuthnForm):  # type: ignore[misc]
    name = name_field()
    credential = PasskeyField(RegistrationResponse)


class UsePasskeyForm(AuthenticateWebAuthnForm):  # type: ignore[misc]
    """A passkey as the second factor at sign-in."""

    credential = PasskeyField(AuthenticationResponse)


class UsePasskeyAgainForm(ReauthenticateWebAuthnForm):  # type: ignore[misc]
    """A passkey, asked for again."""

    credential = PasskeyField(AuthenticationResponse)


class PasskeyNameForm(EditWebAuthnForm):  # type: ignore[misc]
    name = forms.CharField(label=_("Name"), max_length=MAX_NAME, widget=UnfoldAdminTextInputWidget())


class PasswordAgainForm(PasswordForm):  # type: ignore[misc]
    """The password, asked for again of whoever has no factor."""

    password = forms.CharField(
        label=_("Password"),
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "current-password", "autofocus": ""}),
    )
