"""Every example of the document is sent to the service, in order, and the answer is the one that is documented."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from backoffice.ingestion.stores import issue_activation_code
from backoffice.ingestion.sweep import process_waiting
from pos_api.description.examples import ACTIVATED, ACTIVATION, FEED, STORY, Exchange
from tests.integration.openapi.contract import conforms, operations
from tests.till import a_store

Answers = dict[tuple[str, str], tuple[int, dict[str, str], bytes]]


class Player:
    """A terminal that does what the examples say, at the times that they say."""

    def __init__(self) -> None:
        self.now = datetime.fromisoformat("2026-03-01T07:50:00+01:00")
        self.client = Client()
        # What the service mints, by what stands for it in the examples.
        self.minted: dict[str, str] = {}

    def play(self) -> Answers:
        store = a_store()
        self.minted[ACTIVATED["store"]["code"]] = store.code
        code = issue_activation_code(store_code=store.code, terminal_name="Till 2", now=self.now)
        self.minted[ACTIVATION["activation_code"]] = code
        answers = {}
        for exchange in STORY:
            self.now = datetime.fromisoformat(exchange.at)
            if exchange.operation.startswith("GET"):
                process_waiting()  # a worker has been at work since the last upload
            answers[exchange.operation, exchange.name] = self.send(exchange)
        return answers

    def send(self, exchange: Exchange) -> tuple[int, dict[str, str], bytes]:
        headers = dict(exchange.headers)
        if ACTIVATED["token"] in self.minted:
            headers["Authorization"] = f"Bearer {self.minted[ACTIVATED['token']]}"
        text = "" if exchange.request is None else json.dumps(exchange.request)
        method, path = exchange.operation.partition(" ")[0], f"/api/v1{exchange.path()}"
        for documented, real in self.minted.items():
            text, path = text.replace(documented, real), path.replace(documented, real)
        answer = self.client.generic(method, path, text, content_type="application/json", headers=headers)
        body = answer.json()
        if exchange.name == "activated":
            self.minted |= {
                ACTIVATED["token"]: body["token"],
                ACTIVATED["terminal_id"]: body["terminal_id"],
                ACTIVATED["store"]["id"]: body["store"]["id"],
            }
        if exchange.name == "feed":
            self.minted[FEED["next"]] = body["next"]
        if exchange.name == "token":
            self.minted[ACTIVATED["token"]] = body["token"]
        content = answer.content.decode()
        for documented, real in self.minted.items():
            content = content.replace(real, documented)
        return answer.status_code, dict(answer.headers), content.encode()


@pytest.fixture(scope="module")
def answers(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Answers]:
    """What the service answered to each example. Committed, since others see an order only then."""
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch:
        player = Player()
        patch.setattr(timezone, "now", lambda: player.now)
        try:
            yield player.play()
        finally:
            connections.close_all()


@pytest.mark.parametrize("exchange", STORY, ids=lambda exchange: f"{exchange.operation} {exchange.name}")
def test_the_service_answers_an_example_as_documented(answers: Answers, exchange: Exchange):
    status, headers, content = answers[exchange.operation, exchange.name]
    assert status == exchange.status, content
    body = conforms(exchange.operation, status=status, headers=headers, content=content)
    if "checkpoint" in body:
        body["checkpoint"] = None  # the example's books are not sealed yet, those of other tests may be
    assert body == exchange.answer


def test_every_operation_and_every_success_has_an_example():
    shown = {(exchange.operation, str(exchange.status)) for exchange in STORY}
    documented = {
        (name, status) for name, operation in operations() for status in operation["responses"] if status < "300"
    }
    assert shown == documented


def test_the_examples_are_those_that_the_document_shows():
    found = dict(operations())
    for exchange in STORY:
        operation = found[exchange.operation]
        response: dict[str, Any] = operation["responses"][str(exchange.status)]["content"]["application/json"]
        assert response["examples"][exchange.name]["value"] == exchange.answer
        if exchange.request is not None:
            request = operation["requestBody"]["content"]["application/json"]
            assert request["examples"][exchange.name]["value"] == exchange.request
