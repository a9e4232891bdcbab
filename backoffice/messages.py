"""What a worker takes from the broker: a bare call of one of our tasks, and nothing else.

In Celery an error in a message can end the worker, and the message then goes to the next one: anybody who can write to
the broker could keep all workers down with a single line. Here such a message is rejected and logged.
"""

from collections.abc import Callable
from typing import Any

from celery.exceptions import InvalidTaskError
from celery.worker.strategy import default


def bare_calls_only(task: Any, app: Any, consumer: Any, **_: Any) -> Callable[..., Any]:
    """Celery's own strategy (how a message becomes a task), after a check of the message.

    The handler raises InvalidTaskError for any other message; the worker then rejects that message and goes on.
    """
    take = default(task, app, consumer)

    def handle(message: Any, *rest: Any) -> Any:
        try:
            arguments, names, embedded = message.payload
            if arguments or names or any(embedded.values()):
                raise InvalidTaskError("Our tasks take no arguments and call no other tasks.")
            return take(message, *rest)
        except (AttributeError, KeyError, IndexError, TypeError, ValueError) as error:
            raise InvalidTaskError(f"This is not a message of ours: {type(error).__name__}") from error

    return handle
