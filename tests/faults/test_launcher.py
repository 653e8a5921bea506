"""`make run` as a whole: killed parts come back, and nothing stays behind.

The tests share one stack and run in their order; the last ones end it.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy import embedded, processes
from tests.faults.launching import Launcher, free_port, launch, start, stop

pytestmark = pytest.mark.faults

PARTS = ("postgres", "redis", "cache", "web", "worker-1", "worker-2", "scheduler")
HEAL_SECONDS = 10  # the promise, for a machine that is not overloaded


def patience() -> float:
    """The promised time, longer by as much as this machine has more to do than it can."""
    return HEAL_SECONDS * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


@pytest.fixture(scope="module")
def launcher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launcher]:
    running = start(tmp_path_factory.mktemp("launcher") / "var", free_port())
    yield running
    stop(running)


def test_every_part_runs_and_says_its_pid(launcher: Launcher) -> None:
    assert launcher.ready()
    assert processes.await_true(lambda: all(map(launcher.runs, PARTS)), patience())
    assert f"http://127.0.0.1:{launcher.port}" in launcher.said


def test_a_second_start_names_the_first(launcher: Launcher) -> None:
    second = launch(launcher.var, free_port())
    said, _ = second.communicate(timeout=30)
    assert second.returncode == 1
    assert f"pid {launcher.process.pid}, http://127.0.0.1:{launcher.port}" in said
    assert launcher.ready()


def test_a_taken_port_is_named_before_anything_starts(launcher: Launcher, tmp_path: Path) -> None:
    other = launch(tmp_path / "var", launcher.port)
    said, _ = other.communicate(timeout=30)
    assert other.returncode == 1
    assert re.search(rf"Cannot listen on .*:{launcher.port}", said)
    assert not (tmp_path / "var" / "postgres").exists()


@pytest.mark.parametrize("part", PARTS)
def test_a_killed_part_is_back_in_time(launcher: Launcher, part: str) -> None:
    old = launcher.pid(part)
    assert old is not None
    os.kill(old, signal.SIGKILL)
    assert processes.await_true(lambda: launcher.healed(part, old), patience()), f"{part} did not come back"


def test_a_part_killed_again_and_again_is_not_given_up(launcher: Launcher) -> None:
    last = None
    for _ in range(4):
        assert processes.await_true(lambda: launcher.pid("web") != last, patience())  # noqa: B023 - called at once
        last = launcher.pid("web")
        assert last is not None
        with contextlib.suppress(ProcessLookupError):
            os.kill(last, signal.SIGKILL)
    assert processes.await_true(launcher.ready, patience())


def test_all_parts_killed_at_once_are_back_in_time(launcher: Launcher) -> None:
    old = {part: launcher.pid(part) for part in PARTS}
    for pid in old.values():
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
    back = processes.await_true(lambda: all(launcher.healed(part, old[part] or 0) for part in PARTS), patience())
    assert back, [part for part in PARTS if not launcher.healed(part, old[part] or 0)]


def test_a_killed_supervisor_is_replaced(launcher: Launcher) -> None:
    old = launcher.pid("supervisord")
    assert old is not None
    os.kill(old, signal.SIGKILL)
    assert processes.await_true(lambda: launcher.pid("supervisord") not in (old, None), patience())
    assert processes.await_true(lambda: launcher.ready() and all(map(launcher.runs, PARTS)), 3 * patience())


def test_a_killed_launcher_leaves_nothing_that_hinders_the_next(launcher: Launcher) -> None:
    launcher.process.kill()
    launcher.process.communicate()

    began = time.monotonic()
    again = start(launcher.var, launcher.port)
    launcher.process = again.process  # for the tests that follow

    assert launcher.ready()
    assert time.monotonic() - began < 6 * patience()
    assert processes.await_true(lambda: all(map(launcher.runs, PARTS)), patience())


def test_own_servers_are_used_and_get_no_demo(tmp_path: Path) -> None:
    with embedded.servers(tmp_path / "own", durable=False) as own:
        beside = start(
            tmp_path / "var",
            free_port(),
            DATABASE_URL=own.database_url,
            REDIS_URL=own.redis_url,
            SECRET_KEY="s" * 40,
            QUIZ80_SIGNING_KEYS=f"k1:{'0' * 64}",
        )
        assert beside.ready()
        assert "demo" not in beside.said
        assert not beside.runs("postgres")
        beside.process.send_signal(signal.SIGTERM)
        said, _ = beside.process.communicate(timeout=60)
        assert beside.process.returncode == 0, said
        assert processes.of_stack(beside.var) == []
        assert own.postgres.ready(own.postgres.pid)


def test_an_interrupt_ends_all_of_it(launcher: Launcher) -> None:
    assert processes.of_stack(launcher.var) != []
    launcher.process.send_signal(signal.SIGINT)
    said, _ = launcher.process.communicate(timeout=60)
    assert launcher.process.returncode == 0, said
    assert processes.of_stack(launcher.var) == []
    assert list((launcher.var / "run").glob("*.pid")) == []
    assert not launcher.ready()
