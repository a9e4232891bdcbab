"""The log repeats nothing that a client may write at will: no Host, no Origin, no path, no name that is nobody's."""

import logging

import pytest

from backoffice.logs import WithoutClients
from backoffice.tracing import request_id

PLANTED = "4111111111111111"


@pytest.mark.parametrize("logger", ["django.security.DisallowedHost", "django.security.csrf", "django.request"])
def test_what_django_says_of_a_request_names_nothing_of_it(logger: str) -> None:
    record = logging.LogRecord(logger, logging.WARNING, "", 0, "Invalid: %s", (PLANTED,), None)
    assert WithoutClients().filter(record)
    assert PLANTED not in record.getMessage()


def test_other_lines_stay_as_they_are() -> None:
    record = logging.LogRecord("django.db", logging.WARNING, "", 0, "Slow: %s", (5,), None)
    assert WithoutClients().filter(record)
    assert record.getMessage() == "Slow: 5"


@pytest.mark.parametrize("separator", ["", ".", "_", "-"])
def test_a_request_id_holds_no_card_number_however_it_is_separated(separator: str) -> None:
    claimed = separator.join(["4111", "1111", "1111", "1111"])
    assert request_id(claimed) != claimed
    assert request_id(f"a{separator}b") == f"a{separator}b"
