"""Attacks that need no terminal: bodies that never end, logins, activation codes, addresses."""

import asyncio
import re
from html import unescape
from urllib.parse import quote, urlencode

from tests.bench.hostile.attacker import SOMEWHERE, Attack, Attacker

FULL_BATCH = 4 * 2**20
CROWD = 100
HOLD_S = 15.0
GONE_AT_ONCE = 250
# The token of a login form is no secret: it must only be the same in both places.
CSRF = "a" * 32
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": f"csrftoken={CSRF}"}
CODE_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"

NOWHERE = "00000000-0000-4000-8000-000000000000"
ANYWHERE = (
    ("PUT", f"/api/v1/shifts/{NOWHERE}/batches/{NOWHERE}"),
    ("PUT", f"/api/v1/shifts/{NOWHERE}/close"),
    ("POST", "/api/v1/activations"),
    ("POST", "/console/login/"),
    ("POST", "/console/sales/order/"),
    ("GET", "/livez"),
    ("GET", "/api/schema/"),
    ("PUT", "/nowhere"),
)
LISTS = (
    *("sales/order", "sales/shift", "sales/helditem", "inbox/batch", "ledger/journalentry", "ledger/account"),
    *("fleet/terminal", "fleet/store"),
)
PARAMETERS = (
    *("q", "p", "o", "all", "month", "day", "store", "terminal", "state", "s", "page", "before", "after"),
    *("cashier__regex", "number__in", "business_date__year", "opening_hash", "digest", "order_types__contains"),
)
ODD = (
    *("", "0", "-1", "9" * 30, "9" * 5000, "\0", "%00", "[", "(", "\ufffd", "'", "9999-12", "0001-01", "2026-13"),
    *("9999-12-31T23:59:59-23:59", NOWHERE, "f" * 32, "x~y", "NaN", "é" * 300),
)
DESCRIPTION = "/api/docs/"
MOST_PAGES = 200
FOUND = 302
SESSION = re.compile(r"sessionid=[^;,]+")
LINK = re.compile(r'\shref="(/console/(?:sales|inbox|ledger|fleet)/[^"]*)"')


async def withhold(attacker: Attacker) -> None:
    """A hundred at a time declare a full batch and never send its last byte."""
    places = asyncio.Semaphore(CROWD)

    async def one(number: int) -> None:
        async with places:
            await _withhold(attacker, *ANYWHERE[number % len(ANYWHERE)])

    async with asyncio.TaskGroup() as crowd:
        async for number in attacker.turns(per_s=20):
            crowd.create_task(one(number))


async def _withhold(attacker: Attacker, method: str, path: str) -> None:
    host, _, port = attacker.task.address.partition(":")
    token = attacker.rng.choice([{}, {"Authorization": f"Bearer {attacker.rng.getrandbits(256):064x}"}])
    head = attacker.line(anonymous=True).head(
        method, path, FULL_BATCH, **{"X-Forwarded-For": attacker.an_address()} | token
    )
    try:
        reader, writer = await asyncio.open_connection(host, int(port))
    except OSError as error:
        attacker.told[type(error).__name__] += 1
        return
    try:
        writer.write(head + bytes(FULL_BATCH - 1))
        async with asyncio.timeout(HOLD_S):
            words = (await reader.readline()).split()
        attacker.hear(int(words[1]), f"{method} {path}") if len(words) > 1 else attacker.told.update(["closed"])
    except TimeoutError:
        attacker.told["held to the end"] += 1
    except OSError:
        attacker.told["closed"] += 1
    finally:
        writer.transport.abort()


async def log_in_and_go(attacker: Attacker) -> None:
    """Hundreds of logins at once whose senders hang up, again and again; and two that wait for each answer."""
    async with asyncio.TaskGroup() as crowd:
        crowd.create_task(_guess(attacker))
        crowd.create_task(_guess(attacker))
        async for _ in attacker.turns(per_s=0.1):
            many = [_log_in(attacker) for _ in range(attacker.so_many(GONE_AT_ONCE))]
            await asyncio.gather(*many)


async def _guess(attacker: Attacker) -> None:
    line = attacker.line(anonymous=True)
    async for _ in attacker.turns(per_s=1):
        headers = FORM | {"X-Forwarded-For": attacker.an_address()}
        await attacker.ask(line, "POST", "/console/login/", _login_form(attacker), **headers)


async def _log_in(attacker: Attacker) -> None:
    host, _, port = attacker.task.address.partition(":")
    form = _login_form(attacker)
    headers = FORM | {"X-Forwarded-For": attacker.an_address()}
    head = attacker.line(anonymous=True).head("POST", "/console/login/", len(form), **headers)
    try:
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(head + form)
        await writer.drain()
        writer.close()
        attacker.told["gone"] += 1
    except OSError as error:
        attacker.told[type(error).__name__] += 1


def _login_form(attacker: Attacker) -> bytes:
    name = f"user-{attacker.rng.randrange(10**9)}"
    return urlencode({"csrfmiddlewaretoken": CSRF, "username": name, "password": "wrong"}).encode()


async def guess_codes(attacker: Attacker) -> None:
    """Activation codes, one after the other, all from one address."""

    async def guess() -> None:
        line = attacker.line(anonymous=True)
        async for _ in attacker.turns(per_s=10):
            code = "-".join("".join(attacker.rng.choices(CODE_LETTERS, k=4)) for _ in range(3))
            body = f'{{"activation_code":"{code}","device":{{}}}}'.encode()
            headers = {"Content-Type": "application/json", "X-Forwarded-For": SOMEWHERE}
            await attacker.ask(line, "POST", "/api/v1/activations", body, **headers)

    await asyncio.gather(*(guess() for _ in range(4)))


async def open_console(attacker: Attacker) -> None:
    """Logs in as somebody who may see everything."""
    form = {"csrfmiddlewaretoken": CSRF, "username": attacker.task.user, "password": attacker.task.password}
    answer = await attacker.line(anonymous=True).ask("POST", "/console/login/", urlencode(form).encode(), **FORM)
    found = SESSION.search(answer.headers.get("set-cookie", ""))
    if answer.status != FOUND or found is None:
        raise RuntimeError(f"Nobody could log in to the console: {answer.status}")
    attacker.cookie = found[0]


async def look_everywhere(attacker: Attacker) -> None:
    """Somebody who is logged in asks for odd addresses, and for pages of what the attackers sent."""
    line = attacker.line(anonymous=True)
    headers = {"Cookie": attacker.cookie, "X-Forwarded-For": SOMEWHERE}
    pages: list[str] = []
    async for number in attacker.turns(per_s=3):
        name = attacker.rng.choice(LISTS)
        query = urlencode([(attacker.rng.choice(PARAMETERS), attacker.rng.choice(ODD)) for _ in range(2)])
        address = [
            f"/console/{name}/?{query}",
            f"/console/{name}/{quote(attacker.rng.choice(ODD), safe='')}/change/",
            f"/console/ledger/account/trial-balance/?{query}",
            pages.pop() if pages else f"/console/{name}/",
            DESCRIPTION,
        ][number % 5]
        answer = await attacker.ask(line, "OPTIONS" if address == DESCRIPTION else "GET", address, **headers)
        if answer is not None and len(pages) < MOST_PAGES:
            pages += {unescape(found) for found in LINK.findall(answer.body.decode("utf-8", "replace"))} - set(pages)


STRANGERS = {
    "withheld bodies": Attack("100 strangers at a time who never end a body of 4 MiB, on any path", withhold),
    "logins": Attack("250 logins at once whose senders hang up, every ten seconds, and two who guess", log_in_and_go),
    "activations": Attack("codes guessed from one address", guess_codes),
    "console": Attack("odd addresses, and the pages of what the others sent", look_everywhere, open_console),
}
