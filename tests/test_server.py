"""What gunicorn no longer finds out anew for each request: its answers are the same, and it is still asked for them."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.http import RequestParser, message, wsgi
from gunicorn.http.message import HeaderPolicy

from quiz import server

PROXY, PROXY_OF_ITS_NET, STRANGER, NO_ADDRESS = ("127.0.0.1", 50_000), ("10.1.2.3", 50_001), ("192.0.2.7", 50_002), ""
HERE = ("127.0.0.1", 8000)
REQUEST = (
    b"POST /api/v1/entries?a=%31 HTTP/1.1\r\nHost: quiz80.test\r\nContent-Type: application/json\r\n"
    b"X-Forwarded-Proto: https\r\nContent-Length: 2\r\n\r\n{}"
)


@pytest.fixture
def configuration(monkeypatch: pytest.MonkeyPatch) -> Config:
    # What is put in their place is taken away again after the test.
    monkeypatch.setattr(HeaderPolicy, "_peer_is_trusted_proxy", HeaderPolicy._peer_is_trusted_proxy)
    monkeypatch.setattr(wsgi, "base_environ", wsgi.base_environ)
    made = Config()
    made.set("forwarded_allow_ips", "127.0.0.1,10.1.0.0/16")
    made.set("workers", 2)
    return made


@pytest.fixture
def connection() -> Iterator[socket.socket]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours


def served(configuration: Config, connection: socket.socket, peer: Any) -> dict[str, Any]:
    """The environment of a request, as gunicorn's workers make it."""
    request = next(RequestParser(configuration, iter([REQUEST]), peer))
    request.proxy_protocol_info = {}
    _, environ = wsgi.create(request, connection, peer, HERE, configuration)
    # These two belong to the request, and no two are equal.
    del environ["wsgi.input"], environ["wsgi.early_hints"]
    return dict(environ)


@pytest.mark.parametrize("peer", [PROXY, PROXY_OF_ITS_NET, STRANGER, NO_ADDRESS])
def test_an_environment_is_what_it_was(configuration: Config, connection: socket.socket, peer: Any) -> None:
    before = served(configuration, connection, peer)
    server.settle(configuration)
    first, second = (served(configuration, connection, peer) for _ in range(2))
    assert first is not second
    # The one thing that is shared, which before was made for each.
    streams = [environ.pop("wsgi.errors") for environ in (before, first, second)]
    assert streams[0].streams == streams[1].streams
    assert first == second == before
    assert before["wsgi.url_scheme"] == ("http" if peer is STRANGER else "https")


def test_a_proxy_of_the_proxy_protocol_is_another_matter(configuration: Config) -> None:
    server.settle(configuration)
    assert not message._ip_in_allow_list(PROXY_OF_ITS_NET[0], ["127.0.0.1"], configuration.proxy_allow_networks())


def test_what_one_request_writes_into_its_environment_is_its_own(
    configuration: Config, connection: socket.socket
) -> None:
    server.settle(configuration)
    wsgi.base_environ(configuration)["wsgi.url_scheme"] = "gopher"
    assert served(configuration, connection, STRANGER)["wsgi.url_scheme"] == "http"


def test_nothing_is_found_out_twice(
    configuration: Config, connection: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.settle(configuration)
    served(configuration, connection, PROXY)
    asked: list[str] = []

    def noting(what: str) -> Any:
        return lambda *given: asked.append(f"{what} {given[-1]}")

    monkeypatch.setattr(Config, "__getattr__", noting("setting"))
    monkeypatch.setattr(message, "_ip_in_allow_list", noting("address"))
    monkeypatch.setattr(wsgi, "WSGIErrorsWrapper", noting("stream"))
    assert served(configuration, connection, PROXY)["wsgi.url_scheme"] == "https"
    assert not asked
    served(configuration, connection, STRANGER)
    assert [what.split()[0] for what in asked] == ["address"]
