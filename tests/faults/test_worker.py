"""A worker takes what is there at once: after idling, after Redis was away, and it goes when it is told to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from deploy import embedded, processes
from deploy.stack import ROOT
from scoring import jobs

pytestmark = pytest.mark.faults

# Longer than the five seconds after which the application's own connections give up.
IDLE_SECONDS = 6
# Left to itself RQ asks after 1, 3, 7 and then 15 seconds.
AWAY_SECONDS = 8


@pytest.fixture(scope="module")
def own_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[embedded.Servers]:
    with embedded.servers(tmp_path_factory.mktemp("worker"), durable=False) as both:
        yield both


@pytest.fixture
def queue(own_servers: embedded.Servers) -> Redis:
    return Redis.from_url(own_servers.redis_url, retry=Retry(NoBackoff(), 0))


@pytest.fixture
def worker(own_servers: embedded.Servers, queue: Redis, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    settings = {
        "DATABASE_URL": own_servers.database_url,
        "REDIS_URL": own_servers.redis_url,
        "SECRET_KEY": "s" * 40,
        "QUIZ80_SIGNING_KEYS": f"k1:{'0' * 64}",
    }
    queue.flushall()
    with (tmp_path / "worker.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "scoring.worker", "--name", "worker-1"],
            cwd=ROOT,
            env={**os.environ, **settings},
            stdout=log,
            stderr=log,
        )
    try:
        assert processes.await_true(lambda: waits(queue), 30), (tmp_path / "worker.log").read_text()
        yield process
    finally:
        process.kill()
        process.wait()


def waits(queue: Redis) -> bool:
    """Does a worker stand at the queues?"""
    return any(client["cmd"] == "blpop" for client in queue.client_list())


def taken(queue: Redis, seconds: float) -> bool:
    """Is a job enqueued now taken in time? Whether it succeeds does not matter here: nothing is migrated."""
    job = jobs.queue(queue, "urgent").enqueue("scoring.jobs.prime")
    return processes.await_true(lambda: job.get_status() in ("started", "finished", "failed"), seconds)


def test_an_idle_worker_goes_on_listening(worker: subprocess.Popen[bytes], queue: Redis, tmp_path: Path) -> None:
    """A wait that breaks off is followed by a pause without a listener, and each pause is twice the last."""
    assert taken(queue, 5)
    time.sleep(IDLE_SECONDS)
    assert "could not connect" not in (tmp_path / "worker.log").read_text(encoding="utf-8")
    assert waits(queue)


def test_a_worker_is_back_soon_after_redis(
    worker: subprocess.Popen[bytes], queue: Redis, own_servers: embedded.Servers
) -> None:
    own_servers.redis.kill9()
    time.sleep(AWAY_SECONDS)
    own_servers.redis.start()
    assert taken(queue, 5)
    assert worker.poll() is None


def test_an_idle_worker_ends_when_told(worker: subprocess.Popen[bytes]) -> None:
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(5) == 0
