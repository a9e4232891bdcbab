"""The pages for people who build terminals: the protocol, and one for each problem at the path of its `type`."""

import re
from html import unescape
from urllib.parse import urlsplit

import pytest
from django.test import Client

from pos_api.description.pages import PROTOCOL
from pos_api.problems import TITLES, TYPE_PREFIX
from tests.unit.docs.documents import PROTOCOL as WRITTEN
from tests.unit.docs.documents import anchors, rows, section

PROBLEMS = {
    cells[1].strip("`"): cells for cells in rows(section(WRITTEN, "## 9. ")) if re.fullmatch(r"\d{3}", cells[0])
}
PAGES = ["/api/protocol/", "/problems/", *(urlsplit(TYPE_PREFIX + code).path for code in TITLES)]


def shown(path: str) -> str:
    answer = Client().get(path)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    return answer.content.decode()


def words(html: str) -> str:
    return unescape(re.sub(r"<[^>]+>", "", html))


@pytest.mark.parametrize("code", TITLES)
def test_the_path_of_a_problems_type_is_a_page_that_says_what_the_protocol_says(code: str):
    page = words(shown(urlsplit(TYPE_PREFIX + code).path))
    status, title = TITLES[code]
    plain = [re.sub(r"[`*]", "", cell) for cell in PROBLEMS[code]]
    assert f"{status} {code}" in page
    assert title in page
    assert f"When: {plain[2]}" in page
    assert f"The terminal {plain[3]}." in page
    assert f'"type": "{TYPE_PREFIX}{code}"' in page


def test_there_is_a_list_of_them():
    page = shown("/problems/")
    for code in TITLES:
        assert f'href="/problems/{code}"' in page


def test_the_protocol_is_shown_whole_and_its_links_lead_somewhere():
    assert PROTOCOL == WRITTEN
    page = shown("/api/protocol/")
    assert set(re.findall(r'<h[1-6] id="([^"]+)"', page)) == anchors(WRITTEN)
    for text in ("11. Your first shift in ten minutes", "customer-on-offline-order", "PUT /shifts/{shift_id}/close"):
        assert text in words(page)
    for link in re.findall(r'href="([^"]+)"', page):
        if link.startswith("#"):
            assert link.removeprefix("#") in anchors(WRITTEN)
        else:
            assert Client().get(link).status_code == 200, link


@pytest.mark.parametrize("path", PAGES)
def test_a_page_loads_nothing_and_may_load_nothing(path: str):
    answer = Client().get(path)
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert not re.search(r"<(?:script|link|img|iframe|form)\b|@import|url\(", answer.content.decode())


def test_nothing_of_a_request_is_in_a_page():
    for path in (*PAGES, "/problems/zzmarkzz", "/problems/%3Cb%3Ezzmarkzz"):
        answer = Client().get(f"{path}?zzmarkzz=<b>zzmarkzz", headers={"Referer": "zzmarkzz", "User-Agent": "zzmarkzz"})
        assert b"zzmarkzz" not in answer.content
        assert answer.status_code == (404 if "zzmarkzz" in path else 200)


@pytest.mark.parametrize("path", PAGES[:3])
def test_a_page_is_only_read(path: str):
    assert Client().post(path).status_code == 405
    assert Client().head(path).status_code == 200
