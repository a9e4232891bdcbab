"""Real servers from plain wheels, for development, the demo and the tests. `DATABASE_URL` and `REDIS_URL` replace them."""


class StackError(Exception):
    """The stack cannot start or go on. The text says why, and what to do, in words for the person at the keyboard."""


class ServerNotStartedError(StackError):
    """A server ended, or did not answer in time, while it started; it may do so when it is tried again."""
