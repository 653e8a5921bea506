"""Around the application: lets everything through that the door is not for, and everybody while it is open.

It speaks WSGI and not Flask: whom it turns to the waiting page must cost as little as can be.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Literal
from urllib.parse import parse_qs

import msgspec
from flask import Flask
from itsdangerous import BadSignature
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from quiz import clock
from quiz.door import tickets
from quiz.door.answers import Answers, Wait
from quiz.door.load import Door
from quiz.door.tickets import Ticket
from quiz.extensions import Platform
from quiz.intake import line
from quiz.intake.counts import COUNTS
from quiz.intake.errors import IntakeUnavailable
from quiz.observe import StartResponse, Wsgi
from quiz.pages import POLICY, THEME_COOKIE
from quiz.phases import window_at
from quiz.services import bearer
from quiz.sessions import safe_next
from quiz.web import LANGUAGES, PageSessions

WAITING = "/waiting"
_ENDS = ("/papers", "/start", "/tokens", "/participants", "/sign-in", "/register", WAITING)
"""How the addresses end that the door may be for: nearly every other request is told by this alone."""
_FORMS = ("/sign-in", "/register")
"""Their pages, not what is typed into them: who has the form is inside, and nobody types for nothing."""
_ACCOUNT_CALL = re.compile(r"/api/v1(?:/contests/[^/]+)?/(?:tokens|participants)")
_START_CALL = re.compile(r"/api/v1(?:/contests/(?P<slug>[^/]+))?/rounds/(?P<number>[0-9]{1,6})/papers")
_START_FORM = re.compile(r"/rounds/(?P<number>[0-9]{1,6})/start")

_PROXIED = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_VIA")

_TOO_MANY = "429 TOO MANY REQUESTS"
_HTML = ("Content-Type", "text/html; charset=utf-8")
_PROBLEM = ("Content-Type", "application/problem+json")

_SEEN = SimpleNamespace(url_rule=SimpleNamespace(endpoint="waiting"))
"""What the figures and the log call an answer of the door."""


@dataclass(frozen=True, slots=True)
class Act:
    """What a request is about to do that the door is for."""

    kind: Literal["page", "form", "call"]
    """A page to look at, a form's button, a call of the API."""
    round_number: int | None = None
    """Of a start; None: signing in or up."""
    slug: str | None = None
    """Of the contest; None: the current one."""


@dataclass(frozen=True, slots=True)
class Turned:
    status: str
    headers: list[tuple[str, str]]
    body: bytes


class LastAnswer:
    """A body after which nothing more is read from its connection.

    Who waits comes back on another one. A process holds only so many, each for seconds after its last answer: a crowd
    that keeps them open would take the places of those who are called, on an idle machine.
    """

    def __init__(self, body: bytes, connection: socket.socket | None) -> None:
        self._body = body
        self._connection = connection

    def __iter__(self) -> Iterator[bytes]:
        yield self._body

    def close(self) -> None:
        """Called by the server once everything is sent; it finds the end of the connection where the next request
        would be, and closes it. (It does not pass on a header that says so.)"""
        if self._connection is not None:
            with suppress(OSError):
                self._connection.shutdown(socket.SHUT_RD)


class Keeper:
    def __init__(self, app: Flask, held: Platform, door: Door) -> None:
        self._app = app
        self._held = held
        self._door = door
        self._sessions = PageSessions()
        self._attributes = f"; Max-Age={tickets.LIFETIME_S}; Path=/; HttpOnly; SameSite=Lax"
        if held.settings.secure_cookies:
            self._attributes += "; Secure"
        self.answers = Answers(app)

    def around(self, application: Wsgi) -> Wsgi:
        def kept(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
            if environ["PATH_INFO"].endswith(_ENDS):
                turned = self._turn(environ)
                if turned is not None:
                    environ["werkzeug.request"] = _SEEN
                    length = ("Content-Length", str(len(turned.body)))
                    start_response(turned.status, [*turned.headers, ("Cache-Control", "no-store"), length])
                    # Who is sent on to the waiting page asks at once; everybody else only after a while.
                    return LastAnswer(turned.body, _connection(environ)) if turned.body else []
            return application(environ, start_response)

        return kept

    def _turn(self, environ: dict[str, Any]) -> Turned | None:
        """The answer for who has to wait; None: come in."""
        act = act_of(environ["REQUEST_METHOD"], environ["PATH_INFO"])
        if act is None or self._door.lets_in():
            return None
        now = clock.to_ms(clock.now())
        ticket = tickets.read(self._held.signer, environ, now)
        if ticket is not None and self._door.called(ticket.number, ticket.line):
            if environ["PATH_INFO"] != WAITING:
                COUNTS["let_in"] += 1
                self._door.came(ticket)
            return None
        try:
            if act.round_number is not None and not self._begins(environ, act, now):
                return None
            return self._wait(environ, act, ticket, now)
        except IntakeUnavailable:
            # The application says what is the matter.
            return None

    def _wait(self, environ: dict[str, Any], act: Act, ticket: Ticket | None, now: int) -> Turned:
        self._door.turned()
        wish = _wish(environ)
        if ticket is None or self._door.spent(ticket.number):
            ticket, is_new = self._take(self._language(environ), now), True
        else:
            is_new = wish.language is not None and wish.language != ticket.language
        if wish.language is not None:
            ticket = msgspec.structs.replace(ticket, language=wish.language)
        number = ticket.number
        wait = Wait(self._door.ahead(number), self._door.seconds_left(number), self._door.ask_again(number))
        sealed = tickets.seal(self._held.signer, ticket)
        later = [("Retry-After", str(wait.ask_again))]
        if act.kind == "call":
            body = self.answers.problem(ticket.language, wait, sealed)
            return Turned(_TOO_MANY, [*later, (tickets.HEADER, sealed), _PROBLEM], body)
        if is_new:
            later.append(("Set-Cookie", f"{tickets.COOKIE}={sealed}{self._attributes}"))
        if act.kind == "form":
            # Its button is on the home page; a reload of what comes here must not press it again.
            return Turned("303 SEE OTHER", [*later, ("Location", f"{WAITING}?to=/"), _HTML], b"")
        theme = tickets.cookie(environ, THEME_COOKIE)
        body = self.answers.page(ticket.language, theme, wait, wish.back, now)
        status = "200 OK" if environ["PATH_INFO"] == WAITING else _TOO_MANY
        return Turned(status, [*later, _HTML, ("Content-Security-Policy", POLICY)], body)

    def _take(self, language: str, now: int) -> Ticket:
        number, born = line.take(self._held.gateway, now)
        COUNTS["tickets"] += 1
        return Ticket(number, born, now, language)

    def _begins(self, environ: dict[str, Any], act: Act, now: int) -> bool:
        """Whether this is a first start, for which one waits; what is refused is refused at once."""
        season = self._held.season.get()
        contest = season.current if act.slug is None else season.contests.get(act.slug)
        card = season.numbers.get((contest.slug, act.round_number or 0)) if contest else None
        if card is None or card.scheduled is None or window_at(card.windows, now) is None:
            return False
        user = self._caller(environ, now) if act.kind == "call" else self._visitor(environ)
        return user is not None and line.begins(self._held.gateway, card, user)

    def _caller(self, environ: dict[str, Any], now: int) -> int | None:
        """Whom the bearer token names."""
        kind, _, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        claims = bearer.read(self._held.signer, token.strip(), now) if kind.lower() == "bearer" else None
        return None if claims is None else claims.user

    def _visitor(self, environ: dict[str, Any]) -> int | None:
        """Who is signed in on the pages."""
        number = str(self._session(environ).get("_user_id", "")).partition(".")[0]
        return int(number) if number.isdecimal() else None

    def _session(self, environ: dict[str, Any]) -> dict[str, Any]:
        """The signed cookie of the pages, read as Flask reads it."""
        text = tickets.cookie(environ, self._app.config["SESSION_COOKIE_NAME"])
        serializer = self._sessions.get_signing_serializer(self._app) if text else None
        if serializer is None:
            return {}
        try:
            held: dict[str, Any] = serializer.loads(text)
        except BadSignature:
            return {}
        return held

    def _language(self, environ: dict[str, Any]) -> str:
        """As quiz.web chooses it."""
        chosen = self._session(environ).get("language")
        if chosen in LANGUAGES:
            return str(chosen)
        wanted = parse_accept_header(environ.get("HTTP_ACCEPT_LANGUAGE", ""), LanguageAccept)
        return wanted.best_match(LANGUAGES) or LANGUAGES[0]


def _connection(environ: dict[str, Any]) -> socket.socket | None:
    """A phone's own. A proxy keeps a pool, and might send another's request into a connection that ends."""
    if any(name in environ for name in _PROXIED):
        return None
    held: socket.socket | None = environ.get("gunicorn.socket")
    return held


def act_of(method: str, path: str) -> Act | None:
    """What of a request the door is for; None: nothing."""
    if method == "GET":
        return Act("page") if path == WAITING or path in _FORMS else None
    if method != "POST":
        return None
    if _ACCOUNT_CALL.fullmatch(path):
        return Act("call")
    if call := _START_CALL.fullmatch(path):
        return Act("call", int(call["number"]), call["slug"])
    form = _START_FORM.fullmatch(path)
    return Act("form", int(form["number"])) if form else None


@dataclass(frozen=True, slots=True)
class _Wish:
    """Of who looks at the waiting page: where to go after it, and in which language to read it."""

    back: str
    language: str | None


def _wish(environ: dict[str, Any]) -> _Wish:
    path, query = environ["PATH_INFO"], environ.get("QUERY_STRING", "")
    if path != WAITING:
        return _Wish(f"{path}?{query}" if query else path, None)
    given = parse_qs(query)
    language = given.get("language", [""])[0]
    return _Wish(safe_next(given.get("to", [None])[0]) or "/", language if language in LANGUAGES else None)
