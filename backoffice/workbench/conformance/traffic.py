"""Requests as they arrive, answers as they leave, and how a body is taken out of its encoding."""

import base64
import binascii
import hashlib
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

import msgspec

from backoffice.domain.limits import MAX_MEMBER_BYTES
from backoffice.workbench.conformance.problems import PROBLEM, PROBLEMS, TYPE_PREFIX

MAX_SENT = 4 * 1024 * 1024
MAX_DECODED = 8 * 1024 * 1024
# An activation, an opening or a heartbeat, both as sent and decoded.
MAX_SMALL = 64 * 1024
LIMITS = {
    "max_batch_orders": 2_000,
    "max_batch_bytes": MAX_SENT,
    "max_decoded_bytes": MAX_DECODED,
    "max_member_bytes": MAX_MEMBER_BYTES,
}
RETRY_AFTER = "Retry-After"
_GZIP = 16 + zlib.MAX_WBITS
_IDENTIFIER = re.compile(r"[0-9A-Fa-f]{8}-[0-9A-Fa-f-]{27}")
_DIGEST = re.compile(r"(?:^|,)\s*sha-256=:([A-Za-z0-9+/=]*):\s*(?:,|$)")

Manner = Literal["whole", "lost", "truncated"]


@dataclass(frozen=True)
class Request:
    """One request; `at` is seconds of a monotonic clock, header names are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    sent: bytes
    at: float

    @property
    def path(self) -> str:
        """The address without its query."""
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        """The last value of each parameter."""
        return {name: values[-1] for name, values in parse_qs(urlsplit(self.target).query).items()}

    @property
    def line(self) -> str:
        """The request in short, for people."""
        return f"{self.method} {self.path.removeprefix('/api/v1')}"

    @property
    def kind(self) -> str:
        """Its line without identifiers, the same for every request of its kind."""
        return _IDENTIFIER.sub("…", self.line)


@dataclass(frozen=True)
class Answer:
    """An answer, and how it reaches the terminal: `whole`, `lost` or `truncated`, and `delay_s` late."""

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)
    manner: Manner = "whole"
    delay_s: float = 0.0

    @property
    def is_success(self) -> bool:
        """Whether the terminal gets a whole 2xx answer."""
        return self.manner == "whole" and self.status // 100 == 2  # noqa: PLR2004 - the class of success

    def at(self, path: str) -> "Answer":
        """The same, with the address that was asked for where it is a problem."""
        is_problem = self.headers.get("Content-Type") == PROBLEM
        return replace(self, body={**self.body, "instance": path}) if is_problem else self

    @property
    def retry_after_s(self) -> float | None:
        """The value of `Retry-After`, if any."""
        asked = self.headers.get(RETRY_AFTER)
        return None if asked is None else float(asked)

    @property
    def encoded(self) -> bytes:
        """The bytes of the body."""
        return msgspec.json.encode(self.body)


class Refused(Exception):
    """The request is answered with a problem. `rule` is the rule that it broke, or ""."""

    def __init__(self, answer: Answer, *, rule: str = "", what: str = "") -> None:
        super().__init__(what)
        self.answer = answer
        self.rule = rule
        self.what = what


def problem_answer(code: str, detail: str = "", *, retry_after_s: int | None = None, **members: object) -> Answer:
    """A problem as the service writes it (protocol §2.7). Its `instance` is told when it leaves."""
    status, title, usual = PROBLEMS[code]
    headers = {"Content-Type": PROBLEM}
    if retry_after_s is not None:
        headers[RETRY_AFTER] = str(retry_after_s)
    if code == "credential-invalid":
        headers["WWW-Authenticate"] = "Bearer"
    body = {"type": TYPE_PREFIX + code, "title": title, "status": status, "detail": detail or usual or title}
    return Answer(status, {**body, **members}, headers)


def unframed(request: Request, *, small: bool = False) -> bytes:
    """The body without its encoding. Raises Refused if it is not what its headers say (protocol §5, §9).

    `small` sets the limit of activations, openings and heartbeats.
    """
    if request.headers.get("transfer-encoding") or not request.headers.get("content-length", "").isdigit():
        raise _wrong(problem_answer("length-required"), "framing", "the request does not state its length")
    if small and len(request.sent) > MAX_SMALL:
        raise _too_large(f"At most {MAX_SMALL} bytes are accepted, as sent.", small=small)
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != "application/json":
        raise _wrong(problem_answer("media-type"), "framing", f'the Content-Type is "{media}"')
    _check_digest(request)
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in {"identity", "gzip"}:
        raise _wrong(problem_answer("media-type"), "framing", f'the Content-Encoding is "{encoding}"')
    return _gunzip(request.sent, small=small) if encoding == "gzip" else request.sent


def _check_digest(request: Request) -> None:
    found = _DIGEST.search(request.headers.get("content-digest", ""))
    if found is None:
        return
    try:
        stated = base64.b64decode(found[1], validate=True)
    except binascii.Error:
        stated = b""
    if stated != hashlib.sha256(request.sent).digest():
        raise _wrong(problem_answer("digest-mismatch"), "digest", "the digest is not that of the bytes as sent")


def _gunzip(sent: bytes, *, small: bool) -> bytes:
    limit = MAX_SMALL if small else MAX_DECODED
    decoder = zlib.decompressobj(_GZIP)
    try:
        decoded = decoder.decompress(sent, limit + 1)
    except zlib.error:
        raise _wrong(problem_answer("body-malformed"), "gzip", "the body is not gzip") from None
    if len(decoded) > limit:
        raise _too_large(f"At most {limit} bytes are accepted after decoding.", small=small)
    if not decoder.eof or decoder.unused_data:
        raise _wrong(problem_answer("body-malformed"), "gzip", "the gzip stream is cut off, or followed by other bytes")
    return decoded


def _wrong(answer: Answer, rule: str, what: str) -> Refused:
    return Refused(answer, rule=rule, what=what)


def _too_large(detail: str, *, small: bool) -> Refused:
    limits = LIMITS | ({"max_message_bytes": MAX_SMALL} if small else {})
    return Refused(problem_answer("too-large", detail, limits=limits))
