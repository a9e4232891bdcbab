"""Clients are generated from the document, with nothing left out: in Python, and TypeScript's types.

What the generators need is pinned: requirements-dev.txt, and typescript/package-lock.json beside this file.
"""

import importlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.openapi.contract import document, operations

TYPESCRIPT = Path(__file__).parent / "typescript"
PACKAGE = "generated_terminal_client"
METHODS = {"get", "put", "post"}
NPM = shutil.which("npm")


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    """What a command prints; fails the test if it fails."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the document in it."""
    folder = tmp_path_factory.mktemp("generated")
    (folder / "openapi.json").write_text(json.dumps(document()))
    return folder


@pytest.fixture(scope="module")
def client(folder: Path) -> Iterator[str]:
    """The Python client that openapi-python-client makes: its package's name, which can be imported. No warnings."""
    (folder / "config.yml").write_text("post_hooks: []\n")
    generate = [sys.executable, "-m", "openapi_python_client", "generate", "--fail-on-warning", "--meta", "none"]
    printed = run(*generate, "--config", "config.yml", "--path", "openapi.json", "--output-path", PACKAGE, cwd=folder)
    assert not re.search("warning|omitted|error", printed, re.IGNORECASE), printed
    sys.path.insert(0, str(folder))
    yield PACKAGE
    sys.path.remove(str(folder))


def answers() -> Iterator[tuple[str, str, int, Any, str]]:
    """Tag, module, status and body of every example of an answer, and the name of its schema."""
    for _, operation in operations():
        module = re.sub(r"([A-Z])", lambda found: "_" + found[1].lower(), operation["operationId"])
        for status, response in operation["responses"].items():
            ((_, content),) = response["content"].items()
            name = content["schema"]["$ref"].rpartition("/")[2]
            for code, example in content["examples"].items():
                shown = document()["components"]["examples"][code] if "$ref" in example else example
                yield operation["tags"][0], module, int(status), shown["value"], name


def test_a_python_client_reads_every_answer_of_every_operation(client: str):
    made = importlib.import_module(f"{client}.client").Client(base_url="http://x", raise_on_unexpected_status=True)
    count = 0
    for tag, module, status, body, name in answers():
        operation = importlib.import_module(f"{client}.api.{tag}.{module}")
        read = operation._parse_response(client=made, response=httpx.Response(status, json=body))
        assert type(read).__name__ == name, (module, status)
        assert set(read.to_dict()) == set(body), (module, status)
        count += 1
    assert count > 100


def test_a_python_client_takes_any_code_any_customer_and_any_decision(client: str):
    models = importlib.import_module(f"{client}.models")
    reason = {"code": "a-reason-of-next-year", "pointer": "", "detail": ""}
    decision = {"verb": "burn", "decided_at": "2026-03-01T10:00:00Z", "order_id": None, "why": ["x"]}
    result = {"index": 0, "order_id": None, "number": None, "outcome": "held", "reasons": [reason]}
    read = models.ResultAnswer.from_dict(result | {"decision": decision})
    assert (read.reasons[0].code, read.decision["why"]) == ("a-reason-of-next-year", ["x"])
    examples = document()["paths"]["/api/v1/shifts/{shift_id}/batches/{batch_id}"]["put"]["requestBody"]["content"]
    orders = examples["application/json"]["examples"]["cache"]["value"]["orders"]
    assert models.Order.from_dict(orders[1]).customer.to_dict() == {"name": "Leroy"}


def test_a_python_client_has_every_operation(client: str, folder: Path):
    modules = {path.stem for path in (folder / client / "api").glob("*/*.py")} - {"__init__"}
    assert modules == {module for _, module, *_ in answers()}
    assert len(modules) == sum(len(METHODS & set(methods)) for methods in document()["paths"].values())


@pytest.mark.skipif(NPM is None, reason="Node.js is not installed: openapi-typescript cannot run")
def test_a_till_in_typescript_compiles_with_the_types_of_the_document(folder: Path):
    work = folder / "typescript"
    shutil.copytree(TYPESCRIPT, work, ignore=shutil.ignore_patterns("node_modules"))
    run(
        "npm",
        "ci",
        "--no-audit",
        "--no-fund",
        "--ignore-scripts",
        cwd=work,
        npm_config_cache=str(folder / "npm"),
        npm_config_update_notifier="false",
    )
    node = work / "node_modules" / ".bin"
    printed = run(
        node / "openapi-typescript",
        folder / "openapi.json",
        *("--default-non-nullable=false", "--output", "terminal.ts"),
        cwd=work,
    )
    assert "warn" not in printed.lower(), printed
    strictly = ("--strict", "--noUncheckedIndexedAccess", "--exactOptionalPropertyTypes", "--skipLibCheck")
    run(node / "tsc", "--noEmit", *strictly, "--target", "es2022", "--module", "nodenext", "till.ts", cwd=work)
