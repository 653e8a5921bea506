"""Around every request: its id, its time, its line in the log. Wraps the WSGI application, so nothing escapes it."""

from __future__ import annotations

import itertools
import os
import re
import time
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, request
from redis import Redis

from quiz import logs, metrics
from quiz.config import Settings

StartResponse = Callable[..., Any]
Wsgi = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]

_SANE_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")

GUARDS = (("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "same-origin"))
"""On every answer: what it is not labelled as it must not be taken for, and our addresses stay with us."""

NO_ENDPOINT = "none"
"""For a request that fits no route."""

access_log = logs.AccessLog()


class _Ids:
    """Request ids: a chance prefix for each process and a number, which costs no call of the system."""

    def __init__(self) -> None:
        self._begin()
        os.register_at_fork(after_in_child=self._begin)

    def _begin(self) -> None:
        prefix = os.urandom(6).hex()
        self._next = map(f"{prefix}-{{:x}}".format, itertools.count(1)).__next__

    def __call__(self) -> str:
        return self._next()


_new_id = _Ids()


def init(app: Flask, settings: Settings) -> None:
    access_log.level = {"DEBUG": 10, "INFO": 20}.get(settings.log_level, 30)
    app.wsgi_app = _observed(app.wsgi_app)  # type: ignore[method-assign, assignment]


def _observed(application: Wsgi) -> Wsgi:
    clock = time.perf_counter
    served, line = metrics.served, access_log.add

    def observed(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        began = clock()
        given = environ.get("HTTP_X_REQUEST_ID")
        request_id = given if given is not None and _SANE_ID.fullmatch(given) else _new_id()
        environ[logs.REQUEST_ID] = request_id
        status, endpoint = 500, NO_ENDPOINT

        def start(text: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            nonlocal status, endpoint
            status = int(text[:3])
            # Werkzeug leaves its request here, and Flask takes it away before the application returns.
            parsed = environ.get("werkzeug.request")
            if parsed is not None and parsed.url_rule is not None:
                endpoint = parsed.url_rule.endpoint
            headers += (("X-Request-Id", request_id), *GUARDS)
            return start_response(text, headers, *rest)

        try:
            return application(environ, start)
        finally:
            seconds = clock() - began
            served(endpoint, status, seconds)
            line(request_id, environ["REQUEST_METHOD"], endpoint, status, seconds)

    return observed


def request_id() -> str:
    """The id of the request that is being answered."""
    found: str = request.environ.get(logs.REQUEST_ID, "")
    return found


def start_beat(cache: Redis) -> metrics.Beat:
    """From here on this process publishes its figures and writes its access lines once a second."""
    process = logs.process_name()
    access_log.held = True
    beat = metrics.Beat([access_log.flush, lambda: metrics.publish(cache, process)])
    beat.start()
    return beat
