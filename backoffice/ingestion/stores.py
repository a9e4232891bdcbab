"""Stores and terminals: head office sets them up, a till redeems its code, and a terminal reads its store's settings."""

from datetime import datetime
from typing import Any

from django.db import transaction

from backoffice.domain.accounts import CASH_REASON_ACCOUNTS, PAYMENT_ACCOUNTS
from backoffice.domain.rules import ORDER_TYPES
from backoffice.domain.wire.answers import Activated, SettingsAnswer, StoreAnswer
from backoffice.fleet.activation import (
    begin_to_use,
    hash_token,
    issue_code,
    note_cache_key,
    redeem_code,
    replace_credential,
    rotate_credential,
    terminal_of_token,
)
from backoffice.fleet.models import Store, Terminal
from backoffice.ingestion.locks import lock_terminal
from backoffice.ledger.models import CashReason, PaymentAccount


def create_store(*, code: str, name: str, timezone: str, currency: str, prices_include_tax: bool) -> Store:
    """A store that can sell at once: every payment method and cash reason is mapped, and no setting flags an order.

    Raises ValidationError, naming the field, for a code in use, an unknown time zone or currency.
    """
    store = Store(code=code, name=name, timezone=timezone, currency=currency, prices_include_tax=prices_include_tax)
    store.full_clean()
    with transaction.atomic():
        store.save()
        map_accounts(store)
    return store


def map_accounts(store: Store) -> None:
    """Maps every payment method and cash reason of the default chart. What is already mapped stays."""
    PaymentAccount.objects.bulk_create(
        [PaymentAccount(store=store, method=method, account_id=code) for method, code in PAYMENT_ACCOUNTS.items()],
        ignore_conflicts=True,
    )
    CashReason.objects.bulk_create(
        [CashReason(store=store, reason=reason, account_id=code) for reason, code in CASH_REASON_ACCOUNTS.items()],
        ignore_conflicts=True,
    )


def issue_activation_code(*, store_code: str, terminal_name: str, now: datetime) -> str:
    """A code for the terminal of that name, which is created if it is new. Raises Store.DoesNotExist."""
    with transaction.atomic():
        store = Store.objects.get(code=store_code)
        terminal, _ = Terminal.objects.get_or_create(store=store, name=terminal_name)
        return issue_code(terminal=terminal, now=now)


class ActivationRefused(Exception):
    """The code is wrong, used, burned or expired. Callers are not told which."""


def activate(*, code: str, device: dict[str, Any], now: datetime) -> Activated:
    """Redeems a code: the terminal that it was issued for, and its new token. Raises ActivationRefused.

    The error is raised after the transaction, which must keep its count of wrong tries.
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
            return Activated(terminal_id=terminal.uuid, store=store_answer(terminal.store), token=token)
    raise ActivationRefused


def authenticate(*, token: str, now: datetime) -> Terminal | None:
    """The terminal of a token, with its store. A token's first use revokes the terminal's other tokens."""
    found = terminal_of_token(token)
    if found is None:
        return None
    if not found.was_used:
        with transaction.atomic():
            lock_terminal(found.terminal.pk)
            begin_to_use(token_hash=hash_token(token), now=now)
    if not found.has_cache_key:
        note_cache_key(token)
    return found.terminal


def is_live(*, token: str) -> bool:
    """Whether a token speaks for a terminal. Asking is no use of the token."""
    return terminal_of_token(token) is not None


def rotate_token(*, terminal: Terminal) -> str:
    """A new token. The present one works until the new one is first used, then never again."""
    with transaction.atomic():
        lock_terminal(terminal.pk)
        return rotate_credential(terminal=terminal)


def store_answer(store: Store) -> StoreAnswer:
    """The store as its terminals see it."""
    return StoreAnswer(
        id=store.uuid,
        code=store.code,
        name=store.name,
        timezone=store.timezone,
        currency=store.currency,
        prices_include_tax=store.prices_include_tax,
    )


def settings_answer(store: Store) -> SettingsAnswer:
    """The store's settings as its terminals see them, with the order types, cash reasons and payment methods that it knows."""
    reasons = CashReason.objects.filter(store=store).order_by("reason").values_list("reason", flat=True)
    methods = PaymentAccount.objects.filter(store=store).order_by("method").values_list("method", flat=True)
    return SettingsAnswer(
        max_order_total=store.max_order_total,
        min_refund_total=store.min_refund_total,
        refund_days=store.refund_days,
        order_types=sorted(store.order_types or ORDER_TYPES),
        cash_reasons=list(reasons),
        payment_methods=list(methods),
        rounding_step=store.rounding_step,
        rounding_mode=store.rounding_mode,
        max_over_short=store.max_over_short,
    )
