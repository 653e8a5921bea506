"""Finished answers of the API, put together and sent in one piece.

gunicorn looks through each header of an answer and sends head and body apart, each a call of the system that wakes
the other side: a tenth of what a hand-in costs. An answer that is finished (quiz.application.Finished) has nothing that
it would find: known headers, a body of known length. It is written onto the connection here, by the way that gunicorn
has for applications which answer by themselves. Whatever is not quite ordinary goes gunicorn's way: another protocol, a
connection or a process that is to end, an answer that is made while it is sent.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from email.utils import formatdate
from typing import Any

from quiz.application import API
from quiz.observe import StartResponse, Wsgi

Headers = list[tuple[str, str]]


class Direct:
    """Around the application of one gunicorn process.

    Args:
        handled: what tells gunicorn that the answer is sent.
        goes_on: whether the process serves on; one that is to end has to say so in its answers.
    """

    def __init__(self, application: Wsgi, handled: Any, goes_on: Callable[[], bool]) -> None:
        self._application = application
        self._handled = handled
        self._goes_on = goes_on
        self._second, self._date = 0, ""

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if not self._is_ordinary(environ):
            return self._application(environ, start_response)
        begun: list[tuple[str, Headers]] = []

        def start(status: str, headers: Headers, *_exc_info: Any) -> Any:
            begun.append((status, headers))

        answer = self._application(environ, start)
        status, headers = begun[-1]
        if type(answer) is not tuple or not self._goes_on():
            start_response(status, headers)
            return answer
        _send(environ["gunicorn.socket"], self._head(status, headers) + b"".join(answer))
        handled: Iterable[bytes] = self._handled
        return handled

    @staticmethod
    def _is_ordinary(environ: dict[str, str]) -> bool:
        return (
            environ["PATH_INFO"].startswith(API)
            and environ["SERVER_PROTOCOL"] == "HTTP/1.1"
            # gunicorn may have found its coding such that nothing more can be read from this connection.
            and "HTTP_TRANSFER_ENCODING" not in environ
            and environ.get("HTTP_CONNECTION", "keep-alive").lower() == "keep-alive"
        )

    def _head(self, status: str, headers: Headers) -> bytes:
        lines = "".join([f"{name}: {value}\r\n" for name, value in headers])
        if lines.count("\n") != len(headers) or lines.count("\r") != len(headers):
            raise ValueError("a header with a line break")
        return (
            f"HTTP/1.1 {status}\r\nServer: gunicorn\r\nDate: {self._today()}\r\nConnection: keep-alive\r\n{lines}\r\n"
        ).encode("latin-1")

    def _today(self) -> str:
        second = int(time.time())
        if second != self._second:
            self._second, self._date = second, formatdate(second, usegmt=True)
        return self._date


def _send(connection: Any, whole: bytes) -> None:
    # gevent's sendall asks for the size of the buffer first, which nearly every answer fits into.
    sent = connection.send(whole)
    if sent < len(whole):
        connection.sendall(whole[sent:])
