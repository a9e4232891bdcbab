from random import Random

import httpx
import pytest

from backoffice.workbench.simulator.link import FAIR, FaultyLink, Weather


class Server:
    """Remembers what arrived, in the order it arrived."""

    def __init__(self) -> None:
        self.arrived: list[str] = []
        self.transport = httpx.MockTransport(self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.arrived.append(request.content.decode())
        return httpx.Response(200, content=request.content)


@pytest.fixture
def server() -> Server:
    return Server()


def client(server: Server, weather: Weather) -> httpx.Client:
    return httpx.Client(transport=FaultyLink(server.transport, Random(1), weather), base_url="http://back.office")


def test_a_fair_line_delivers_and_answers(server: Server) -> None:
    assert client(server, FAIR).put("/x", content="a").text == "a"
    assert server.arrived == ["a"]


def test_a_lost_request_never_arrives(server: Server) -> None:
    with pytest.raises(httpx.TransportError):
        client(server, Weather(lost_requests=1)).put("/x", content="a")
    assert server.arrived == []


def test_an_answer_is_lost_after_the_request_has_arrived(server: Server) -> None:
    with pytest.raises(httpx.TransportError):
        client(server, Weather(lost_answers=1)).put("/x", content="a")
    assert server.arrived == ["a"]


def test_a_repeated_request_arrives_twice_and_is_answered_once(server: Server) -> None:
    assert client(server, Weather(repeated=1)).put("/x", content="a").text == "a"
    assert server.arrived == ["a", "a"]


def test_a_request_that_is_stuck_arrives_after_the_one_sent_later(server: Server) -> None:
    link = FaultyLink(server.transport, Random(1), Weather(overtaken=1))
    line = httpx.Client(transport=link, base_url="http://back.office")
    with pytest.raises(httpx.TransportError):
        line.put("/x", content="first")
    link.weather = FAIR
    line.put("/x", content="second")
    assert server.arrived == ["second", "first"]


def test_nothing_passes_a_cable_that_is_pulled_out(server: Server) -> None:
    link = FaultyLink(server.transport, Random(1))
    link.cut = True
    with pytest.raises(httpx.ConnectError):
        httpx.Client(transport=link).get("http://back.office/x")
    assert (server.arrived, link.mishaps["cut"]) == ([], 1)


def test_the_same_seed_gives_the_same_weather(server: Server) -> None:
    weather = Weather(lost_requests=0.3, lost_answers=0.3, repeated=0.2)

    def fates(seed: int) -> list[str]:
        link = FaultyLink(server.transport, Random(seed), weather)
        line = httpx.Client(transport=link, base_url="http://back.office")
        found = []
        for _ in range(50):
            try:
                line.put("/x", content="a")
                found.append("answered")
            except httpx.TransportError as error:
                found.append(type(error).__name__)
        return found

    assert fates(3) == fates(3)
    assert fates(3) != fates(4)
