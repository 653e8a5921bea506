"""Answers that the application sends by itself: what is sent so, how it reads, and what is left to gunicorn."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import pytest

from quiz.application import Finished
from quiz.direct import Direct

HANDLED: list[bytes] = []
JSON = ("Content-Type", "application/json")


class Connection:
    """Args: room: how many bytes its buffer takes at once."""

    def __init__(self, room: int) -> None:
        self._room = room
        self.sent: list[bytes] = []

    def send(self, data: bytes) -> int:
        self.sent.append(data[: self._room])
        return len(self.sent[-1])

    def sendall(self, data: bytes) -> None:
        self.sent.append(data)


def asked(
    application: Any, *, alive: bool = True, path: str = "/api/v1/entries", room: int = 2**16, **more: str
) -> tuple[Connection, list[Any], Iterable[bytes]]:
    """The connection, what gunicorn was told to begin, and what it was given to send."""
    connection, begun = Connection(room), []
    environ = {
        "PATH_INFO": path,
        "REQUEST_METHOD": "POST",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "gunicorn.socket": connection,
        **more,
    }
    answer = Direct(application, HANDLED, lambda: alive)(environ, lambda *given: begun.append(given))
    return connection, begun, answer


def test_a_finished_answer_is_sent_in_one_piece() -> None:
    connection, begun, answer = asked(Finished(b'{"a":1}', 202, [JSON]))
    assert answer is HANDLED
    assert not begun
    (whole,) = connection.sent
    head, _, body = whole.partition(b"\r\n\r\n")
    assert body == b'{"a":1}'
    first, *headers = head.decode().split("\r\n")
    assert first == "HTTP/1.1 202 ACCEPTED"
    assert headers[0] == "Server: gunicorn"
    assert re.fullmatch(r"Date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", headers[1])
    assert headers[2:] == ["Connection: keep-alive", "Content-Type: application/json", "Content-Length: 7"]


def test_an_answer_larger_than_the_buffer_is_sent_to_its_end() -> None:
    body = b"x" * 1_000
    connection, _, answer = asked(Finished(body, 200, [JSON]), room=100)
    assert answer is HANDLED
    assert len(connection.sent[0]) == 100
    assert b"".join(connection.sent).endswith(b"\r\n\r\n" + body)


def test_an_answer_without_a_body_ends_with_its_head() -> None:
    connection, _, _ = asked(Finished(b"", 204, [("Cache-Control", "no-store")]))
    assert connection.sent[0].endswith(b"Cache-Control: no-store\r\n\r\n")


@pytest.mark.parametrize(
    "case",
    [
        {"alive": False},
        {"HTTP_CONNECTION": "close"},
        {"HTTP_CONNECTION": "Upgrade, HTTP2-Settings"},
        {"HTTP_CONNECTION": "keep-alive,close"},
        {"HTTP_TRANSFER_ENCODING": "gzip, chunked"},
        {"SERVER_PROTOCOL": "HTTP/1.0"},
        {"path": "/boards"},
    ],
)
def test_what_is_not_ordinary_is_left_to_gunicorn(case: dict[str, Any]) -> None:
    connection, begun, answer = asked(Finished(b"{}", 200, [JSON]), **case)
    assert not connection.sent
    assert begun == [("200 OK", [JSON, ("Content-Length", "2")])]
    assert answer == (b"{}",)


def test_what_is_made_while_it_is_sent_is_left_to_gunicorn() -> None:
    def application(_environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [JSON])
        return iter([b"{", b"}"])

    connection, begun, answer = asked(application)
    assert not connection.sent
    assert begun == [("200 OK", [JSON])]
    assert b"".join(answer) == b"{}"


def test_a_line_break_in_a_header_never_leaves_the_house() -> None:
    with pytest.raises(ValueError, match="line break"):
        asked(Finished(b"{}", 200, [("X-Text", "a\r\nSet-Cookie: b")]))
