"""The same races from outside: gunicorn with two processes, clients over HTTP, entries counted in the tables."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from flask import Flask
from sqlalchemy import func, select

from quiz import clock
from quiz.config import Settings
from quiz.extensions import Platform, db
from quiz.models import Entry, Standing
from quiz.services import questions, season
from scoring.drain import Drain
from tests import seasons

pytestmark = pytest.mark.concurrency

ROOT = Path(__file__).resolve().parents[2]
CLIENTS, CAP = 200, 7
T = TypeVar("T")


@dataclass
class Site:
    """A running installation as its clients see it."""

    port: int
    token: str = ""

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """One request on a connection of its own. Raises OSError."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            headers = {"Content-Type": "application/json"}
            if self.token:
                headers["Authorization"] = f"Bearer {self.token}"
            connection.request(method, f"/api/v1{path}", json.dumps(body or {}), headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"null")
        finally:
            connection.close()

    def answers(self, path: str) -> bool:
        try:
            return self.call("GET", path)[0] == 200
        except OSError:
            return False


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free: int = probe.getsockname()[1]
        return free


@pytest.fixture
def web(app: Flask, platform: Platform, settings: Settings, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """gunicorn as it runs in production, started after the round was published."""
    _open_round(platform)
    environment = {
        **os.environ,
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.intake_redis_url,
        "SECRET_KEY": settings.secret_key,
        "QUIZ80_SIGNING_KEYS": ",".join(f"{key.key_id}:{key.secret.hex()}" for key in settings.signing_keys),
        "QUIZ80_EMBEDDED": "1",
        "QUIZ80_LOG_LEVEL": "WARNING",
        # Two hundred at once on a busy machine could be asked to wait in line; these tests are of what comes after it.
        "QUIZ80_DOOR_PATIENCE_MS": "0",
        "WEB_CONCURRENCY": "2",
        "HOST": "127.0.0.1",
        "PORT": str(port),
    }
    web = subprocess.Popen([sys.executable, "-m", "gunicorn", "--config", "gunicorn.conf.py", "wsgi:app"],
                           cwd=ROOT, env=environment)  # fmt: skip
    try:
        _until(lambda: web.poll() is not None or Site(port).answers("/contest"), 60)
        assert web.poll() is None, "gunicorn ended"
        yield web
    finally:
        web.terminate()
        web.wait(30)


@pytest.fixture
def site(web: subprocess.Popen[bytes], port: int) -> Site:
    """A contest with an open round, and somebody registered who is about to race."""
    made = Site(port)
    status, account = made.call(
        "POST",
        "/participants",
        {
            "phone": "0912345678",
            "password": "mùa xuân 1946",
            "full_name": "Nguyễn Thị Hoa",
            "unit_code": "00004",
            "consent": True,
        },
    )
    assert status == 201, account
    made.token = account["token"]
    return made


def _open_round(platform: Platform) -> None:
    """A round that is open now, with a cap of 7."""
    session, now = db.session(), clock.now()
    contest = seasons.contest(session)
    opens = now - timedelta(hours=1)
    made = season.create_round(session, contest, 1, "Chủ đề", opens, opens + seasons.WEEK, {"cap": CAP})
    questions.add_questions(session, made, seasons.drafts(), opens)
    season.freeze_bank(session, made, opens - timedelta(days=1))
    season.schedule_round(session, made, opens - timedelta(days=1))
    session.commit()
    season.prime_all(session, platform.gateway.client, now)
    session.commit()


def _until(condition: Callable[[], bool], seconds: float) -> None:
    pause = threading.Event()
    for _ in range(int(seconds / 0.05)):
        if condition():
            return
        pause.wait(0.05)
    raise AssertionError("it never came to it")


def at_once(clients: int, act: Callable[[int], T]) -> list[T]:
    barrier = threading.Barrier(clients)

    def run(client: int) -> T:
        barrier.wait(30)
        return act(client)

    with ThreadPoolExecutor(clients) as pool:
        return list(pool.map(run, range(clients)))


def stored(platform: Platform) -> tuple[list[int], int]:
    """After a drain: the attempts of all entries, and how many of them the standing counts."""
    runner = Drain(db.engine, platform.gateway.client, "test")
    cards = list(platform.season.refresh().rounds.values())
    while runner.turn(cards, 0, 1, block_ms=1).read:
        pass
    db.session.rollback()
    attempts = sorted(db.session.scalars(select(Entry.attempt)))
    return attempts, db.session.scalar(select(func.sum(Standing.entries))) or 0


def test_parallel_starts_of_one_account_open_one_attempt(site: Site) -> None:
    answers = at_once(CLIENTS, lambda _: site.call("POST", "/rounds/1/papers"))
    assert Counter(status for status, _ in answers) == {201: 1, 200: CLIENTS - 1}
    assert len({paper["paper"] for _, paper in answers}) == 1
    assert {paper["attempts_left"] for _, paper in answers} == {CAP - 1}


def test_racing_clients_of_one_account_make_exactly_as_many_entries_as_the_cap(site: Site, platform: Platform) -> None:
    def race(client: int) -> Counter[int]:
        seen: Counter[int] = Counter()
        while True:
            status, paper = site.call("POST", "/rounds/1/papers")
            if status == 409:
                assert paper["code"] == "attempts_exhausted"
                return seen
            assert status in (200, 201), paper
            status, receipt = site.call("POST", "/entries", {"paper": paper["paper"], "answers": {}})
            assert status in (200, 202), receipt
            seen[status] += 1

    seen = sum(at_once(CLIENTS, race), Counter())
    assert seen[202] == CAP
    assert stored(platform) == (list(range(1, CAP + 1)), CAP)


def test_parallel_hand_ins_of_one_paper_give_one_receipt_and_one_entry(site: Site, platform: Platform) -> None:
    _, paper = site.call("POST", "/rounds/1/papers")
    sheets = [
        {question["id"]: [question["options"][client % 4]["id"]] for question in paper["questions"]}
        for client in range(50)
    ]
    answers = at_once(
        50, lambda client: site.call("POST", "/entries", {"paper": paper["paper"], "answers": sheets[client]})
    )
    assert Counter(status for status, _ in answers) == {202: 1, 200: 49}
    assert len({(receipt["receipt"], receipt["received_at"]) for _, receipt in answers}) == 1
    assert stored(platform) == ([1], 1)


class Line:
    """One connection, read to the byte: what is left over after an answer belongs to nobody."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._file = self._socket.makefile("rb")

    def ask(self, method: str, path: str, token: str, body: Any = None, **headers: str) -> tuple[int, Any, bytes]:
        """Status, headers, body."""
        data = b"" if body is None else json.dumps(body).encode()
        lines = [f"{method} /api/v1{path} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {token}"]
        lines += [f"Content-Type: application/json\r\nContent-Length: {len(data)}"] if data else []
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self._socket.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + data)
        status = int(self._file.readline().split()[1])
        given = http.client.parse_headers(self._file)
        size = 0 if method == "HEAD" else int(given["Content-Length"] or 0)
        return status, given, self._file.read(size)

    def is_over(self) -> bool:
        """Waits for the server to end the connection; anything else that it sends says no."""
        return self._file.read(1) == b""

    def close(self) -> None:
        self._file.close()
        self._socket.close()


def test_a_whole_quiz_on_one_connection(site: Site) -> None:
    line = Line(site.port)
    try:
        status, head, body = line.ask("POST", "/rounds/1/papers", site.token, {})
        assert (status, head["Connection"]) == (201, "keep-alive")
        paper = json.loads(body)["paper"]
        sheet = {"paper": paper, "answers": {}}
        status, head, body = line.ask("PUT", "/papers/draft", site.token, {**sheet, "seq": 1})
        assert (status, body) == (204, b"")
        assert line.ask("POST", "/entries", site.token, {"paper": "1.x.y"})[0] == 400
        status, head, body = line.ask("POST", "/entries", site.token, sheet)
        assert status == 202
        assert head["X-Content-Type-Options"] == "nosniff"
        status, _, again = line.ask("POST", "/entries", site.token, sheet)
        assert (status, json.loads(again)) == (200, json.loads(body))
        status, head, body = line.ask("HEAD", "/contest", site.token)
        assert (status, body) == (200, b"")
        assert line.ask("GET", "/contest", site.token)[0] == 200
        status, head, body = line.ask("POST", "/entries", site.token, sheet, Connection="close")
        assert (status, head["Connection"], json.loads(body)) == (200, "close", json.loads(again))
        assert line.is_over()
    finally:
        line.close()


@pytest.mark.parametrize("chunks", [b"ZZ\r\n{}\r\n", b"2\r\n{}0\r\n\r\n"])
def test_a_body_of_chunks_that_are_none_is_refused_and_ends_its_connection(site: Site, chunks: bytes) -> None:
    head = "POST /api/v1/entries HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with socket.create_connection(("127.0.0.1", site.port), timeout=30) as connection:
        connection.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + chunks)
        # Read to its end: where the next request would begin nobody can tell.
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "invalid_json"


def test_a_process_that_is_stopped_ends_its_connections_after_whole_answers(
    site: Site, web: subprocess.Popen[bytes]
) -> None:
    line = Line(site.port)
    try:
        assert line.ask("GET", "/contest", site.token)[1]["Connection"] == "keep-alive"
        web.terminate()
        says = "keep-alive"
        # Whoever goes on asking while it stops is answered, until it hears that this is the last answer.
        while says == "keep-alive":
            status, head, body = line.ask("GET", "/contest", site.token)
            assert (status, json.loads(body)["current_round"]) == (200, 1)
            says = head["Connection"]
        assert says == "close"
        assert line.is_over()
        assert web.wait(30) == 0
    finally:
        line.close()
