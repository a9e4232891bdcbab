"""Exports in the console: asked for by who may, written by a worker, downloaded, and each download noted."""

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from backoffice.books.exports.jobs import KEPT_FOR, run_waiting
from backoffice.books.exports.models import ExportDownload, ExportJob
from tests.integration.console.pages import Page
from tests.integration.evidence.sealing import seal_here
from tests.integration.exports.sending import DAY, Target
from tests.signing_in import sign_in
from tests.till import Till, a_sale

LIST = "admin:exports_exportjob_changelist"


@pytest.fixture
def target(db: None, tmp_path: Path) -> Target:
    """A store with one sale, and a profile."""
    till = Till()
    till.open()
    till.sell(a_sale(1001))
    seal_here()
    target = Target(till, tmp_path, "ledger")
    target.define("gl-csv")
    return target


def somebody(*rights: str) -> Client:
    user = User.objects.create_user("olga", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    client = Client()
    sign_in(client, user)
    return client


def asked(client: Client, target: Target, **changes: Any) -> Any:
    """Presses "Export" for the first of March."""
    profile = client.get(reverse(LIST)).context["ask_form"].fields["profile"].queryset.get(name=target.name)
    chosen = {"profile": profile.pk, "store": target.till.store.pk, "first": DAY, "last": DAY}
    return client.post(reverse("admin:exports_exportjob_ask"), chosen | changes)


def test_a_worker_writes_it_and_the_same_bytes_are_downloaded(target: Target) -> None:
    client = somebody("view_exportjob", "run_export")
    place = asked(client, target)["Location"]
    assert "Waiting" in Page(client.get(place).content.decode()).text
    assert run_waiting(now=timezone.now()) == 1
    page = client.get(place)
    text = Page(page.content.decode()).text
    for words in ("Done", f"{target.till.store.code}-20260301-r1", "€202.40", "olga"):
        assert words in text
    (file,) = page.context["files"]
    job = ExportJob.objects.get(store=target.till.store)
    answer = client.post(reverse("admin:exports_exportjob_file", args=[job.pk]), {"name": file.name})
    assert answer["Content-Disposition"] == f'attachment; filename="{file.file_name}"'
    again = target.again(1, into="again")
    assert {file.name: answer.content} == target.files(again, "again")
    (download,) = ExportDownload.objects.filter(job=job)
    assert (download.name, download.person.username, download.address) == (file.name, "olga", "127.0.0.1")
    assert run_waiting(now=timezone.now() + 2 * KEPT_FOR) == 0
    assert client.get(place).context["files"] == []


def test_what_was_sent_before_is_said_to_be(target: Target) -> None:
    client = somebody("view_exportjob", "run_export")
    target.export()
    place = asked(client, target)["Location"]
    run_waiting(now=timezone.now())
    assert "was sent before" in Page(client.get(place).content.decode()).text


def test_what_is_refused_says_why(target: Target) -> None:
    client = somebody("view_exportjob", "run_export")
    target.define("gl-csv", code_map="account,code\n1000,530\n")
    place = asked(client, target)["Location"]
    run_waiting(now=timezone.now())
    assert "no code for what has moved: account 1010" in Page(client.get(place).content.decode()).text
    answer = asked(client, target, first="2026-03-02")
    assert "is after" in Page(client.get(answer["Location"]).content.decode()).text


def test_who_may_only_look_can_neither_ask_nor_download(target: Target) -> None:
    reader = somebody("view_exportjob", "change_exportjob")
    assert reader.get(reverse(LIST)).context["ask_form"] is None
    assert reader.post(reverse("admin:exports_exportjob_ask"), {}).status_code == 403
    target.export()
    job = ExportJob.objects.get(store=target.till.store)
    assert reader.post(reverse("admin:exports_exportjob_file", args=[job.pk]), {"name": "x"}).status_code == 403
