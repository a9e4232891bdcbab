"""A disk that is full: what cannot be kept is 503, never 2xx, and all is well when there is room again."""

import os
import subprocess
from collections.abc import Iterator
from errno import ENOSPC
from pathlib import Path
from random import Random
from uuid import uuid4

import pytest

from backoffice.workbench.embedded import postgres
from backoffice.workbench.embedded.stack import Stack
from tests.faults.conftest import TAKEN, Mortal, assert_posted_once
from tests.journeys.http_till import HttpTill, a_store_code, eventually
from tests.migrated import migrated
from tests.till import a_sale, outcomes

SIZE_MIB = 400

TRIES = 100


@pytest.fixture(scope="module")
def small_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A file system of its own."""
    folder = tmp_path_factory.mktemp("disk")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MIB}m,mode=0755", "tmpfs", str(folder)], check=False
    )
    if mounted.returncode != 0:
        pytest.skip("who runs these tests may not mount a file system")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture(scope="module")
def cramped(small_disk: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mortal]:
    """A Back Office on it."""
    log_file = tmp_path_factory.mktemp("cramped") / "log"
    with pytest.MonkeyPatch.context() as patch, log_file.open("w") as log:
        patch.setitem(postgres.SETTINGS, "max_wal_size", "64MB")
        with (
            Stack(migrated(small_disk / "data"), log=log) as stack,
            Mortal(stack, orders=small_disk, log=log_file) as cramped,
        ):
            yield cramped


def fill(folder: Path) -> Path:
    """A file that takes all room that is left."""
    path = folder / "ballast"
    with path.open("wb", buffering=0) as file:
        for _ in range(TRIES):  # the servers take some of it meanwhile
            free = os.statvfs(folder)
            try:
                os.posix_fallocate(file.fileno(), 0, free.f_bavail * free.f_frsize)
            except OSError as error:
                if error.errno != ENOSPC:
                    raise
            else:
                return path
    raise AssertionError(f"the room of {folder} was never the same twice")


def test_with_the_disk_full_nothing_is_2xx_that_is_not_kept_and_with_room_again_all_is_posted(
    cramped: Mortal, small_disk: Path
) -> None:
    till = HttpTill(cramped, a_store_code(cramped))
    till.open()
    chance, orders = Random(1), [a_sale(1001 + place) for place in range(40)]
    for order in orders:  # what does not compress fills pages
        order["customer"] = {"name": "Léa", "noise": chance.randbytes(100_000).hex()}
    answers: dict[str, int] = {}
    ballast = fill(small_disk)
    try:
        for order in orders:
            batch_id = str(uuid4())
            answer = till.upload(order, batch_id=batch_id)
            answers[batch_id] = answer.status_code
            if answer.status_code == 503:
                assert int(answer.headers["Retry-After"]) > 0
                assert "space" not in answer.text
        assert set(answers.values()) <= TAKEN | {503}
        assert list(answers.values()).count(503) >= 20
    finally:
        ballast.unlink()
    eventually(lambda: till.send("GET", "terminal").status_code, lambda status: status == 200)
    for (batch_id, status), order in zip(answers.items(), orders, strict=True):
        if status == 503:  # the same identifiers again
            again = eventually(
                lambda order=order, batch_id=batch_id: till.upload(order, batch_id=batch_id).status_code,
                lambda status: status != 503,
            )
            assert again in TAKEN
    for batch_id in answers:
        assert outcomes(till.processed(batch_id)) == ["posted"]
    assert_posted_once(cramped, orders)
