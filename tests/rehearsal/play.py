"""What all acts use: the operator's shell, the till, the watch, and the table that grows step by step."""

import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.rehearsal.shell import CommandError, Shell
from tests.rehearsal.till import Sale, Till
from tests.rehearsal.watch import Seen, Watch

INSTALLED = Path("/opt/backoffice")
BACKUPS = Path("/var/backups/backoffice")
NAME = "localhost"
PATIENCE_S = 180.0
HEALTH = "{{.State.Status}} {{.State.Health.Status}}"
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "TERM": "dumb",
    "LANG": "C.UTF-8",
    # What is said goes into a log, and not onto a screen that can be drawn on.
    "COMPOSE_ANSI": "never",
    "BUILDKIT_PROGRESS": "plain",
}


@dataclass(frozen=True)
class Row:
    """One step: what was done, how long it took, what the till sold meanwhile, what somebody at the door saw, and notes."""

    title: str
    seconds: float
    sales: list[Sale]
    seen: Seen | None
    notes: list[str]


@dataclass
class Play:
    """A rehearsal as it goes on. `work` is its folder on the machine, `began` when the step of this moment did."""

    work: Path
    say: Callable[[str], None]
    rows: list[Row] = field(default_factory=list)
    till: Till | None = None
    watch: Watch | None = None
    began: float = 0.0

    def __post_init__(self) -> None:
        home = self.work / "home"
        home.mkdir(exist_ok=True)
        environment = {**ENVIRONMENT, "HOME": str(home)}
        environment["PATH"] = f"{self.work / 'bin'}:{environment['PATH']}"
        self.shell = Shell(self.work / "log", folder=INSTALLED, environment=environment)

    @contextmanager
    def step(self, title: str) -> Iterator[Callable[[str], None]]:
        """A row of the table; notes are added by what it gives."""
        notes: list[str] = []
        began, sold = time.time(), len(self.till.sales) if self.till else 0
        self.began = began
        self.say(f"  {title} …")
        yield notes.append
        sales = self.till.sales[sold:] if self.till else []
        seen = self.watch.since(began) if self.watch else None
        self.rows.append(Row(title, time.time() - began, sales, seen, notes))

    def trust(self, certificate: str) -> None:
        """Has every client from here on trust Caddy's own authority, which is nobody's but this rehearsal's."""
        path = self.work / "authority.pem"
        path.write_text(certificate)
        self.shell.environment["CURL_CA_BUNDLE"] = os.environ["SSL_CERT_FILE"] = str(path)

    def start_selling(self, code: str) -> None:
        """From here on the till sells, and somebody looks whether the door is open."""
        self.watch = Watch(NAME)
        self.till = Till(self.work / "till.sqlite", f"https://{NAME}", code)
        self.till.start()

    def sql(self, statement: str) -> str:
        """What PostgreSQL answers, as its superuser."""
        words = "docker compose exec -T postgres psql --username postgres --tuples-only --no-align backoffice"
        return self.shell.type(f'{words} --command "{statement}"').strip()

    def container(self, service: str, of: str) -> str:
        """Facts of a service's container, such as `{{.State.Pid}}`."""
        found = self.shell.type(f"docker inspect --format '{of}' $(docker compose ps --all --quiet {service})")
        return found.strip()

    def wait_until_well(self, service: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while (state := self.container(service, HEALTH)) != "running healthy":
            if time.monotonic() > deadline:
                raise AssertionError(f"{service} is {state}")
            time.sleep(0.5)

    def set(self, **values: str) -> None:
        """Writes values into `.env`, as an editor would."""
        path = INSTALLED / ".env"
        text = path.read_text()
        for name, value in values.items():
            text, many = re.subn(rf"^#?{name}=.*$", f"{name}={value}", text, flags=re.MULTILINE)
            if many != 1:
                raise LookupError(f"{name} stands {many} times in .env")
        path.write_text(text)

    def setting(self, name: str) -> str:
        found = re.search(rf"^{name}=(.*)$", (INSTALLED / ".env").read_text(), re.MULTILINE)
        if found is None:
            raise LookupError(name)
        return found[1]

    def look_at_what_failed(self) -> None:
        """Has the containers say into the log how they are."""
        for words in (
            "docker compose ps --all",
            "docker compose logs --tail 60",
            "docker inspect --format '{{.Name}} {{json .State}}' $(docker compose ps --all --quiet)",
        ):
            with suppress(CommandError):
                self.shell.type(words)

    @property
    def selling(self) -> Till:
        assert self.till is not None, "the till is opened by the first act"
        return self.till
