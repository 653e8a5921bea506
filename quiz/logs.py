"""Logs: one JSON object a line on standard error, a constant event name and ids as fields.

    log = get_logger(__name__)
    log.warning("dead_letter", stream=stream, message=message_id)

What people trust us with never stands in a line: fields that carry it are dropped by name, and the texts of
exceptions, which may quote a row or an address, are scrubbed. Requests have their own short way (`AccessLog`), because
a line for each of them must not cost more than the answer.
"""

from __future__ import annotations

import functools
import logging
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Mapping, MutableMapping
from contextvars import ContextVar
from typing import Any

import msgspec
import structlog
from flask import has_request_context, request

SECRET_FIELDS = frozenset(
    {
        *("phone", "password", "token", "paper", "answers", "sheet", "draft", "receipt", "secret", "cookie"),
        *("authorization", "body", "form", "identity", "value", "full_name", "email"),
    }
)
HIDDEN = "(hidden)"

_SCRUBS: tuple[tuple[re.Pattern[str], str], ...] = (
    # PostgreSQL quotes the row: "Key (kind, value)=(phone, +84912345678) already exists."
    (re.compile(r"(Key \([^()]*\)=)\(.*?\)(?= |$)", re.MULTILINE), r"\1(…)"),
    (re.compile(r"(Failing row contains ).*$", re.MULTILINE), r"\1(…)"),
    (re.compile(r"(\[(?:SQL|parameters): ).*\]?$", re.MULTILINE), r"\1…]"),
    # user:password in the address of a server
    (re.compile(r"(://[^\s:/@]*:)[^\s@]+@"), r"\1…@"),
    # Vietnamese mobile numbers in the usual spellings
    (re.compile(r"(?<![\w.])(?:\+?84|0)[ .-]?(?:\d[ .-]?){8}\d(?!\w)"), "…"),
    # papers, bearer tokens, cookies: long base64 after a dot
    (re.compile(r"\b[\w.-]{0,80}\.[A-Za-z0-9_-]{40,}"), "…"),
)

context: ContextVar[Mapping[str, object] | None] = ContextVar("log_context", default=None)
"""Fields of everything that is logged from here on: a job's id and function."""

get_logger: Callable[..., structlog.stdlib.BoundLogger] = structlog.stdlib.get_logger


def scrub(text: str) -> str:
    """The text without what people trust us with."""
    for pattern, instead in _SCRUBS:
        text = pattern.sub(instead, text)
    return text


@functools.cache
def process_name() -> str:
    """Who speaks: the part of the stack, or the web process by its pid, because there are several."""
    return os.environ.get("QUIZ80_PROCESS") or f"web-{os.getpid()}"


os.register_at_fork(after_in_child=process_name.cache_clear)


# Processors


def _say_where(_logger: Any, _name: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    fields["process"] = process_name()
    fields.update(context.get() or {})
    if has_request_context():
        fields["request_id"] = request.environ.get(REQUEST_ID)
    return fields


def _hide(_logger: Any, _name: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name, value in fields.items():
        if name in SECRET_FIELDS:
            fields[name] = HIDDEN
        elif isinstance(value, str) and name not in ("event", "timestamp", "level", "logger"):
            fields[name] = scrub(value)
        elif isinstance(value, BaseException):
            fields[name] = scrub(f"{type(value).__name__}: {value}")
    # Libraries log sentences; ours are constant names, which nothing of this matches.
    fields["event"] = scrub(str(fields.get("event", "")))
    return fields


def _encode(fields: Any, **_: object) -> str:
    return msgspec.json.encode(fields, enc_hook=str).decode()


_BEFORE: list[structlog.typing.Processor] = [
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    _say_where,
]


def formatter() -> logging.Formatter:
    """Our events and the libraries' sentences come out alike."""
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_BEFORE,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            _hide,
            structlog.processors.JSONRenderer(serializer=_encode),
        ],
    )


class StandardError(logging.StreamHandler[Any]):
    """Our handler. Standard error is looked up when something is said: test runners and daemons replace it."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)
        self.setFormatter(formatter())

    @property
    def stream(self) -> Any:
        return sys.stderr

    @stream.setter
    def stream(self, _stream: Any) -> None:
        raise AttributeError("standard error is looked up")


def configure(level: str) -> None:
    """Send all logs of this process through here; calling it again changes the level only."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_BEFORE,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    root = logging.getLogger()
    root.setLevel(level)
    if not any(isinstance(handler, StandardError) for handler in root.handlers):
        root.addHandler(StandardError())


# Requests

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
REQUEST_ID = "quiz80.request_id"
"""Where the WSGI environment keeps the request's id."""


class AccessLog:
    """Lines of requests, written together once a beat: each costs its making and no system call.

    A line has no path and no query, only the route's name: an address may hold a receipt, or what somebody typed.
    Without a beat (`held` is False, as in commands and tests) a line is written at once.
    """

    LIMIT = 1_000

    def __init__(self) -> None:
        self.held = False
        self.level = logging.INFO
        self._lines: list[str] = []
        self._second, self._until_second = 0, ""
        self._write = threading.Lock()

    def add(self, request_id: str, method: str, endpoint: str, status: int, seconds: float) -> None:
        """Everything that is given is ours or checked: nothing in it needs escaping."""
        level = "error" if status >= 500 and status != 503 else "info"
        if level == "info" and self.level > logging.INFO:
            return
        now = time.time()
        second = int(now)
        if second != self._second:
            self._second = second
            self._until_second = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        self._lines.append(
            f'{{"timestamp":"{self._until_second}.{int(now * 1000) % 1000:03}Z","level":"{level}","event":"request",'
            f'"process":"{process_name()}","request_id":"{request_id}",'
            f'"method":"{method if method in METHODS else "other"}","endpoint":"{endpoint}",'
            f'"status":{status},"ms":{seconds * 1000:.2f}}}\n'
        )
        if not self.held or len(self._lines) >= self.LIMIT:
            self.flush()

    def flush(self) -> None:
        lines, self._lines = self._lines, []
        if lines:
            with self._write:
                sys.stderr.write("".join(lines))
                sys.stderr.flush()
