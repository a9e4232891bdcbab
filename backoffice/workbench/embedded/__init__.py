"""Real servers from plain wheels, for development, the demo and the tests.

DATABASE_URL and REDIS_URL name other servers to use instead.
"""


class StackError(Exception):
    """The stack cannot start or go on. The text tells the person at the keyboard why, and what to do."""


class ServerNotStartedError(StackError):
    """A server ended, or did not answer in time, while starting; another attempt may succeed."""
