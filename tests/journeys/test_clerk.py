"""The process that makes stores and codes for tests: it tells what a command prints, and fails as the command does."""

import pytest

from tests.conftest import RunningStack
from tests.journeys.http_till import HttpTill, a_store_code


def test_a_command_that_fails_fails_the_test_in_its_own_words_and_the_next_one_works(stack: RunningStack) -> None:
    with pytest.raises(AssertionError, match="There is no store NOWHERE"):
        stack.activation_code("NOWHERE", "Till 1")
    with pytest.raises(AssertionError, match="Unknown command"):
        stack.clerk.does("no_such_command")
    assert HttpTill(stack, a_store_code(stack)).open().status_code == 201


def test_what_is_printed_past_a_commands_own_output_is_told_too_and_mixes_up_no_answers(stack: RunningStack) -> None:
    for number in ("7", "8"):
        assert stack.clerk.does("shell", "-v", "0", "-c", f"print({number})") == f"{number}\n"
