"""What granian calls with every request (ADR 11, 17 and 23)."""

import asyncio
import io
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, NamedTuple

import structlog
from django.db import Error, connection
from granian.rsgi import HTTPProtocol, ProtocolClosed, Scope
from psycopg_pool import PoolTimeout

from backoffice.fleet.activation import hash_token
from backoffice.gate.environ import Environ, content_length, wsgi_environ
from backoffice.gate.lanes import ClientGone, Lane, QueuedTooLong
from backoffice.gate.origins import preflight, readable
from backoffice.gate.replies import Reply, WholeFile, busy, problem_reply
from backoffice.gate.rules import API, LOGINS, PROBES, BodyRule, body_rule
from backoffice.gate.sessions import is_signed_in, session_key
from backoffice.gate.shares import FairBudget
from backoffice.gate.sockets import end_unread_connections
from backoffice.ingestion.stores import is_live
from backoffice.remote import remote_address
from pos_api.authentication import UNKNOWN_TOKEN, bearer_token
from pos_api.budget import BudgetSpent
from pos_api.known_tokens import known_tokens
from pos_api.problems import Problem

WSGIApplication = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

log = structlog.get_logger(__name__)

BODY_WAS_READ = "backoffice.body_was_read"  # in the environ
MEBIBYTE = 1024 * 1024
# A body gets this long, and a second more for each so many bytes: what a poor line carries.
SHORTEST_S, BYTES_PER_S = 10.0, 35_000
# Bodies in flight in one process, as they were declared, until they are answered. Of terminals: three full batches of one
# terminal, twelve of all, and a third as much in small ones. Of everybody else: activations and the console's forms.
TERMINALS_BODIES, TERMINALS_SHARE = 64 * MEBIBYTE, 16 * MEBIBYTE
LIVE_ORDERS = 256 * 1024
OTHERS_BODIES, OTHERS_SHARE = 8 * MEBIBYTE, 1 * MEBIBYTE
# The cache of a till, one at a time, of whoever is signed in: who fills this keeps nobody from a form.
FILES_BODIES = 5 * MEBIBYTE
# What a body counts for at least: each holds a connection, of which there are not many either.
LEAST_COUNTED = 64 * 1024
# A client that still sends when its connection is closed may never read its answer. So where a body is not read, the
# connection stays open for a moment after the answer.
LINGER_S = 0.3
# A body up to this size is here with its head as a rule: then nothing is in the way, and nobody is kept waiting.
SMALL_BODY = 64 * 1024
# Answers larger than `SMALL_ANSWER` count for as long as one that nobody reads may lie here.
SMALL_ANSWER = 64 * 1024
ANSWERS, ANSWERS_SHARE = 64 * MEBIBYTE, 16 * MEBIBYTE


class Lanes(NamedTuple):
    """`tills` has whoever showed a token that was good lately; `strangers` everybody else who comes to the tills' door."""

    tills: Lane
    strangers: Lane
    probes: Lane
    console: Lane
    login: Lane


class Sender(NamedTuple):
    """Whose a request is. `owner` is what its bytes count for: a token's hash, or an address."""

    owner: str
    token: str | None = None
    is_known: bool = False


class Gate:
    """Runs a WSGI application in lanes of threads, and reads bodies before that, of those who may send one.

    `body_timeout_s` is the longest that any body may take, `answer_timeout_s` how long an answer may go unread.
    """

    def __init__(
        self, application: WSGIApplication, *, lanes: Lanes, body_timeout_s: float, answer_timeout_s: float
    ) -> None:
        self.application = application
        self.lanes = lanes
        self.body_timeout_s = body_timeout_s
        self.answer_timeout_s = answer_timeout_s
        self.terminals_bodies = FairBudget(TERMINALS_BODIES, share=TERMINALS_SHARE, small=LIVE_ORDERS)
        self.others_bodies = FairBudget(OTHERS_BODIES, share=OTHERS_SHARE)
        self.files_bodies = FairBudget(FILES_BODIES, share=FILES_BODIES)
        self.answers = FairBudget(ANSWERS, share=ANSWERS_SHARE)

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Called once, when the process begins to serve."""
        self._starting = loop.create_task(end_unread_connections(after_s=self.answer_timeout_s))

    async def __rsgi__(self, scope: Scope, protocol: HTTPProtocol) -> None:
        """Answers one request."""
        environ = wsgi_environ(scope)
        sender = _sender(environ)
        try:
            answer = preflight(environ) or await self._answer(environ, sender, protocol)
        except (ProtocolClosed, ClientGone):
            return
        except Problem as problem:
            answer = problem_reply(environ, problem)
        except QueuedTooLong:
            answer = problem_reply(environ, busy("Too many requests wait. Send this one again."))
        answer = readable(environ, answer)
        is_small = answer.file is None and len(answer.body) <= SMALL_ANSWER
        if is_small and content_length(environ) > SMALL_BODY and BODY_WAS_READ not in environ:
            await _send_and_linger(environ, protocol, answer)
        else:
            self._send(environ, sender, protocol, answer)

    async def _answer(self, environ: Environ, sender: Sender, protocol: HTTPProtocol) -> Reply:
        rule, length = body_rule(environ["REQUEST_METHOD"], environ["PATH_INFO"]), content_length(environ)
        if rule is None or not length:
            return await self._call(environ, sender, protocol, b"")
        if length > rule.most_bytes:
            if not environ["PATH_INFO"].startswith(API):  # there Django says it itself
                raise Problem("too-large", f"At most {rule.most_bytes} bytes are accepted.")
            return await self._call(environ, sender, protocol, b"")
        if rule.needs_token and not sender.is_known:
            sender = await self._look_up(environ, sender, protocol)
            if not sender.is_known:
                return await self._call(environ, sender, protocol, b"")
        if rule.needs_session and not await self._is_signed_in(environ, protocol):
            return await self._call(environ, sender, protocol, b"")
        budget = self._budget_of(rule)
        counted = max(length, LEAST_COUNTED)
        try:
            budget.acquire(sender.owner, counted)
        except BudgetSpent:
            raise busy("Too many bodies are on their way here. Send this one again.") from None
        try:
            body = await self._receive(length, protocol)
            environ[BODY_WAS_READ] = True
            return await self._call(environ, sender, protocol, body)
        finally:
            budget.release(sender.owner, counted)

    def _budget_of(self, rule: BodyRule) -> FairBudget:
        if rule.needs_token:
            return self.terminals_bodies
        return self.files_bodies if rule.needs_session else self.others_bodies

    async def _look_up(self, environ: Environ, sender: Sender, protocol: HTTPProtocol) -> Sender:
        # A token that was not seen lately. Django answers 401 where it is none, and does not look it up again.
        if sender.token is None:
            return sender
        if not await _asked(self.lanes.strangers, protocol, partial(is_live, token=sender.token)):
            environ[UNKNOWN_TOKEN] = True
            return sender
        token_hash = hash_token(sender.token)
        known_tokens.remember(token_hash)
        return Sender(token_hash.hex(), sender.token, is_known=True)

    async def _is_signed_in(self, environ: Environ, protocol: HTTPProtocol) -> bool:
        key = session_key(environ)
        return key is not None and await _asked(self.lanes.console, protocol, partial(is_signed_in, key))

    async def _receive(self, length: int, protocol: HTTPProtocol) -> bytes:
        timeout_s = min(self.body_timeout_s, SHORTEST_S + length / BYTES_PER_S)
        try:
            async with asyncio.timeout(timeout_s):
                return await protocol()
        except TimeoutError:
            detail = f"The body must arrive within {timeout_s:.0f} s. Nothing was stored: send it again."
            raise Problem("body-timeout", detail) from None

    async def _call(self, environ: Environ, sender: Sender, protocol: HTTPProtocol, body: bytes) -> Reply:
        environ["wsgi.input"] = io.BytesIO(body)
        environ["wsgi.file_wrapper"] = WholeFile
        return await self._lane(environ, sender).run(protocol, self._run, environ)

    def _lane(self, environ: Environ, sender: Sender) -> Lane:
        path = environ["PATH_INFO"]
        if path.startswith(API):
            return self.lanes.tills if sender.is_known else self.lanes.strangers
        if path in PROBES:
            return self.lanes.probes
        return self.lanes.login if path in LOGINS and environ["REQUEST_METHOD"] == "POST" else self.lanes.console

    def _run(self, environ: Environ) -> Reply:
        head: dict[str, Any] = {}

        def start_response(status: str, headers: list[tuple[str, str]], _exc_info: object = None) -> None:
            head["status"], head["headers"] = int(status.partition(" ")[0]), headers

        chunks = self.application(environ, start_response)
        try:
            if isinstance(chunks, WholeFile) and chunks.path is not None:
                return Reply(head["status"], head["headers"], b"", chunks.path)
            return Reply(head["status"], head["headers"], b"".join(chunks))
        finally:
            if hasattr(chunks, "close"):
                chunks.close()

    def _send(self, environ: Environ, sender: Sender, protocol: HTTPProtocol, answer: Reply) -> None:
        if answer.file is not None:
            protocol.response_file(answer.status, answer.headers, answer.file)
            return
        size = len(answer.body)
        if size > SMALL_ANSWER:
            try:
                self.answers.acquire(sender.owner, size)
            except BudgetSpent:
                refusal = problem_reply(environ, busy("Too many answers are on their way. Ask again."))
                answer = readable(environ, refusal)
            else:
                # Nobody says when an answer has been read: it counts until it has been, or its connection has ended.
                loop = asyncio.get_running_loop()
                loop.call_later(self.answer_timeout_s, self.answers.release, sender.owner, size)
        protocol.response_bytes(answer.status, answer.headers, answer.body)


async def _asked(lane: Lane, protocol: HTTPProtocol, look_up: Callable[[], bool]) -> bool:
    try:
        return await lane.run(protocol, _and_close, look_up)
    except (Error, PoolTimeout) as error:
        log.error("database unavailable", error=str(error))  # noqa: TRY400 - as everywhere else, without a traceback
        raise busy("Send again with the same identifiers.") from error


async def _send_and_linger(environ: Environ, protocol: HTTPProtocol, answer: Reply) -> None:
    headers = [(name, value) for name, value in answer.headers if name.lower() != "content-length"]
    if environ["SERVER_PROTOCOL"].startswith("HTTP/1"):
        headers.append(("Connection", "close"))  # a proxy must not send the next request, of somebody else, by it
    stream = protocol.response_stream(answer.status, headers)
    await stream.send_bytes(answer.body)
    await asyncio.sleep(LINGER_S)


def _sender(environ: Environ) -> Sender:
    token = bearer_token(environ.get("HTTP_AUTHORIZATION", ""))
    if token is None:
        return Sender(remote_address(environ))
    token_hash = hash_token(token)
    if known_tokens.knows(token_hash):
        return Sender(token_hash.hex(), token, is_known=True)
    return Sender(remote_address(environ), token)


def _and_close(look_up: Callable[[], bool]) -> bool:
    try:
        return look_up()
    finally:
        connection.close()
