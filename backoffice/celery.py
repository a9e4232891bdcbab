"""The Celery application. Its messages only say "look now": the inbox row is the queue (ADR 1)."""

import os
import socket
import threading
from typing import Any

# Reuse is set before Celery's Django fixup reads it: a new connection per task would double a task's time.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")

import structlog
from celery import Celery
from celery.signals import (
    after_task_publish,
    beat_init,
    before_task_publish,
    setup_logging,
    task_prerun,
    worker_init,
    worker_process_init,
    worker_ready,
    worker_shutting_down,
)
from django.conf import settings
from django.db import close_old_connections
from redis.exceptions import RedisError
from structlog.contextvars import bind_contextvars

from backoffice.cycle_collector import tune_cycle_collector
from backoffice.tracing import begin_task, ringer

log = structlog.get_logger(__name__)

SWEEP_TASK = "backoffice.ingestion.tasks.sweep"

# A till waits for its answer; nobody waits for a worker. On a machine that both share, web goes first: at 5 a worker still
# gets a quarter of a processor that another process could use whole.
WORKER_NICENESS = 5

app = Celery("backoffice")
app.conf.update(
    broker_url=settings.REDIS_URL,
    broker_connection_retry_on_startup=True,
    broker_connection_timeout=2,
    # A frozen Redis must not hold up an upload: one short try, then the sweepers find the row.
    broker_transport_options={
        "socket_timeout": 5.0 if settings.ROLE == "worker" else 0.3,
        "socket_connect_timeout": 0.3,
        # A worker may listen for minutes and hear nothing: keepalive notices within one that Redis's machine is gone.
        "socket_keepalive": True,
        "socket_keepalive_options": {socket.TCP_KEEPIDLE: 30, socket.TCP_KEEPINTVL: 10, socket.TCP_KEEPCNT: 3},
        "max_retries": 0,
        "visibility_timeout": 3600,
    },
    task_publish_retry=False,
    task_ignore_result=True,
    task_acks_late=True,
    task_reject_on_worker_lost=False,
    # No limit: a message whose acknowledgement was lost with the broker would count against it for ever, and a worker at
    # its limit stops listening. Messages are empty, so taking many costs nothing.
    worker_prefetch_multiplier=0,
    accept_content=["json"],
    task_serializer="json",
    worker_hijack_root_logger=False,
    worker_enable_remote_control=False,
    worker_send_task_events=False,
    db_reuse_max=1_000_000_000,
    task_default_queue="backoffice",
    beat_schedule={
        "sweep": {"task": SWEEP_TASK, "schedule": 5.0, "options": {"expires": 5}},
        "refunds": {"task": "backoffice.ingestion.tasks.refunds", "schedule": 60.0, "options": {"expires": 60}},
        "shifts": {"task": "backoffice.ingestion.tasks.shifts", "schedule": 60.0, "options": {"expires": 60}},
        "seals": {"task": "backoffice.books.evidence.tasks.seal_books", "schedule": 60.0, "options": {"expires": 60}},
        "reports": {
            "task": "backoffice.books.reports.tasks.keep_reports",
            "schedule": 60.0,
            "options": {"expires": 60},
        },
        "exports": {"task": "backoffice.books.exports.tasks.run_exports", "schedule": 15.0, "options": {"expires": 15}},
        "alerts": {"task": "backoffice.alerts.tasks.evaluate", "schedule": 60.0, "options": {"expires": 60}},
        "ping": {"task": "backoffice.alerts.tasks.ping", "schedule": 60.0, "options": {"expires": 30}},
        "clear": {"task": "backoffice.alerts.tasks.clear", "schedule": 3600.0, "options": {"expires": 3600}},
        "months": {"task": "backoffice.ingestion.tasks.months", "schedule": 3600.0, "options": {"expires": 3600}},
    },
)
app.Task.Strategy = "backoffice.messages:bare_calls_only"
app.autodiscover_tasks(
    [
        "backoffice.ingestion",
        "backoffice.books.evidence",
        "backoffice.books.exports",
        "backoffice.books.reports",
        "backoffice.alerts",
    ]
)


@setup_logging.connect
def _keep_our_logging(**_: Any) -> None:
    """Celery leaves logging alone once this signal has a receiver; Django's settings have configured it."""


@worker_init.connect
@beat_init.connect
@worker_ready.connect  # by now the broker answers; at the start it may have been away
def _refuse_unsafe_servers(**_: Any) -> None:
    from backoffice.health.startup import refuse_unsafe_servers

    refuse_unsafe_servers()


@before_task_publish.connect
def _add_rung_by(headers: dict[str, Any], **_: Any) -> None:
    headers["rung_by"] = ringer(settings.ROLE)


@task_prerun.connect
def _bind_ids(task_id: str, task: Any, **_: Any) -> None:
    begin_task(task_id=task_id, rung_by=task.request.get("rung_by"))


@task_prerun.connect
def _drop_dead_connections(**_: Any) -> None:
    close_old_connections()  # connections are reused for ever: without this, one that is lost stops the worker


@after_task_publish.connect
def _leave_beat_trace(sender: str, **_: Any) -> None:
    """Lets `doctor` and /metrics see that beat is alive."""
    from backoffice.health.broker import leave_beat_trace

    if settings.ROLE == "beat" and sender == SWEEP_TASK:
        try:
            leave_beat_trace()
        except RedisError as error:
            log.warning("beat left no trace", error=type(error).__name__)


_stop_watching = threading.Event()


@worker_init.connect
def _let_web_go_first(**_: Any) -> None:
    os.nice(WORKER_NICENESS)


@worker_process_init.connect
def _tune_cycle_collector(**_: Any) -> None:
    tune_cycle_collector()


@worker_ready.connect
def _watch_the_inbox(**_: Any) -> None:
    """Each worker also looks for waiting batches by itself, so that work goes on without beat and without messages."""
    from backoffice.ingestion.sweep import watch

    def watching() -> None:
        bind_contextvars(rung_by="watch")
        watch(_stop_watching)

    threading.Thread(target=watching, name="watch", daemon=True).start()


@worker_ready.connect
def _send_what_waits(**_: Any) -> None:
    """Mails and webhooks go out from the main process: a slow receiver holds up nobody who processes orders."""
    from backoffice.alerts.outgoing import start_senders

    start_senders(_stop_watching)


@worker_shutting_down.connect
def _stop_the_watch(**_: Any) -> None:
    _stop_watching.set()
