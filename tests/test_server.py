"""What gunicorn no longer does anew for each request: what comes of it is the same, and it is still asked for."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import gevent.socket
import pytest
from gevent.event import Event
from gunicorn.config import Config
from gunicorn.glogging import Logger
from gunicorn.http import RequestParser, message, wsgi
from gunicorn.http.message import HeaderPolicy
from gunicorn.http.unreader import SocketUnreader
from gunicorn.workers.ggevent import GeventWorker

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
    monkeypatch.setattr(SocketUnreader, "chunk", SocketUnreader.chunk)
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
    server.settle(SimpleNamespace(cfg=configuration))
    first, second = (served(configuration, connection, peer) for _ in range(2))
    assert first is not second
    # The one thing that is shared, which before was made for each.
    streams = [environ.pop("wsgi.errors") for environ in (before, first, second)]
    assert streams[0].streams == streams[1].streams
    assert first == second == before
    assert before["wsgi.url_scheme"] == ("http" if peer is STRANGER else "https")


def test_a_proxy_of_the_proxy_protocol_is_another_matter(configuration: Config) -> None:
    server.settle(SimpleNamespace(cfg=configuration))
    assert not message._ip_in_allow_list(PROXY_OF_ITS_NET[0], ["127.0.0.1"], configuration.proxy_allow_networks())


def test_what_one_request_writes_into_its_environment_is_its_own(
    configuration: Config, connection: socket.socket
) -> None:
    server.settle(SimpleNamespace(cfg=configuration))
    wsgi.base_environ(configuration)["wsgi.url_scheme"] = "gopher"
    assert served(configuration, connection, STRANGER)["wsgi.url_scheme"] == "http"


def test_nothing_is_found_out_twice(
    configuration: Config, connection: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.settle(SimpleNamespace(cfg=configuration))
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


# Connections that stay


def waited(keep_alive: server.KeepAlive, event: Event, answer: list[str]) -> None:
    """As a worker waits for a request: a connection ends if none came."""
    with keep_alive:
        event.wait()
        answer.append("request")
    answer.append("done")


def test_a_silent_connection_ends() -> None:
    answer: list[str] = []
    waiting = gevent.spawn(waited, server.KeepAlive(0.02, every=0.005), Event(), answer)
    waiting.join(10)
    assert waiting.successful()
    assert answer == ["done"]


def test_who_is_served_in_time_is_left_alone() -> None:
    """Three wait in turn for longer than one may."""
    keep_alive, event = server.KeepAlive(0.2, every=0.005), Event()
    answer: list[str] = []
    silent = gevent.spawn(waited, keep_alive, Event(), [])

    def talking() -> None:
        while not silent.ready():
            gevent.spawn_later(0.01, event.set)
            waited(keep_alive, event, answer)
            event.clear()

    served = gevent.spawn(talking)
    silent.join(10)
    served.join(10)
    assert silent.successful()
    assert served.successful()
    assert len(answer) > 2
    assert set(answer[::2]) == {"request"}


def test_what_goes_wrong_meanwhile_is_not_hidden() -> None:
    keep_alive = server.KeepAlive(10)
    with pytest.raises(StopIteration), keep_alive:
        raise StopIteration
    assert not keep_alive._since


@pytest.fixture
def worker(configuration: Config, monkeypatch: pytest.MonkeyPatch) -> GeventWorker:
    """One that gives a line a second, and one more in the middle of a request."""
    monkeypatch.setattr(server, "PATIENCE", 1)
    configuration.set("keepalive", 1)
    made = GeventWorker.__new__(GeventWorker)
    made.cfg, made.log, made.alive = configuration, Logger(configuration), True
    made.nr, made.max_requests = 0, 100
    # A line that falls silent is no error of ours.
    monkeypatch.setattr(made.log, "exception", lambda *what: pytest.fail(f"logged: {what}"))
    server.settle(made)
    return made


def said(worker: GeventWorker, *sent: bytes) -> bytes:
    """All that a connection is told until it ends, to which so much is sent, piece by piece."""
    ours, theirs = gevent.socket.socketpair()
    with theirs:
        serving = gevent.spawn(worker.handle, ours, ours, PROXY)
        for piece in sent:
            theirs.sendall(piece)
            gevent.sleep(0)
        theirs.settimeout(10)
        answer = b"".join(iter(lambda: theirs.recv(4096), b""))
        serving.join(10)
    assert serving.successful()
    return answer


@pytest.mark.parametrize("head", [b"", b"POST /api/v1/entries HTTP/1.1\r\nHost: quiz80"])
def test_a_worker_ends_a_connection_that_asks_for_nothing(
    worker: GeventWorker, head: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(GeventWorker, "timeout_ctx", lambda _worker: pytest.fail("a timer of its own"))
    assert said(worker, head) == b""


def read_body(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    try:
        body = environ["wsgi.input"].read(2)
    except TimeoutError:
        body = b"gone"
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


def test_a_body_that_does_not_come_is_given_up(worker: GeventWorker) -> None:
    worker.wsgi = read_body
    answer = said(worker, REQUEST.removesuffix(b"}"))
    assert answer.endswith(b"\r\n\r\ngone")
    assert answer.count(b"HTTP/1.1") == 1


def test_a_body_in_pieces_is_read_to_its_end(worker: GeventWorker) -> None:
    worker.wsgi = read_body
    assert said(worker, REQUEST.removesuffix(b"}"), b"}").endswith(b"\r\n\r\n{}")
