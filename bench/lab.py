"""A stack of its own in a temporary folder, with production settings: durable PostgreSQL, Redis that syncs always."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import flask_migrate
import psutil
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from deploy import embedded, stack
from deploy.errors import SetupError
from quiz import clock, create_app, metrics
from quiz.config import load_settings
from quiz.extensions import Platform, db
from quiz.intake import primer
from quiz.intake.season import BankOption, BankQuestion, ContestCard, RoundCard, write_bank, write_season
from quiz.models import Contest, KeyVersion, Round, SignalScan
from quiz.models.partitions import create_for_round
from quiz.services import units
from scoring import jobs
from scoring.rules import Rules, rules_document

QUESTIONS = 60
"""In the frozen bank; a paper has 10 of them."""
READY_SECONDS = 60.0


@dataclass
class Lab:
    var: Path
    stack: stack.Stack
    servers: embedded.Servers
    app: Flask
    leaves: list[int] = field(default_factory=list)
    """Ids of the communes: what participants belong to."""

    @property
    def platform(self) -> Platform:
        held: Platform = self.app.extensions["quiz80"]
        return held

    @property
    def session(self) -> Session:
        return db.session()


_LEAVES = "SELECT id FROM unit WHERE kind = 'commune' AND valid_to IS NULL ORDER BY id"


@contextlib.contextmanager
def lab() -> Iterator[Lab]:
    """Both servers, the tables, the units and the application of this process, inside its context."""
    # In memory would flatter every figure that ends on the disk: BENCH_FOLDER says where instead of /tmp.
    with tempfile.TemporaryDirectory(prefix="quiz80-bench-", dir=os.environ.get("BENCH_FOLDER")) as folder:
        var = Path(folder)
        var.chmod(0o755)
        given = {name: value for name, value in os.environ.items() if name not in (*stack.GIVEN, "VAR", "PORT")}
        built = stack.build({**given, "VAR": str(var), "PORT": str(free_port())})
        with embedded.servers(var) as servers:
            app = create_app(load_settings(built.environment))
            with app.app_context():
                flask_migrate.upgrade()
                units.load(db.session())
                db.session.commit()
                made = Lab(var, built, servers, app)
                made.leaves = list(
                    db.session.scalars(
                        text("SELECT id FROM unit WHERE kind = 'commune' AND valid_to IS NULL ORDER BY id")
                    )
                )
                db.session.rollback()
                yield made
                db.session.remove()
                db.engine.dispose()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


# ---------------------------------------------------------------- a contest with rounds


def add_contest(lab: Lab) -> int:
    session = lab.session
    contest = Contest(slug="bench", title="Bench", is_current=True, created_at=clock.now())
    session.add(contest)
    session.flush()
    return contest.id


def add_round(lab: Lab, contest_id: int, number: int, *, opens: datetime, closes: datetime) -> RoundCard:
    """A round as the demo's: 10 questions, cap 7, 10 minutes; its bank frozen, its partitions made. Commits."""
    session = lab.session
    row = Round(
        contest_id=contest_id, number=number, theme=f"Round {number}", opens_at=opens, closes_at=closes, windows=None,
        rules=rules_document(Rules()), bank_version=1, key_version=1, draw_secret=b"d" * 32, shards=16,
        scheduled_at=opens - timedelta(days=1),
    )  # fmt: skip
    session.add(row)
    session.flush()
    create_for_round(session, row.id)
    # Looked through for signals already: no worker is to do it beside what is measured.
    session.add(SignalScan(round_id=row.id, at=clock.now(), figures={}))
    key = [{"accept": [1 << (place % 4)], "void": False} for place in range(QUESTIONS)]
    session.add(KeyVersion(round_id=row.id, bank_version=1, version=1, key=key, created_at=clock.now()))
    session.commit()
    window = clock.to_ms(opens), clock.to_ms(closes)
    return RoundCard(
        id=row.id, contest_id=contest_id, number=number, theme=row.theme, opens=window[0], closes=window[1],
        windows=[window], rules=rules_document(Rules()), cap=7, limit=600_000, grace=30_000, late=0, bank_version=1,
        draw_secret=b"d" * 32, strata=[(list(range(QUESTIONS)), 10)], shards=16,
        scheduled=window[0], finalized=None, published=None,
    )  # fmt: skip


def open_round(lab: Lab, contest_id: int, number: int = 1) -> RoundCard:
    """Round 1 is open now; rounds of a contest may not overlap, so each further one follows a week later."""
    opens = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1) + timedelta(days=7 * (number - 1))
    return add_round(lab, contest_id, number, opens=opens, closes=opens + timedelta(days=7))


def publish(lab: Lab, contest_id: int, cards: list[RoundCard]) -> None:
    """Banks and season to intake, the configs last: what priming writes."""
    redis = lab.platform.gateway.client
    bank = [
        BankQuestion(
            id=str(place + 1),
            text=f"Câu hỏi số {place + 1} về cuộc Tổng tuyển cử đầu tiên bầu Quốc hội Việt Nam là câu nào?",
            multiple=False,
            options=[
                BankOption(id="abcd"[bit], text=f"Phương án {bit + 1}: ngày 6 tháng 1 năm 1946, trên cả nước")
                for bit in range(4)
            ],
        )
        for place in range(QUESTIONS)
    ]
    for card in cards:
        write_bank(redis, card.id, 1, bank)
    write_season(redis, [ContestCard(contest_id, "bench", "Bench", True, cards)])
    for card in cards:
        primer.write_configs(redis, card)
    lab.platform.season.refresh()


def add_participants(lab: Lab, count: int) -> None:
    """Participants 1…count spread over the communes, made in one statement."""
    lab.session.execute(
        text(
            "INSERT INTO users (id, person_id, full_name, unit_id, role, auth_epoch, consent_at, created_at, "
            "synthetic) OVERRIDING SYSTEM VALUE SELECT i, i, 'Nguyễn Văn ' || i, "
            "(CAST(:leaves AS int[]))[1 + (i::bigint * 7919) % :size], 'participant', 0, now(), now(), true "
            "FROM generate_series(1, :count) i"
        ).bindparams(leaves=lab.leaves, size=len(lab.leaves), count=count)
    )
    lab.session.execute(text("SELECT setval(pg_get_serial_sequence('users', 'id'), :count)"), {"count": count})
    lab.session.commit()


def unit_of(lab: Lab, participant: int) -> int:
    return lab.leaves[(participant * 7919) % len(lab.leaves)]


# ---------------------------------------------------------------- processes of the application


@contextlib.contextmanager
def process(lab: Lab, name: str, command: list[str], **environment: str) -> Iterator[psutil.Process]:
    """A part of the stack beside the servers, in the stack's environment; its log is VAR/log/NAME.log."""
    with (lab.var / "log" / f"{name}.log").open("ab") as log:
        child = subprocess.Popen(
            command,
            cwd=stack.ROOT,
            env={**lab.stack.environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        yield psutil.Process(child.pid)
    finally:
        child.terminate()
        try:
            child.wait(20)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


@contextlib.contextmanager
def web(
    lab: Lab, application: str = "wsgi:app", *, ready: str = "/readyz", **environment: str
) -> Iterator[tuple[str, psutil.Process]]:
    """Gunicorn with the production settings; yields its address and its master once `ready` answers."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "--config", "gunicorn.conf.py", application]
    name = f"web-{port}"
    with process(lab, name, command, PORT=str(port), **environment) as master:
        address = f"http://127.0.0.1:{port}"
        await_answer(address + ready, lab.var / "log" / f"{name}.log")
        if application == "wsgi:app":
            # One of them answered; the others may still be importing.
            _await(lambda: _published(lab) >= {f"web-{child.pid}" for child in master.children()}, "web processes")
        yield address, master


def await_answer(url: str, log: Path) -> None:
    until = time.monotonic() + READY_SECONDS
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2) as response:  # noqa: S310 - our own http address
                response.read()
                return
        except OSError as error:
            if time.monotonic() > until:
                raise SetupError(f"{url} does not answer ({error}):\n{embedded.tail(log, 40)}") from error
            time.sleep(0.1)


@contextlib.contextmanager
def scoring(lab: Lab, workers: int = 2) -> Iterator[list[psutil.Process]]:
    """The RQ workers and the scheduler, at work: a million people come to a stack that has long been running."""
    with contextlib.ExitStack() as opened:
        parts = [
            process(lab, f"worker-{number}", [sys.executable, "-m", "scoring.worker", "--name", f"worker-{number}"])
            for number in range(1, workers + 1)
        ]
        parts.append(process(lab, "scheduler", [sys.executable, "-m", "scoring.schedule"]))
        started = [opened.enter_context(part) for part in parts]
        names = [jobs.lane_lease(lane) for lane in range(lab.platform.settings.drain_lanes)]
        _await(lambda: lab.platform.queue.exists(*names) == len(names), "lanes of the drain")
        yield started


def _published(lab: Lab) -> set[str]:
    """The processes that say that they are there."""
    return {snapshot.process for snapshot in metrics.published(lab.platform.cache)}


def _await(condition: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + READY_SECONDS
    while not condition():
        if time.monotonic() > until:
            raise SetupError(f"after {READY_SECONDS:.0f} s there are no {what}")
        time.sleep(0.1)


def rss_mb(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / 2**20
