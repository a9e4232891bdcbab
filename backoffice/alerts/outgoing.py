"""Sends what waits: on threads of each worker's main process, so that no receiver ever holds up whoever processes orders."""

import threading
from collections.abc import Callable
from functools import partial

import structlog
from django.db import connection
from django.utils import timezone

from backoffice.alerts.deliveries import deliver_due_webhooks
from backoffice.alerts.mails import send_due_mails

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 2.0


def start_senders(stop: threading.Event) -> None:
    """Begins a thread for mails and one for webhooks: neither waits for the other. Several workers share the work."""
    for name, send in (("mails", send_due_mails), ("webhooks", deliver_due_webhooks)):
        threading.Thread(target=partial(send_until, stop, send), name=name, daemon=True).start()


def send_until(stop: threading.Event, send: Callable[..., int]) -> None:
    """Has `send` send what is due, until told to stop."""
    while not stop.wait(LOOK_EVERY_S):
        try:
            send(now=timezone.now())
        except Exception:  # this thread must outlive whatever happens
            log.exception("nothing sent")
        finally:
            connection.close()
