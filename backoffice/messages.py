"""What a worker takes from the broker: a bare call of one of our tasks, and nothing else.

Celery lets an error in a message end the worker, and hands the message to the next one; whoever may write to the broker
could keep all workers down with a single line. Here such a message is rejected and logged.
"""

from collections.abc import Callable
from typing import Any

from celery.exceptions import InvalidTaskError
from celery.worker.strategy import default


def bare_calls_only(task: Any, app: Any, consumer: Any, **_: Any) -> Callable[..., Any]:
    """Celery's own strategy (how a message becomes a task), behind a look at the message.

    What comes of it raises InvalidTaskError, upon which the worker rejects the message and goes on.
    """
    take = default(task, app, consumer)

    def handle(message: Any, *rest: Any) -> Any:
        try:
            arguments, names, embedded = message.payload
            if arguments or names or any(embedded.values()):
                raise InvalidTaskError("No task of ours takes arguments or calls others.")
            return take(message, *rest)
        except (AttributeError, KeyError, IndexError, TypeError, ValueError) as error:
            raise InvalidTaskError(f"No message of ours: {type(error).__name__}") from error

    return handle
