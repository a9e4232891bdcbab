"""What can go wrong between a terminal and Back Office, as exceptions named after the codes of the protocol (§9)."""

from collections.abc import Mapping
from typing import Any, ClassVar

import httpx
import msgspec


class TerminalError(Exception):
    """The base of all errors of this package."""


class NotActivated(TerminalError):
    """The terminal has no credential. It goes on selling offline and sends nothing."""


class NoOpenShift(TerminalError):
    """Orders and cash movements need an open shift, and a shift starts online."""


class ShiftStillOpen(TerminalError):
    """The previous shift has not been closed: its cashier has not counted the drawer."""


class NotAllowedOffline(TerminalError):
    """An offline order has no customer and no network printer."""


class OrderTooLarge(TerminalError):
    """Back Office would not read an order of so many bytes. It has to be rung up as several."""


class LinkError(TerminalError):
    """No answer, or an answer that Back Office did not write (a captive portal, a proxy): send the same again."""


class Problem(TerminalError):
    """A refusal by Back Office: RFC 9457 problem details.

    `status` is the HTTP status, `code` the end of the type URI, `retry_after_s` seconds or None, `body` the whole
    document, including the members that only one kind of problem has (limits, a stored declaration).
    """

    codes: ClassVar[tuple[str, ...]] = ()

    def __init__(self, status: int, code: str, body: Mapping[str, Any], retry_after_s: float | None) -> None:
        super().__init__(f"{status} {code}: {body.get('detail') or body.get('title') or ''}".rstrip(": "))
        self.status = status
        self.code = code
        self.body = dict(body)
        self.retry_after_s = retry_after_s

    @property
    def errors(self) -> list[dict[str, Any]]:
        """The places in the body that are at fault: `[{pointer, code, detail}]`, often empty."""
        return list(self.body.get("errors") or [])


class BodyMalformed(Problem):
    codes = ("body-malformed",)


class DigestMismatch(Problem):
    """The bytes changed on the way."""

    codes = ("digest-mismatch",)


class CursorInvalid(Problem):
    """Back Office does not accept the feed's cursor: start the feed afresh (§8)."""

    codes = ("cursor-invalid",)


class BodyTimeout(Problem):
    """The body took too long to arrive, and nothing was stored: send it again, in smaller batches if need be."""

    codes = ("body-timeout",)


class CredentialInvalid(Problem):
    """The token is not valid, or no longer. Send nothing until the terminal is activated again."""

    codes = ("credential-invalid",)


class ActivationCodeInvalid(Problem):
    codes = ("activation-code-invalid",)


class NotFound(Problem):
    codes = ("not-found",)


class ShiftUnknown(NotFound):
    codes = ("shift-unknown",)


class ShiftAlreadyOpen(Problem):
    codes = ("shift-already-open",)


class TooLarge(Problem):
    """The request cannot be accepted in one piece; 413 carries the limits."""

    codes = ("too-large", "length-required", "media-type")


class IdentifierReused(Problem):
    codes = ("identifier-reused",)


class EnvelopeInvalid(Problem):
    codes = ("envelope-invalid",)


class Busy(Problem):
    """Wait, then send the same again under the same identifiers: 429, 503, and any other 5xx, such as a proxy's."""

    codes = ("too-many-requests", "unavailable")


_BY_CODE = {
    code: kind
    for kind in (
        BodyMalformed, DigestMismatch, CursorInvalid, BodyTimeout, CredentialInvalid, ActivationCodeInvalid, NotFound,
        ShiftUnknown, ShiftAlreadyOpen, TooLarge, IdentifierReused, EnvelopeInvalid, Busy,
    )
    for code in kind.codes
}  # fmt: skip
# A proxy's own answers with these statuses mean the same.
_BY_STATUS: dict[int, type[Problem]] = {408: BodyTimeout, 413: TooLarge, 429: Busy}


def problem_of(response: httpx.Response) -> TerminalError:
    """The exception for an answer that is not 2xx."""
    body = _problem_body(response)
    retry_after_s = seconds(response.headers.get("Retry-After"))
    if body is not None:
        code = str(body.get("type", "")).rstrip("/").replace("#", "/").rpartition("/")[2]
        kind = _BY_CODE.get(code, Busy if response.status_code >= 500 else Problem)
        return kind(response.status_code, code, body, retry_after_s)
    by_status = Busy if response.status_code >= 500 else _BY_STATUS.get(response.status_code)
    if by_status is None:
        return LinkError(f"{response.status_code} from something other than Back Office")
    return by_status(response.status_code, response.reason_phrase.lower(), {}, retry_after_s)


def _problem_body(response: httpx.Response) -> dict[str, Any] | None:
    if "application/problem+json" not in response.headers.get("Content-Type", ""):
        return None
    try:
        return msgspec.json.decode(response.content, type=dict[str, Any])
    except msgspec.MsgspecError:
        return None


def seconds(value: str | None) -> float | None:
    """Retry-After in its usual form; a date (which RFC 9110 allows) counts as absent: the backoff covers it."""
    return float(value) if value is not None and value.isascii() and value.isdigit() else None
