"""Real servers from plain wheels, for development, the demo and the tests. `DATABASE_URL` and `REDIS_URL` replace them."""


class StackError(Exception):
    """The stack cannot start or go on. The text says why, and what to do, in words for the person at the keyboard."""
