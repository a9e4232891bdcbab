"""What operators and load balancers ask: alive at all, and fit to take uploads (protocol §9)."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone
from redis import Redis

from backoffice.health import readiness
from backoffice.inbox.models import Batch
from backoffice.workbench.embedded.ports import free_port
from backoffice.workbench.embedded.processes import wait_until
from tests.integration.ingestion.test_bell import a_redis_on, answers
from tests.till import Till, a_client, a_sale


def ask(path: str) -> Any:
    return a_client().get(path)


def test_a_process_that_answers_is_alive():
    assert ask("/livez").status_code == 200


def test_alive_needs_no_database():
    def refuse(*_: Any) -> None:
        raise OperationalError("gone")

    with connection.execute_wrapper(refuse):
        assert ask("/livez").status_code == 200
        assert ask("/readyz").status_code == 503


def test_with_everything_up_it_is_ready():
    answer = ask("/readyz")
    assert (answer.status_code, answer.json()["ready"], answer.json()["reasons"]) == (200, True, [])


def test_it_says_how_long_the_oldest_batch_has_waited(till: Till):
    till.upload(a_sale(1001))
    assert 0 <= ask("/readyz").json()["oldest_waiting_s"] < 60


def test_a_batch_that_nobody_processes_is_a_reason(till: Till):
    batch_id = till.upload(a_sale(1001)).json()["batch_id"]
    long_ago = timezone.now() - timedelta(minutes=6)
    Batch.objects.filter(batch_id=batch_id).update(received_at=long_ago, due_at=long_ago)
    answer = ask("/readyz")
    assert (answer.status_code, answer.json()["ready"]) == (503, False)
    assert "workers" in answer.json()["reasons"][0]


def test_a_database_that_does_not_answer_is_a_reason(monkeypatch: pytest.MonkeyPatch):
    def refuse(**_: Any) -> None:
        raise OperationalError("the password is hunter2")

    monkeypatch.setattr(readiness, "oldest_waiting_s", refuse)
    answer = ask("/readyz")
    assert answer.status_code == 503
    assert answer.json()["reasons"] == ["PostgreSQL does not answer"]


def test_migrations_that_are_not_applied_are_a_reason():
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE id IN (SELECT max(id) FROM django_migrations GROUP BY app)")
    answer = ask("/readyz")
    assert answer.status_code == 503
    assert "migrate" in answer.json()["reasons"][0]


def test_redis_being_away_is_told_but_is_no_reason(settings: Any):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    answer = ask("/readyz")
    assert (answer.status_code, answer.json()["ready"]) == (200, True)
    assert answer.json()["broker"].startswith("away")


def test_commits_that_do_not_wait_for_the_disk_are_a_reason():
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")
    answer = ask("/readyz")
    assert answer.status_code == 503
    assert answer.json()["reasons"] == [
        "PostgreSQL runs with synchronous_commit = off: what is answered 2xx could be lost"
    ]


def test_a_broker_that_may_drop_messages_is_a_reason(settings: Any):
    broker = Redis.from_url(settings.REDIS_URL)
    broker.config_set("maxmemory-policy", "allkeys-lru")
    try:
        answer = ask("/readyz")
    finally:
        broker.config_set("maxmemory-policy", "noeviction")
        broker.close()
    assert answer.status_code == 503
    assert "noeviction" in answer.json()["reasons"][0]


def test_a_broker_that_does_not_say_its_policy_is_up_all_the_same(settings: Any):
    port = free_port()
    with a_redis_on(port) as broker:
        assert wait_until(lambda: answers(broker), timeout_s=20)
        broker.execute_command("ACL", "SETUSER", "somebody", "on", ">secret", "~*", "&*", "+@all", "-config", "-info")
        settings.REDIS_URL = f"redis://somebody:secret@127.0.0.1:{port}/0"
        answer = ask("/readyz")
    assert (answer.status_code, answer.json()["reasons"], answer.json()["broker"]) == (200, [], "up")


def test_a_broker_that_forbids_config_is_asked_otherwise(settings: Any):
    """As it is with most that are kept by somebody else."""
    port = free_port()
    with a_redis_on(port, "--maxmemory-policy", "allkeys-lru") as broker:
        assert wait_until(lambda: answers(broker), timeout_s=20)
        broker.execute_command("ACL", "SETUSER", "somebody", "on", ">secret", "~*", "&*", "+@all", "-config")
        settings.REDIS_URL = f"redis://somebody:secret@127.0.0.1:{port}/0"
        answer = ask("/readyz")
    assert answer.status_code == 503
    assert answer.json()["reasons"] == ["the broker's maxmemory-policy is allkeys-lru; set it to noeviction"]


def test_migrations_that_may_not_be_seen_are_a_reason():
    before = transaction.savepoint()
    with connection.cursor() as cursor:
        cursor.execute("REVOKE SELECT ON django_migrations FROM CURRENT_USER")
    answer = ask("/readyz")
    transaction.savepoint_rollback(before)
    assert answer.status_code == 503
    assert "deploy/postgres/grants.sql" in answer.json()["reasons"][0]


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_it_is_only_for_reading(path: str):
    assert a_client().post(path).status_code == 405


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/api/schema/", "/api/docs/"])
def test_it_needs_no_credential(path: str):
    assert ask(path).status_code == 200


def test_the_api_description_is_given_as_json_to_whoever_asks_for_it():
    answer = a_client().get("/api/schema/", headers={"Accept": "application/vnd.oai.openapi+json"})
    assert answer.status_code == 200
    assert json.loads(answer.content)["openapi"].startswith("3.1")
