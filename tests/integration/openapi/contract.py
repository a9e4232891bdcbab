"""The OpenAPI document as a judge: whether a real answer is one that it describes."""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import yaml
from django.test import Client
from jsonschema import Draft202012Validator

from pos_api.problems import CONTENT_TYPE, TYPE_PREFIX
from tests.till import Till

BASE_PATH = "/api/v1"
METHODS = ("get", "put", "post")


@cache
def document() -> dict[str, Any]:
    """The document as it is served to everybody."""
    answer = Client().get("/api/schema/")
    assert answer.status_code == 200
    return yaml.safe_load(answer.content)


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every operation by its name, such as "PUT /terminal/heartbeat"."""
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path.removeprefix(BASE_PATH)}", operation


def operation_of(method: str, path: str) -> str:
    """The operation behind an address below /api/v1; its query does not matter."""
    for name, _ in operations():
        verb, _, template = name.partition(" ")
        address = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template))
        if verb == method and re.fullmatch(address, "/" + path.lstrip("/").partition("?")[0]):
            return name
    raise AssertionError(f"{method} {path} is not in the document")


def strict(schema: Any) -> Any:
    """The schema, but closed: a field that it does not name is an error. Answers have only what is documented."""
    if isinstance(schema, list):
        return [strict(member) for member in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: strict(member) for name, member in schema.items()}
    if "properties" in schema and schema.get("type") == "object":
        closed.setdefault("additionalProperties", False)
    return closed


@cache
def components(*, closed: bool) -> dict[str, Any]:
    """The named schemas of the document, as they are or closed."""
    schemas: dict[str, Any] = document()["components"]["schemas"]
    return strict(schemas) if closed else schemas


def errors(schema: Mapping[str, Any], value: Any, *, closed: bool = True) -> list[str]:
    """What is wrong with `value` by a schema of the document, formats included; [] where nothing is."""
    whole = {**schema, "components": {"schemas": components(closed=closed)}}
    validator = Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def conforms(name: str, *, status: int, headers: Mapping[str, str], content: bytes) -> Any:
    """The answer's body. Fails the test unless the operation documents the status, media type, headers and body."""
    responses = dict(operations())[name]["responses"]
    assert str(status) in responses, f"{name} documents no {status}: {content!r}"
    response = responses[str(status)]
    ((media_type, described),) = response["content"].items()
    assert headers.get("Content-Type") == media_type
    for header, said in response.get("headers", {}).items():
        value = headers.get(header)
        assert value is not None, f"{name} answered {status} without {header}"
        if said["schema"]["type"] == "integer":
            assert errors(said["schema"], int(value)) == []
    body = json.loads(content)
    assert errors(described["schema"], body) == [], f"{name} answered {status} {body}"
    if media_type == CONTENT_TYPE:
        assert (code := body["type"].removeprefix(TYPE_PREFIX)) in described["examples"], f"{name} documents no {code}"
    return body


class JudgedTill(Till):
    """The tests' till, whose every answer must be one that the document describes."""

    def send(self, method: str, path: str, *args: Any, **how: Any) -> Any:
        answer = super().send(method, path, *args, **how)
        name = operation_of(method, path)
        conforms(name, status=answer.status_code, headers=answer.headers, content=answer.content)
        return answer
