"""Connections of a pool, looked at before they are used.

When PostgreSQL restarts, every pooled connection is dead, and each would fail one request. A connection that nobody uses
has nothing to say: where there is something to read, it is the server's farewell. Looking costs no round trip.
"""

import select
from typing import Any

import psycopg
from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's, without the connections whose server has said goodbye."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """A connection of the pool that is alive, as far as this side can know."""
        connection = super().get_new_connection(conn_params)
        while self.pool is not None and has_hung_up(connection):
            connection.close()
            self.pool.putconn(connection)  # which makes another in its place
            connection = super().get_new_connection(conn_params)
        return connection


class ConsoleConnections(DatabaseWrapper):
    """The same, from a pool of its own."""

    _connection_pools: dict[str, Any] = {}


def has_hung_up(connection: psycopg.Connection[Any]) -> bool:
    """Whether an idle connection has something to read, or has ended."""
    if connection.closed:
        return True
    looking = select.poll()
    looking.register(connection.pgconn.socket, select.POLLIN)
    return bool(looking.poll(0))
