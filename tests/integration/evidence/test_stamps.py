"""Time stamps of checkpoints, by a real authority; and whatever else an authority may do."""

from base64 import b64decode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from shutil import which
from time import monotonic
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from rfc3161_client import TimestampRequestBuilder

from backoffice.audit.findings import Findings
from backoffice.audit.stamps import check_stamps
from backoffice.books.evidence import stamping
from backoffice.books.evidence.checkpoints import sign_checkpoint
from backoffice.books.evidence.models import Stamp, StampTry
from backoffice.books.evidence.sealer import seal
from backoffice.books.evidence.stamping import AGAIN, stamp_beside, stamp_newest
from backoffice.health import doctor
from backoffice.health.backlog import newest_unstamped
from backoffice.metrics.exposition import exposition
from tests.integration.evidence.authority import Authority, openssl, running_authority
from tests.integration.evidence.sealing import seal_here
from tests.till import Till, a_sale

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# After whatever other tests of this database have committed.
EVENING = datetime.now(UTC).replace(hour=20) + DAY
MORNING = EVENING + 10 * HOUR


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    if which("openssl") is None:
        pytest.skip("openssl is not installed, and only root can install it (apt-get install openssl)")
    with running_authority(tmp_path_factory.mktemp("authority")) as running:
        yield running


@pytest.fixture(autouse=True)
def _settings(authority: Authority, settings: Any) -> None:
    settings.TIMESTAMP_URL, settings.TIMESTAMP_CA_FILE = authority.url("stamp"), str(authority.roots)
    settings.WEBHOOKS_ALLOW_INTERNAL = True
    authority.asked.clear()
    authority.replies.clear()
    authority.over.clear()


@pytest.fixture
def books(db: None) -> Till:
    """A till that has sold something, which is sealed and was signed in the evening."""
    till = Till()
    till.open()
    sold(till, 1001, signed_at=EVENING)
    return till


def sold(till: Till, number: int, *, signed_at: datetime) -> str:
    till.sell(a_sale(number))
    seal_here(now=signed_at)
    return sign_checkpoint(now=signed_at)


def said(*words: str) -> str:
    call_command("checkpoint", *words, stdout=(out := StringIO()))
    return out.getvalue()


def found() -> list[str]:
    findings = Findings()
    with connection.cursor() as cursor:
        check_stamps(cursor, findings)
    return [f"{each.what}: {each.found}" for each in findings.kept]


def test_the_last_checkpoint_of_a_day_is_stamped_once_and_openssl_says_so_too(
    books: Till, authority: Authority, tmp_path: Path
) -> None:
    with pytest.raises(CommandError, match="No checkpoint has a time stamp"):
        said("--stamp")
    last = sold(books, 1002, signed_at=EVENING + HOUR)
    assert not stamp_newest(now=EVENING + 2 * HOUR), "the day is not over"
    sold(books, 1003, signed_at=MORNING - HOUR)
    assert stamp_newest(now=MORNING)
    assert not stamp_newest(now=MORNING + HOUR)
    assert authority.asked == ["stamp"]
    assert said("--stamped") == last
    (tmp_path / "books.note").write_text(said("--stamped"))
    (tmp_path / "books.tsr").write_bytes(b64decode(said("--stamp")))
    files = ["-data", str(tmp_path / "books.note"), "-in", str(tmp_path / "books.tsr")]
    openssl("ts", "-verify", *files, "-CAfile", str(authority.roots))
    stamp = Stamp.objects.get()
    assert abs(stamp.stamped_at - timezone.now()) < HOUR
    assert (stamp.authority, found()) == ("127.0.0.1", [])
    assert stamp_newest(now=MORNING + DAY), "the next day"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("reply = overlay(reply placing '\\x00'::bytea from length(reply) - 4)", "signature"),
        ("reply = '\\x30053003020102'", "signature: it is a refusal"),
        ("reply = 'x'", "signature"),
        ("stamped_at = stamped_at - interval '1 day'", "time: "),
    ],
)
def test_a_stamp_that_was_changed_is_refused_by_the_database_and_found_by_verify_books(
    books: Till, change: str, words: str
) -> None:
    assert stamp_newest(now=MORNING)
    with connection.cursor() as cursor:
        with pytest.raises(IntegrityError), transaction.atomic():
            cursor.execute(f"UPDATE evidence_stamp SET {change}")
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; ALTER TABLE evidence_stamp DISABLE TRIGGER USER")
        cursor.execute(f"UPDATE evidence_stamp SET {change}")
        cursor.execute("ALTER TABLE evidence_stamp ENABLE TRIGGER USER")
    (difference,) = found()
    assert difference.startswith(words)


def test_a_stamp_of_an_authority_that_is_not_believed_is_found(books: Till, settings: Any, tmp_path: Path) -> None:
    assert stamp_newest(now=MORNING)
    for file, words in ((str(Authority(tmp_path).roots), "signature: "), (None, "cannot be checked: ")):
        settings.TIMESTAMP_CA_FILE = file
        (difference,) = found()
        assert difference.startswith(words)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("slow", "no answer within 0.5 s"),
        ("rubbish", "no stamp of it that can be trusted"),
        ("broken", "answered 500"),
        ("redirect", "answered 302"),
        ("refuse", "refused: status 2"),
        ("replay", "Nonce mismatch"),
    ],
)
def test_what_is_no_stamp_is_not_kept_and_asked_for_again(
    books: Till, authority: Authority, settings: Any, monkeypatch: pytest.MonkeyPatch, *, path: str, words: str
) -> None:
    monkeypatch.setattr(stamping, "TIMEOUT_S", 0.5 if path == "slow" else 60)
    request = TimestampRequestBuilder().data(b"another").build()
    authority.replies.append(authority.reply(request.as_bytes(), config="stamp"))
    settings.TIMESTAMP_URL = authority.url(path)
    assert not stamp_newest(now=MORNING)
    assert not stamp_newest(now=MORNING + AGAIN / 2)
    assert authority.asked == [path]
    waited = newest_unstamped(now=MORNING + 25 * HOUR)
    assert (waited.seconds, words in waited.error) == (25 * 3600, True), waited
    assert b"backoffice_unstamped_seconds " in exposition()
    settings.TIMESTAMP_URL = authority.url("stamp")
    assert stamp_newest(now=MORNING + AGAIN)
    assert newest_unstamped(now=MORNING + AGAIN).seconds == 0


def test_an_authority_that_is_inside_or_not_believed_is_said_to_be_by_doctor(
    books: Till, authority: Authority, settings: Any, tmp_path: Path
) -> None:
    settings.WEBHOOKS_ALLOW_INTERNAL = False
    long_ago = timezone.now() - 30 * HOUR
    assert not stamp_newest(now=MORNING)
    assert authority.asked == []
    StampTry.objects.update(began_at=long_ago)
    (diagnosis,) = [each for each in doctor._backlog() if each.about == "Time stamp"]
    assert diagnosis.verdict is doctor.Condition.ODD
    assert "waited for 30 h: 127.0.0.1 leads to an address inside" in diagnosis.said
    settings.WEBHOOKS_ALLOW_INTERNAL = True
    others = str(Authority(tmp_path).roots)
    for tries, (file, words) in enumerate(
        [(others, "certificate verify error"), (None, "names no file"), ("/none", "No such")], 1
    ):
        settings.TIMESTAMP_CA_FILE = file
        assert not stamp_newest(now=MORNING + tries * AGAIN)
        assert words in StampTry.objects.get().error


def test_nothing_waits_for_an_authority_that_is_slow(
    committed_db: None, authority: Authority, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stamping, "TIMEOUT_S", 60.0)
    settings.TIMESTAMP_URL = authority.url("slow")
    till = Till()
    till.open()
    till.sell(a_sale(1001))
    seal(now=timezone.now())
    sign_checkpoint(now=timezone.now())
    try:
        assert stamp_beside(now=timezone.now() + DAY)
        assert not stamp_beside(now=timezone.now() + DAY), "one at a time"
        deadline = monotonic() + 60
        while not authority.asked:
            assert monotonic() < deadline
        assert stamping._asking is not None
        assert stamping._asking.is_alive()
        assert StampTry.objects.get().error == stamping.UNANSWERED
    finally:
        authority.over.set()
        if stamping._asking is not None:
            stamping._asking.join(60)
        StampTry.objects.all().delete()


def test_nobody_is_asked_where_no_authority_is_set(settings: Any) -> None:
    settings.TIMESTAMP_URL = ""
    assert not stamp_beside(now=MORNING)
