"""Use cases of head office for its fleet: a store ready to sell, a terminal, its code; and a till that redeems one."""

from datetime import datetime
from typing import Any

from django.db import transaction

from backoffice.domain.accounts import CASH_REASON_ACCOUNTS, PAYMENT_ACCOUNTS
from backoffice.fleet.activation import (
    begin_to_use,
    hash_token,
    issue_code,
    redeem_code,
    replace_credential,
    rotate_credential,
    terminal_of_token,
)
from backoffice.fleet.models import Store, Terminal
from backoffice.ingestion.locks import lock_terminal
from backoffice.ledger.models import CashReason, PaymentAccount


def create_store(*, code: str, name: str, timezone: str, currency: str, prices_include_tax: bool) -> Store:
    """A store that can sell at once: every payment method and cash reason is mapped, and no setting flags anything.

    Raises ValidationError, naming the field, for a code in use, an unknown time zone or currency.
    """
    store = Store(code=code, name=name, timezone=timezone, currency=currency, prices_include_tax=prices_include_tax)
    store.full_clean()
    with transaction.atomic():
        store.save()
        map_accounts(store)
    return store


def map_accounts(store: Store) -> None:
    """Maps every payment method and cash reason of the default chart, leaving what is mapped already."""
    PaymentAccount.objects.bulk_create(
        [PaymentAccount(store=store, method=method, account_id=code) for method, code in PAYMENT_ACCOUNTS.items()],
        ignore_conflicts=True,
    )
    CashReason.objects.bulk_create(
        [CashReason(store=store, reason=reason, account_id=code) for reason, code in CASH_REASON_ACCOUNTS.items()],
        ignore_conflicts=True,
    )


def issue_activation_code(*, store_code: str, terminal_name: str, now: datetime) -> str:
    """A code for the terminal of that name, which is made if it is new. Raises Store.DoesNotExist."""
    with transaction.atomic():
        store = Store.objects.get(code=store_code)
        terminal, _ = Terminal.objects.get_or_create(store=store, name=terminal_name)
        return issue_code(terminal=terminal, now=now)


class ActivationRefused(Exception):
    """The code is wrong, used, burned or expired: a caller is not told which."""


def activate(*, code: str, device: dict[str, Any], now: datetime) -> tuple[Terminal, str]:
    """Redeems a code: the terminal it was made for, and its new token. Raises ActivationRefused.

    A wrong try is counted in a transaction of its own, so refusing it cannot roll the count back.
    """
    with transaction.atomic():
        terminal_id = redeem_code(code=code, now=now)
        if terminal_id is not None:
            terminal = (
                Terminal.objects.select_for_update(no_key=True, of=("self",))
                .select_related("store")
                .get(pk=terminal_id)
            )
            token = replace_credential(terminal=terminal, now=now)
            terminal.device = device
            terminal.activated_at = now
            terminal.save(update_fields=["device", "activated_at"])
            return terminal, token
    raise ActivationRefused


def authenticate(*, token: str, now: datetime) -> Terminal | None:
    """The terminal that a token speaks for, with its store. A token's first use revokes the terminal's others."""
    found = terminal_of_token(token)
    if found is None:
        return None
    terminal, used = found
    if not used:
        with transaction.atomic():
            lock_terminal(terminal.pk)
            begin_to_use(token_hash=hash_token(token), now=now)
    return terminal


def rotate_token(*, terminal: Terminal) -> str:
    """A new token; the present one works until the new one is first used, then never again."""
    with transaction.atomic():
        lock_terminal(terminal.pk)
        return rotate_credential(terminal=terminal)
