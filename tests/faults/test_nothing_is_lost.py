"""Parts are killed while people hand in: every receipt given is one entry, counted once, and nobody is refused.

One stack with the demo; each test streams entries through HTTP as phones do (a hand-in is repeated until a receipt
comes back) and kills something in the middle.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from redis import Redis

from deploy import processes, stack
from quiz.config import load_settings
from quiz.intake.signing import Signer
from tests.faults.launching import Launcher, free_port, start, stop

pytestmark = pytest.mark.faults

ROUND = 12
HEAL_SECONDS = 10  # the promise
PAPERS = 8_000
PACE = 0.1
"""Seconds between two sheets of a phone: the stream has to last longer than a part is away."""


@dataclass
class Fleet:
    """Phones that hand in one paper each, over and over until there is a receipt."""

    port: int
    papers: list[dict[str, str]]
    receipts: dict[str, str] = field(default_factory=dict)
    statuses: dict[int, int] = field(default_factory=dict)
    unanswered: int = 0
    _guard: threading.Lock = field(default_factory=threading.Lock)
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def begin(self, phones: int = 8) -> None:
        self._threads = [threading.Thread(target=self._work) for _ in range(phones)]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def given(self) -> int:
        return len(self.receipts)

    def _work(self) -> None:
        while not self._stop.is_set():
            with self._guard:
                if not self.papers:
                    return
                paper = self.papers.pop()["paper"]
            self._hand_in_until_receipt(paper)
            self._stop.wait(PACE)

    def _hand_in_until_receipt(self, paper: str) -> None:
        body = json.dumps({"paper": paper, "answers": {}}).encode()
        for _ in range(300):
            status, answer = self._post(body)
            with self._guard:
                self.statuses[status] = self.statuses.get(status, 0) + 1
            if status in (200, 202):
                with self._guard:
                    self.receipts[paper] = answer["receipt"]
                return
            # Every phone waits before it tries again; the pause is the client's, not the test's.
            time.sleep(0.1)
        pytest.fail("a phone never got its receipt")

    def _post(self, body: bytes) -> tuple[int, dict[str, Any]]:
        """The answer, or status 0 where the connection broke: as a phone on a bad line sees it."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("POST", "/api/v1/entries", body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            return response.status, json.loads(response.read() or b"{}")
        except (OSError, http.client.HTTPException):
            return 0, {}
        finally:
            connection.close()


@dataclass
class Season:
    """The running demo and what a test asks of it."""

    launcher: Launcher
    stack: stack.Stack
    papers: Path

    def command(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "flask", "--app", "wsgi", *arguments],
            cwd=stack.ROOT,
            env=self.stack.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def fleet(self, count: int) -> Fleet:
        lines = self.papers.read_text().splitlines()
        mine, rest = lines[:count], lines[count:]
        assert len(mine) == count
        self.papers.write_text("\n".join(rest))
        return Fleet(self.launcher.port, [json.loads(line) for line in mine])

    @property
    def intake(self) -> Redis:
        return Redis.from_url(self.stack.environment["INTAKE_REDIS_URL"])

    @property
    def cache(self) -> Redis:
        return Redis.from_url(self.stack.environment["CACHE_REDIS_URL"])

    def database(self) -> psycopg.Connection[Any]:
        url = self.stack.environment["DATABASE_URL"].replace("postgresql+psycopg://", "postgresql://")
        return psycopg.connect(url, autocommit=True)

    def backlog(self) -> int:
        redis = self.intake
        return sum(redis.xlen(key) for key in redis.scan_iter("{r*}:entries"))

    def stored(self, receipts: dict[str, str]) -> int:
        """How many entries of these papers the tables hold."""
        signer = Signer(load_settings(self.stack.environment).signing_keys)
        names = [signer.verify_paper(paper).paper for paper in receipts]
        with self.database() as connection:
            row = connection.execute(
                "SELECT count(*) FROM entry JOIN unnest(%s::int[], %s::bigint[], %s::int[]) AS n (r, p, a) "
                "ON round_id = r AND participant_id = p AND attempt = a",
                ([n.round_id for n in names], [n.participant for n in names], [n.attempt for n in names]),
            ).fetchone()
        assert row is not None
        return int(row[0])

    def settled(self, fleet: Fleet) -> None:
        """Everything drained; each receipt one entry; the counts equal a count from the entries."""
        assert processes.await_true(lambda: self.backlog() == 0, 30), f"{self.backlog()} entries not drained"
        assert processes.await_true(lambda: self.stored(fleet.receipts) == fleet.given(), 5)
        assert "equal a count" in self.command("recount", "--check")


@pytest.fixture(scope="module")
def season(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Season]:
    folder = tmp_path_factory.mktemp("lost")
    var, port = folder / "var", free_port()
    launcher = start(var, port)
    ours = {name: value for name, value in os.environ.items() if not name.endswith(("_URL", "_KEY", "_KEYS"))}
    built = stack.build({**ours, "VAR": str(var), "PORT": str(port)})
    made = Season(launcher, built, folder / "papers.jsonl")
    made.command("tokens", "mint", "--round", str(ROUND), "--count", str(PAPERS), "--out", str(made.papers))
    yield made
    stop(launcher)


def horses(season: Season) -> list[psutil.Process]:
    """The forked processes that run jobs; the drain's is one of them as long as entries come in."""
    found = []
    for name in ("worker-1", "worker-2"):
        pid = season.launcher.pid(name)
        with contextlib.suppress(psutil.NoSuchProcess):
            found += psutil.Process(pid).children() if pid else []
    return found


@pytest.mark.parametrize("part", ["web", "worker-1", "worker-2", "redis", "cache", "postgres", "scheduler"])
def test_a_killed_part_loses_nothing_and_heals(season: Season, part: str) -> None:
    fleet = season.fleet(500)
    fleet.begin()
    try:
        assert processes.await_true(lambda: fleet.given() > 50, 20)
        old = season.launcher.pid(part)
        assert old is not None
        os.kill(old, signal.SIGKILL)
        before = fleet.given()
        assert processes.await_true(lambda: season.launcher.healed(part, old), HEAL_SECONDS), f"{part} is not back"
        assert processes.await_true(lambda: fleet.given() >= before + 50, HEAL_SECONDS)
    finally:
        fleet.end()
    season.settled(fleet)


def test_a_killed_horse_loses_nothing(season: Season) -> None:
    fleet = season.fleet(1_500)
    fleet.begin()
    try:
        for _ in range(3):
            before = fleet.given()
            assert processes.await_true(lambda: fleet.given() > before + 30, 20)  # noqa: B023 - called at once
            assert processes.await_true(lambda: horses(season), HEAL_SECONDS), "nothing drains"
            for horse in horses(season):
                horse.kill()
    finally:
        fleet.end()
    season.settled(fleet)


def test_no_hand_in_is_refused_while_postgres_is_down(season: Season) -> None:
    """PostgreSQL is stopped for 20 seconds (frozen, then killed: what it was doing is lost)."""
    fleet = season.fleet(2_500)
    pid = season.launcher.pid("postgres")
    assert pid is not None
    frozen = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    for process in frozen:
        process.suspend()
    fleet.begin()
    # The outage itself is what is measured: twenty seconds of it.
    time.sleep(20)
    taken = fleet.given()
    for process in frozen:
        process.kill()
    assert taken > 100
    assert set(fleet.statuses) == {202}
    assert processes.await_true(lambda: season.launcher.healed("postgres", pid), HEAL_SECONDS)
    fleet.end()
    assert set(fleet.statuses) == {202}
    season.settled(fleet)


def test_redis_emptied_in_an_open_round_is_primed_and_counts_nothing_twice(season: Season) -> None:
    fleet = season.fleet(300)
    fleet.begin()
    assert processes.await_true(lambda: fleet.given() >= 100, 20)
    fleet.end()
    season.settled(fleet)
    handed_in = dict(fleet.receipts)
    still_open = season.fleet(100)

    season.intake.flushall()
    # The phones keep their sheets: those already handed in come again with their receipt, open papers go on.
    again = Fleet(season.launcher.port, [{"paper": paper} for paper in handed_in])
    again.begin()
    still_open.begin()
    assert processes.await_true(lambda: again.given() == len(handed_in), 30)
    assert processes.await_true(lambda: still_open.given() == 100, 30)
    again.end()
    still_open.end()
    identity = {paper: receipt.partition("-")[0] for paper, receipt in handed_in.items()}
    assert {paper: receipt.partition("-")[0] for paper, receipt in again.receipts.items()} == identity
    season.settled(fleet)
    season.settled(still_open)


def test_boards_flushed_and_rebuilt_are_identical(season: Season) -> None:
    address = "/api/v1/boards/units?level=commune"

    def rows() -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", season.launcher.port, timeout=10)
        with contextlib.closing(connection):
            connection.request("GET", address)
            response = connection.getresponse()
            body = json.loads(response.read())
        return body.get("rows") if response.status == 200 else None

    season.command("boards", "rebuild")
    before = rows()
    assert before
    redis = season.cache
    redis.delete(*redis.scan_iter("quiz80:boards:*"))
    season.command("boards", "rebuild")
    assert processes.await_true(lambda: rows() == before, HEAL_SECONDS)


def test_the_streams_are_empty_after_quiet(season: Season) -> None:
    assert processes.await_true(lambda: season.backlog() == 0, 5)
