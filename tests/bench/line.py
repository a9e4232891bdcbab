"""A connection over HTTP/1.1 that costs next to nothing, so that one process can play hundreds of terminals at once."""

import asyncio
from collections.abc import Mapping
from typing import NamedTuple

# What an attempt may fail with: the connection broke, or the answer did not come in time.
LOST = (OSError, asyncio.IncompleteReadError, TimeoutError)


class Answer(NamedTuple):
    """`headers` by their names in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def retry_after_s(self) -> float:
        """The seconds of `Retry-After`; 0 where there is none."""
        return float(self.headers.get("retry-after", 0))


class Line:
    """A client's connection: kept open between its requests, made anew when it breaks. No answer may take `timeout_s`."""

    def __init__(self, address: str, token: str | None = None, *, timeout_s: float | None = None) -> None:
        self._host, _, self._port = address.partition(":")
        self._token = token
        self._timeout_s = timeout_s
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def put(self, path: str, body: bytes, **headers: str) -> Answer:
        """A message of JSON. Raises one of LOST."""
        return await self.ask("PUT", path, body, **{"Content-Type": "application/json"} | headers)

    async def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        """The answer to one request. Raises one of LOST."""
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._ask(method, self.head(method, path, len(body), **headers) + body)
        except LOST:
            self.close()
            raise

    def head(self, method: str, path: str, length: int, **headers: str) -> bytes:
        """A request as far as its body."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self._host}"]
        if self._token is not None:
            lines.append(f"Authorization: Bearer {self._token}")
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if length or method in {"PUT", "POST"}:
            lines.append(f"Content-Length: {length}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    async def _ask(self, method: str, request: bytes) -> Answer:
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, int(self._port), limit=2**20)
        reader, writer = self._streams
        writer.write(request)
        await writer.drain()
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers: dict[str, str] = {}
        for name, _, value in (line.partition(":") for line in lines[1:]):
            before = headers.get(name.lower())
            headers[name.lower()] = value.strip() if before is None else f"{before}, {value.strip()}"
        status = int(lines[0].split()[1])
        body = b""
        if method != "HEAD" and "content-length" in headers:
            body = await reader.readexactly(int(headers["content-length"]))
        elif "transfer-encoding" in headers:
            body = await _chunks(reader)
        if headers.get("connection", "").lower() == "close":
            self.close()
        return Answer(status, headers, body)

    def close(self) -> None:
        """Hangs up."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    parts = []
    while length := int(await reader.readuntil(b"\r\n"), 16):
        parts.append(await reader.readexactly(length))
        await reader.readexactly(2)
    await reader.readuntil(b"\r\n")
    return b"".join(parts)
