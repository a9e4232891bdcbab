"""What operators and load balancers probe: alive at all, and fit to take uploads."""

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from psycopg_pool import PoolTimeout
from redis import Redis
from redis.exceptions import RedisError

from backoffice.inbox.claims import oldest_waiting

REDIS_TIMEOUT_S = 0.3
# Older than this, the oldest waiting batch says that nobody is processing.
WAITED_TOO_LONG_S = 300


@require_safe
def livez(request: HttpRequest) -> JsonResponse:
    """The process answers."""
    return JsonResponse({"status": "alive"})


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Whether uploads can be taken, and every reason why not. Redis being away is told, but is no reason."""
    reasons: list[str] = []
    facts: dict[str, object] = {}
    try:
        reasons += _unapplied_migrations()
        reasons += _unsafe_settings()
        waited = oldest_waiting(now=timezone.now())
        facts["oldest_waiting_s"] = 0 if waited is None else round(waited.total_seconds(), 1)
        if waited is not None and waited.total_seconds() > WAITED_TOO_LONG_S:
            reasons.append("batches wait and nobody processes them: are the workers running?")
    except (DatabaseError, PoolTimeout):
        reasons.append("PostgreSQL does not answer")
    facts["broker"], broker_reasons = _broker()
    reasons += broker_reasons
    return JsonResponse({"ready": not reasons, "reasons": reasons, **facts}, status=503 if reasons else 200)


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """What this process counts, for Prometheus."""
    return HttpResponse(generate_latest(), content_type=CONTENT_TYPE_LATEST)


def _unapplied_migrations() -> list[str]:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{len(plan)} migrations are not applied: run `manage.py migrate`"] if plan else []


def _unsafe_settings() -> list[str]:
    """What would make "2xx means durable" untrue."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit') AND setting = 'off'")
        return [
            f"PostgreSQL runs with {name} = off: what is answered 2xx could be lost" for (name,) in cursor.fetchall()
        ]


def _broker() -> tuple[str, list[str]]:
    """The broker's state; a policy that drops messages is a reason, an absent broker is not."""
    client = Redis.from_url(settings.REDIS_URL, socket_timeout=REDIS_TIMEOUT_S, socket_connect_timeout=REDIS_TIMEOUT_S)
    try:
        policy = client.config_get("maxmemory-policy").get("maxmemory-policy")
    except RedisError:
        return "away: uploads are taken, and processed when it is back", []
    finally:
        client.close()
    if policy != "noeviction":
        return "up", [f"the broker's maxmemory-policy is {policy}; set it to noeviction"]
    return "up", []
