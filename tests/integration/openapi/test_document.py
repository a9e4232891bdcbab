"""The document is OpenAPI 3.1, is whole, and is shown without asking anybody else."""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from openapi_spec_validator import OpenAPIV31SpecValidator

from pos_api.problems import CONTENT_TYPE, TITLES, TYPE_PREFIX
from pos_api.views.description import DescriptionView
from tests.integration.openapi.contract import document, errors, operations
from tests.till import a_client, at_once


def schemas(node: Any) -> Iterator[dict[str, Any]]:
    """Every object in a part of the document."""
    if isinstance(node, dict):
        yield node
        for member in node.values():
            yield from schemas(member)
    elif isinstance(node, list):
        for member in node:
            yield from schemas(member)


def test_it_is_valid_openapi_3_1():
    assert document()["openapi"] == "3.1.0"
    assert [error.message for error in OpenAPIV31SpecValidator(document()).iter_errors()] == []


def test_it_says_where_the_service_is_what_the_licence_is_and_where_more_is_written():
    assert [server["url"] for server in document()["servers"]] == ["/"]
    assert document()["info"]["license"]["name"]
    assert Client().get(document()["externalDocs"]["url"]).status_code == 200
    for page in re.findall(r"\]\((/[^)]+)\)", json.dumps(document(), default=str)):
        assert Client().get(page).status_code == 200, page


def test_its_operations_are_in_the_order_of_a_tills_day():
    day = ["activate", "getTerminal", "sendHeartbeat", "rotateToken", "openShift", "sendBatch", "getBatch"]
    tags = [tag["name"] for tag in document()["tags"]]
    listed = sorted((tags.index(operation["tags"][0]), operation["operationId"]) for _, operation in operations())
    assert {tag for tag, _ in listed} == set(range(len(tags)))
    shown = [operation["operationId"] for _, operation in operations() if operation["operationId"] in day]
    assert shown == day
    assert [operation["operationId"] for _, operation in operations()][-1] == "closeShift"


WORDS_OF_PYTHON = re.compile(r"\b(?:None|True|False|UNSET|UnsetType|int|str|bool|dict|float|datetime|Struct|msgspec)\b")


def test_it_speaks_of_json_and_not_of_the_language_that_the_service_is_written_in():
    texts = [
        node[word]
        for node in schemas(document())
        for word in ("description", "summary", "title", "detail")
        if isinstance(node.get(word), str)
    ]
    assert len(texts) > 200
    assert [text for text in texts if WORDS_OF_PYTHON.search(text)] == []


def test_what_may_grow_is_no_closed_list_and_states_and_outcomes_are():
    components = document()["components"]["schemas"]
    for name, field in (("ProblemAnswer", "type"), ("ProblemPlace", "code"), ("ReasonAnswer", "code")):
        assert components[name]["properties"][field]["examples"]
    closed = {
        (name, field)
        for name, schema in components.items()
        for field, described in schema.get("properties", {}).items()
        if "enum" in described
    }
    states = {("Receipt", "state"), ("ShiftAnswer", "state"), ("OrderInBooks", "state")}
    outcomes = {("ResultAnswer", "outcome"), ("MovementResultAnswer", "outcome")}
    sent = {("Order", field) for field in ("mode", "kind", "status", "printed_to")} | {("CashMovement", "kind")}
    assert closed == states | outcomes | sent | {("StoreOrder", "kind"), ("StoreOrder", "mode")}


def test_an_object_without_named_fields_takes_any():
    for schema in schemas(document()["components"]["schemas"]):
        if schema.get("type") == "object" and "properties" not in schema:
            assert schema["additionalProperties"] is True or schema["additionalProperties"]["type"]
    decision = document()["components"]["schemas"]["ResultAnswer"]["properties"]["decision"]["anyOf"][0]
    assert decision["additionalProperties"] is True


def test_it_has_no_constructs_of_openapi_3_0():
    for schema in schemas(document()["components"]["schemas"]):
        assert "nullable" not in schema
        assert not isinstance(schema.get("exclusiveMinimum"), bool)
        assert "example" not in schema


def test_what_may_be_null_says_so_as_a_type():
    shift = document()["components"]["schemas"]["ShiftAnswer"]["properties"]
    assert shift["declared"] == {"anyOf": [{"$ref": "#/components/schemas/CloseShift"}, {"type": "null"}]}
    assert {"type": "null"} in document()["components"]["schemas"]["Order"]["properties"]["customer"]["anyOf"]


def test_every_schema_of_an_answer_requires_what_is_always_there():
    components = document()["components"]["schemas"]
    for name in ("Receipt", "ResultAnswer", "MovementResultAnswer", "ShiftAnswer", "TerminalAnswer", "StoreOrder"):
        assert set(components[name]["required"]) == set(components[name]["properties"])


def test_a_newer_terminal_may_send_fields_that_the_document_does_not_know():
    for schema in schemas(document()["components"]["schemas"]):
        assert schema.get("additionalProperties") is not False


def test_every_operation_has_an_identifier_of_its_own_and_words_for_people():
    found = dict(operations())
    assert len({operation["operationId"] for operation in found.values()}) == len(found)
    for operation in found.values():
        assert operation["summary"]
        assert operation["description"]
        assert all(response["description"] for response in operation["responses"].values())
        assert all(parameter["description"] for parameter in operation.get("parameters", ()))


def test_everything_but_an_activation_asks_for_the_terminals_token():
    scheme = document()["components"]["securitySchemes"]["terminal"]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    for name, operation in operations():
        assert operation["security"] == ([] if name == "POST /activations" else [{"terminal": []}])
        assert ("401" in operation["responses"]) == (name != "POST /activations")


def headers_of(operation: dict[str, Any]) -> set[str]:
    return {parameter["name"] for parameter in operation.get("parameters", ()) if parameter["in"] == "header"}


def test_what_takes_a_body_takes_it_zipped_and_with_a_digest():
    for name, operation in operations():
        expected = {"Content-Encoding", "Content-Digest"} if "requestBody" in operation else set()
        assert headers_of(operation) - {"Prefer"} == expected
        assert ("Prefer" in headers_of(operation)) == (name == "PUT /shifts/{shift_id}/batches/{batch_id}")
        if "requestBody" in operation:
            assert operation["requestBody"]["required"] is True
            assert {"400", "408", "411", "413", "415", "422"} <= set(operation["responses"])


def test_who_must_wait_is_told_how_long():
    for _, operation in operations():
        for status in {"429", "503"} & set(operation["responses"]):
            assert operation["responses"][status]["headers"]["Retry-After"]["required"]
    found = dict(operations())
    assert "Retry-After" in found["GET /store/orders"]["responses"]["200"]["headers"]
    for status in ("200", "202"):
        headers = found["PUT /shifts/{shift_id}/batches/{batch_id}"]["responses"][status]["headers"]
        assert headers["Location"]["required"]


@pytest.mark.parametrize("code", TITLES)
def test_every_problem_is_an_example_under_its_status(code: str):
    status, title = TITLES[code]
    example = document()["components"]["examples"][code]["value"]
    assert errors(document()["components"]["schemas"]["ProblemAnswer"], example) == []
    assert (example["type"], example["status"], example["title"]) == (TYPE_PREFIX + code, status, title)
    shown = [
        operation["responses"][str(status)]["content"][CONTENT_TYPE]["examples"].get(code)
        for _, operation in operations()
        if str(status) in operation["responses"]
    ]
    assert {"$ref": f"#/components/examples/{code}"} in shown


def test_every_example_is_what_its_place_asks_for():
    count = 0
    for name, operation in operations():
        places = [operation.get("requestBody", {}), *operation["responses"].values()]
        for content in (described for place in places for described in place.get("content", {}).values()):
            assert content["examples"], name
            for example in content["examples"].values():
                code = example.get("$ref", "").rpartition("/")[2]
                value = document()["components"]["examples"][code]["value"] if code else example["value"]
                assert errors(content["schema"], value) == [], name
                count += 1
    assert count > 100


@pytest.mark.parametrize("accept", ["application/vnd.oai.openapi+json", "application/yaml", "*/*"])
def test_it_is_served_to_whoever_asks(accept: str):
    answer = Client().get("/api/schema/", headers={"Accept": accept})
    assert answer.status_code == 200
    assert b"3.1.0" in answer.content


def test_who_cannot_set_a_header_asks_for_json_in_the_address():
    assert json.loads(Client().get("/api/schema/?format=json").content)["openapi"] == "3.1.0"
    assert yaml.safe_load(Client().get("/api/schema/?format=yaml").content)["openapi"] == "3.1.0"
    assert Client().get("/api/schema/?format=xml").content == Client().get("/api/schema/").content


def test_its_page_needs_no_other_host():
    page = Client().get("/api/docs/", headers={"Accept": "text/html"})
    assert page.status_code == 200
    text = page.content.decode()
    assert "SwaggerUIBundle" in text
    addresses = re.findall(r"""(?:src|href)=["']([^"']+)["']|\burl:\s*["']([^"']+)["']""", text)
    assert len(addresses) >= 4
    for address in (one or other for one, other in addresses):
        assert urlsplit(address).netloc == "", address
        if address.startswith("/static/"):
            assert Client().get(address).status_code == 200, address
    assert "//" not in re.sub(r"^\s*//.*$", "", re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL), flags=re.MULTILINE)


def test_it_is_generated_once_whoever_asks_and_however_many_at_once(monkeypatch):
    monkeypatch.setattr(DescriptionView, "_rendered", {})
    generated = []
    get_schema = SchemaGenerator.get_schema

    def count(*args, **how):
        generated.append(how)
        return get_schema(*args, **how)

    monkeypatch.setattr(SchemaGenerator, "get_schema", count)
    answers = at_once([lambda: a_client().get("/api/schema/")] * 8)
    assert {(answer.status_code, answer.content) for answer in answers} == {(200, answers[0].content)}
    assert len(generated) == 1
