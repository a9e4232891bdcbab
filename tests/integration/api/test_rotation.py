"""`POST /terminal/token`: changing over to another token without a gap (protocol §3)."""

from tests.till import Till, at_once


def rotate(till: Till) -> str:
    answer = till.send("POST", "terminal/token")
    assert answer.status_code == 201
    assert set(answer.json()) == {"token"}
    return answer.json()["token"]


def status(till: Till, token: str) -> int:
    return till.send("GET", "terminal", Authorization=f"Bearer {token}").status_code


def test_the_old_token_works_until_the_new_one_is_used_and_then_never_again(till: Till) -> None:
    old, new = till.token, rotate(till)
    assert [status(till, old), status(till, old)] == [200, 200]
    assert status(till, new) == 200
    assert [status(till, old), status(till, new), status(till, old)] == [401, 200, 401]


def test_a_lost_answer_is_no_harm_asking_again_replaces_the_unused_token(till: Till) -> None:
    lost, new = rotate(till), rotate(till)
    assert status(till, lost) == 401
    assert status(till, till.token) == 200
    assert status(till, new) == 200


def test_a_new_token_may_ask_for_the_next_one(till: Till) -> None:
    second = rotate(till)
    till.token, first = second, till.token
    third = rotate(till)
    assert [status(till, first), status(till, second), status(till, third), status(till, second)] == [
        401,
        200,
        200,
        401,
    ]


def test_the_new_token_of_twenty_requests_at_once_works_for_all_of_them(committed_db: None) -> None:
    till = Till()
    new = rotate(till)
    assert at_once([lambda: status(till, new)] * 20) == [200] * 20
    assert status(till, till.token) == 401


def test_activating_again_ends_an_unused_token_too(till: Till) -> None:
    unused = rotate(till)
    again = Till(till.store, name=till.terminal.name)
    assert [status(till, unused), status(till, till.token), status(till, again.token)] == [401, 401, 200]
