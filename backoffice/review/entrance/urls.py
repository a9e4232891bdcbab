"""The addresses of the entrance: of django-allauth's only those that are used. There is no sign-up and no reset by mail."""

from allauth.account.views import account_inactive, reauthenticate
from allauth.mfa.base import views as base
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from django.urls import path
from django.views.generic import RedirectView

from backoffice.review.entrance.views import PasskeyAgain, SignInPage, sign_out_everywhere

urlpatterns = [
    path("", SignInPage.as_view(), name="mfa_index"),
    path("login/", RedirectView.as_view(pattern_name="admin:login"), name="account_login"),
    path("inactive/", account_inactive, name="account_inactive"),
    path("code/", base.authenticate, name="mfa_authenticate"),
    path("again/password/", reauthenticate, name="account_reauthenticate"),
    path("again/code/", base.reauthenticate, name="mfa_reauthenticate"),
    path("again/passkey/", PasskeyAgain.as_view(), name="mfa_reauthenticate_webauthn"),
    path("app/", totp.activate_totp, name="mfa_activate_totp"),
    path("app/remove/", totp.deactivate_totp, name="mfa_deactivate_totp"),
    path("recovery-codes/", recovery_codes.view_recovery_codes, name="mfa_view_recovery_codes"),
    path("recovery-codes/new/", recovery_codes.generate_recovery_codes, name="mfa_generate_recovery_codes"),
    path("passkeys/", RedirectView.as_view(pattern_name="mfa_index"), name="mfa_list_webauthn"),
    path("passkeys/add/", webauthn.add_webauthn, name="mfa_add_webauthn"),
    path("passkeys/<int:pk>/remove/", webauthn.remove_webauthn, name="mfa_remove_webauthn"),
    path("passkeys/<int:pk>/name/", webauthn.edit_webauthn, name="mfa_edit_webauthn"),
    path("out-everywhere/", sign_out_everywhere, name="sign_out_everywhere"),
]
