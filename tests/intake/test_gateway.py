"""One exchange serves all that wait; whoever dies or restarts meanwhile, nobody waits for ever or twice."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from deploy import embedded
from quiz.intake import gateway as module
from quiz.intake.errors import IntakeUnavailable
from quiz.intake.gateway import Gateway, Script

ROOT = Path(__file__).resolve().parents[2]


def lua(source: str) -> Script:
    script = Script("start")
    script.source = source.encode()
    return script


ECHO = "return {'echo', ARGV[1]}"
COUNT = "return {'count', redis.call('INCR', KEYS[1])}"


class Watched(Gateway):
    """Counts its exchanges, and may be held in the first one."""

    def __init__(self, client: Redis, held: threading.Event | None = None) -> None:
        super().__init__(client)
        self.batches: list[int] = []
        self.entered = threading.Event()
        self.held = held

    def _exchange(self, commands: list[bytes]) -> list[Any]:
        self.batches.append(len(commands))
        self.entered.set()
        if self.held is not None and len(self.batches) == 1:
            assert self.held.wait(10)
        return super()._exchange(commands)

    def waiting(self) -> int:
        return len(self._queue)


@pytest.fixture(scope="module")
def server() -> Iterator[embedded.Redis]:
    """A Redis of this file's own, because it is killed."""
    with tempfile.TemporaryDirectory(prefix="quiz80-gateway-") as folder:
        var = Path(folder)
        for name in ("run", "log"):
            (var / name).mkdir()
        redis = embedded.Redis(var, "password")
        redis.prepare()
        redis.start()
        try:
            yield redis
        finally:
            redis.stop()


@pytest.fixture
def client(server: embedded.Redis) -> Iterator[Redis]:
    made = Redis.from_url(server.url, socket_timeout=5, socket_connect_timeout=1, retry=Retry(NoBackoff(), 0))
    made.flushall()
    yield made
    made.close()


def until(condition: Any, seconds: float = 10) -> None:
    done = threading.Event()
    for _ in range(int(seconds / 0.002)):
        if condition():
            return
        done.wait(0.002)
    raise AssertionError("it never came to it")


def test_everybody_gets_the_own_answer(client: Redis) -> None:
    held = Gateway(client)
    echo = lua(ECHO)
    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(lambda n: held.call(echo, [], [n]), range(2_000)))
    assert answers == [[b"echo", b"%d" % n] for n in range(2_000)]


def test_those_who_wait_share_one_exchange(client: Redis) -> None:
    held = threading.Event()
    gateway = Watched(client, held)
    echo = lua(ECHO)
    echo.sha = str(client.script_load(ECHO))
    with ThreadPoolExecutor(64) as pool:
        first = pool.submit(gateway.call, echo, [], ["first"])
        assert gateway.entered.wait(10)
        others = [pool.submit(gateway.call, echo, [], [n]) for n in range(50)]
        until(lambda: gateway.waiting() == 50)
        held.set()
        assert first.result(10) == [b"echo", b"first"]
        assert [other.result(10)[1] for other in others] == [b"%d" % n for n in range(50)]
    assert gateway.batches == [1, 50]


def test_one_refusal_is_its_callers_alone(client: Redis) -> None:
    held = threading.Event()
    gateway = Watched(client, held)
    echo, broken = lua(ECHO), lua("return redis.call('INCR', KEYS[1])")
    client.set("text", "not a number")
    for script in (echo, broken):
        script.sha = str(client.script_load(script.source.decode()))
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(gateway.call, echo, [], ["first"])
        assert gateway.entered.wait(10)
        wrong = pool.submit(gateway.call, broken, ["text"], [])
        right = pool.submit(gateway.call, echo, [], ["right"])
        until(lambda: gateway.waiting() == 2)
        held.set()
        assert first.result(10) == [b"echo", b"first"]
        assert right.result(10) == [b"echo", b"right"]
        with pytest.raises(IntakeUnavailable):
            wrong.result(10)


def test_not_primed_is_unavailable(client: Redis) -> None:
    with pytest.raises(IntakeUnavailable, match="not primed"):
        Gateway(client).call(lua("return {'unprimed'}"), [], [])


def test_scripts_forgotten_by_redis_are_loaded_again(client: Redis) -> None:
    gateway = Gateway(client)
    count = lua(COUNT)
    assert gateway.call(count, ["n"], []) == [b"count", 1]
    client.script_flush()
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: gateway.call(count, ["n"], [])[1], range(100)))
    assert sorted(answers) == list(range(2, 102))


def test_hundreds_who_are_the_first_of_a_process_need_no_connection_each(server: embedded.Redis) -> None:
    few = Redis.from_url(server.url, max_connections=2)
    echo, gateway, together = lua(ECHO), Gateway(few), threading.Barrier(100)

    def call(number: int) -> bytes:
        together.wait(10)
        answer: bytes = gateway.call(echo, [], [number])[1]
        return answer

    with ThreadPoolExecutor(100) as pool:
        assert list(pool.map(call, range(100))) == [b"%d" % number for number in range(100)]


def test_a_full_redis_is_unavailable_and_nothing_is_half_done(client: Redis) -> None:
    gateway = Gateway(client)
    count = lua(COUNT)
    gateway.call(count, ["n"], [])
    client.config_set("maxmemory", "1")
    try:
        with pytest.raises(IntakeUnavailable):
            gateway.call(count, ["n"], [])
    finally:
        client.config_set("maxmemory", "0")
    assert gateway.call(count, ["n"], []) == [b"count", 2]


class Stopped(BaseException):
    """Stands for a greenlet's end."""


def test_a_leader_that_is_stopped_hands_the_lead_on(client: Redis) -> None:
    held = threading.Event()
    gateway = Watched(client, held)
    echo = lua(ECHO)
    echo.sha = str(client.script_load(ECHO))
    round_trip = module.Gateway._round_trip

    def stopped_once(connection: Any, commands: list[bytes]) -> list[Any]:
        if len(gateway.batches) == 1:
            raise Stopped
        return round_trip(connection, commands)

    gateway._round_trip = stopped_once  # type: ignore[method-assign]
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(gateway.call, echo, [], ["first"])
        assert gateway.entered.wait(10)
        others = [pool.submit(gateway.call, echo, [], [n]) for n in range(5)]
        until(lambda: gateway.waiting() == 5)
        held.set()
        with pytest.raises(Stopped):
            first.result(10)
        assert [other.result(10)[1] for other in others] == [b"%d" % n for n in range(5)]


def test_greenlets_killed_anywhere_leave_the_line_open(server: embedded.Redis) -> None:
    """Under gevent, as in production: leaders and followers are killed at chance places, the others are answered."""
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("killed_greenlets.py")), server.url],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-1] == "open"


def test_a_restarted_redis_is_used_again_at_once(server: embedded.Redis, client: Redis) -> None:
    gateway = Gateway(client)
    count = lua(COUNT)
    assert gateway.call(count, ["n"], []) == [b"count", 1]
    server.kill9()
    with pytest.raises(IntakeUnavailable):
        gateway.call(count, ["n"], [])
    server.start()
    # The scripts went with the process; the count is on disk.
    assert gateway.call(count, ["n"], []) == [b"count", 2]


def test_an_idle_connection_that_redis_dropped_is_not_noticed_by_the_caller(
    server: embedded.Redis, client: Redis
) -> None:
    gateway = Gateway(client)
    count = lua(COUNT)
    assert gateway.call(count, ["n"], []) == [b"count", 1]
    with Redis.from_url(server.url) as other:
        assert other.client_kill_filter(_type="normal", skipme=True) > 0
    assert gateway.call(count, ["n"], []) == [b"count", 2]


def test_redis_killed_among_callers_answers_or_refuses_each(server: embedded.Redis, client: Redis) -> None:
    """Every caller gets an answer or a refusal, and what was answered is on disk."""
    gateway = Gateway(client)
    mark = lua("redis.call('SADD', KEYS[1], ARGV[1]) return {'marked', ARGV[1]}")
    gateway.call(mark, ["marks"], ["0"])
    acknowledged: list[bytes] = []
    stop = threading.Event()

    def caller(number: int) -> int:
        refused = 0
        turn = 0
        while not stop.is_set():
            turn += 1
            try:
                acknowledged.append(gateway.call(mark, ["marks"], [f"{number}:{turn}"])[1])
            except IntakeUnavailable:
                refused += 1
        return refused

    with ThreadPoolExecutor(16) as pool:
        callers = [pool.submit(caller, number) for number in range(16)]
        until(lambda: len(acknowledged) > 200)
        server.kill9()
        server.start()
        seen = len(acknowledged)
        until(lambda: len(acknowledged) > seen + 200)
        stop.set()
        refused = sum(future.result(10) for future in callers)
    assert refused > 0
    assert set(acknowledged) <= set(client.smembers("marks"))
