"""A file that breaks a rule of the house is found, and so is an exception that nothing needs."""

import pytest

from tests.house.__main__ import EXCEPTIONS, breaches, complaints, main
from tests.house.names import names_defined_twice
from tests.house.sizes import long_files, long_functions
from tests.house.sources import Breach, Source, sources
from tests.house.transactions import transactions_elsewhere, writers_without_transaction


def names(found):
    return [breach.name for breach in found]


def a_function(lines: int) -> str:
    return "def tell():\n" + "    pass\n" * (lines - 1)


def test_the_whole_house_holds(capsys: pytest.CaptureFixture[str]):
    assert main([]) == 0, capsys.readouterr().out


def test_every_room_is_looked_at_but_for_migrations():
    paths = {source.path for source in sources()}
    assert {"manage.py", "backoffice/domain/states.py", "pos_api/problems.py", "tests/till.py"} <= paths
    assert any(path.startswith("clients/python/src/") for path in paths)
    assert not [path for path in paths if "/migrations/" in path or ".venv" in path]


def test_a_function_of_more_than_fifty_lines_is_found_also_in_a_class():
    longer = "class Till:\n" + "".join(f"    {line}\n" for line in a_function(51).splitlines())
    found = list(long_functions([Source("pos_api/a.py", a_function(50)), Source("tests/b.py", longer)]))
    assert names(found) == ["tests/b.py::tell"]
    assert found[0].place == "tests/b.py:2"


def test_a_file_of_more_than_four_hundred_lines_is_found():
    assert names(long_files([Source("a.py", "x = 1\n" * 400), Source("b.py", "x = 1\n" * 401)])) == ["b.py"]


def test_a_name_that_two_modules_define_is_found_with_both_places():
    files = [
        Source("backoffice/a.py", "class Till: ...\ndef ring(): ..."),
        Source("pos_api/b.py", "import x\nasync def ring(): ..."),
        Source("tests/c.py", "class Till: ..."),
    ]
    (found,) = names_defined_twice(files)
    assert (found.name, found.place) == ("ring", "backoffice/a.py:2")
    assert "pos_api/b.py:2" in found.says


def test_methods_private_names_and_what_django_asks_for_may_share_a_name():
    text = "class Command: ...\nclass {}:\n    class Meta: ...\n    def ring(self): ...\ndef _make(): ...\n"
    assert not list(
        names_defined_twice([Source("backoffice/a.py", text.format("A")), Source("backoffice/b.py", text.format("B"))])
    )


@pytest.mark.parametrize(
    "text",
    [
        "def pay():\n    with transaction.atomic(), connection.cursor() as cursor:\n        pass",
        "@transaction.atomic\ndef pay(): ...",
        "def pay():\n    transaction.set_autocommit(False)",
        "def pay():\n    from django.db.transaction import atomic",
    ],
)
def test_a_transaction_is_opened_by_use_cases_alone(text: str):
    assert names(transactions_elsewhere([Source("pos_api/views/a.py", text)])) == ["pos_api/views/a.py::pay"]
    assert not list(transactions_elsewhere([Source("backoffice/ingestion/a.py", text), Source("tests/a.py", text)]))


def test_a_writer_that_would_run_outside_a_transaction_is_found():
    text = (
        "def write_rows(cursor, rows): ...\n"
        "@transaction_required\ndef insert_rows(cursor, rows): ...\n"
        "@transactions.transaction_required\ndef lock_row(pk): ...\n"
        "def lock_rows(pks): ...\n"
        "def write_text(text): ...\n"
        "def select_rows(cursor): ...\n"
    )
    found = writers_without_transaction([Source("backoffice/sales/a.py", text), Source("backoffice/domain/a.py", text)])
    assert names(found) == ["backoffice/sales/a.py::write_rows", "backoffice/sales/a.py::lock_rows"]


def test_an_exception_is_for_one_name_needs_a_reason_and_ends_with_its_cause():
    found = [Breach("long-files", "a.py", "a.py:1", "it is long"), Breach("long-files", "b.py", "b.py:1", "it is long")]
    assert complaints(found, {"long-files": {"a.py": "a list", "b.py": "another"}}) == []
    assert complaints(found, {"long-files": {"a.py": " ", "c.py": "a list"}}) == [
        "b.py:1: it is long (long-files)",
        "exceptions.toml: a.py is excepted without a reason (long-files)",
        "exceptions.toml: c.py needs no exception any more (long-files)",
    ]
    assert complaints([], {"short-files": {"a.py": "a rule that nobody knows"}})


def test_breaking_a_rule_fails_the_check(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    found = [*breaches(), Breach("long-files", "a.py", "a.py:1", "it is long")]
    monkeypatch.setattr("tests.house.__main__.breaches", lambda: found)
    assert main([]) == 1
    assert capsys.readouterr().out == "a.py:1: it is long (long-files)\n"
    assert EXCEPTIONS.is_file()
