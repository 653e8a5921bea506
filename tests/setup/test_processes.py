"""Which processes belong to a VAR decides what the launcher may kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy import processes

SLEEP = [sys.executable, "-S", "-c", "import signal; signal.pause()"]
DEAF = [
    sys.executable,
    "-S",
    "-c",
    "import signal; signal.signal(15, signal.SIG_IGN); print(1, flush=True); signal.pause()",
]


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    marks = {processes.STACK: str(tmp_path), processes.PART: "web"}
    with subprocess.Popen(SLEEP, env={**os.environ, **marks}) as process:
        assert processes.await_true(lambda: processes.of_stack(tmp_path) != [], 10)
        yield process
        process.kill()


def test_only_marked_processes_belong(sleeper: subprocess.Popen[bytes], tmp_path: Path) -> None:
    assert [process.pid for process in processes.of_stack(tmp_path)] == [sleeper.pid]
    assert [process.pid for process in processes.of_part(tmp_path, "web")] == [sleeper.pid]
    assert processes.of_part(tmp_path, "scheduler") == []
    assert processes.of_stack(tmp_path / "other") == []


def test_a_pid_that_came_again_is_not_the_same_process(sleeper: subprocess.Popen[bytes], tmp_path: Path) -> None:
    found = processes.of_stack(tmp_path)[0]
    earlier = processes.Process(found.pid, found.started - 1, found.name, found.stack, found.part)
    assert not earlier.alive()
    processes.end([earlier], polite_seconds=0)
    assert sleeper.poll() is None


def test_asking_comes_before_killing(tmp_path: Path) -> None:
    marks = {processes.STACK: str(tmp_path)}
    with subprocess.Popen(DEAF, env={**os.environ, **marks}, stdout=subprocess.PIPE) as deaf:
        assert deaf.stdout is not None
        deaf.stdout.readline()
        left = processes.of_stack(tmp_path)
        left[0].send(signal.SIGTERM)
        assert processes.await_end(left, 0.1) == left
        processes.end(left, polite_seconds=0.1)
        assert deaf.wait(5) == -signal.SIGKILL


def test_a_shell_standing_in_the_data_folder_is_left_alone(tmp_path: Path) -> None:
    """Only a program called postgres counts by its working folder."""
    data = tmp_path / "postgres"
    data.mkdir()
    with subprocess.Popen(SLEEP, cwd=data) as stranger:
        processes.clear_crashed_postgres(data, tmp_path)
        assert stranger.poll() is None
        stranger.kill()


def test_a_pid_file_is_a_number_or_nothing(tmp_path: Path) -> None:
    file = tmp_path / "web.pid"
    assert processes.read_pid(file) is None
    processes.write_pid(file, 42)
    assert processes.read_pid(file) == 42
    file.write_text("", encoding="ascii")
    assert processes.read_pid(file) is None
    assert [path.name for path in tmp_path.iterdir()] == ["web.pid"]


@pytest.mark.parametrize("name", ["web", "redis"])
def test_a_part_is_its_command_under_its_own_pid(tmp_path: Path, name: str) -> None:
    (tmp_path / "run").mkdir()
    show = "import os; print(os.getpid(), os.environ['QUIZ80_PART'], os.environ.get('SECRET_KEY'))"
    with subprocess.Popen(
        [sys.executable, "-S", "-m", "deploy.part", name, sys.executable, "-S", "-c", show],
        env={**os.environ, processes.STACK: str(tmp_path), "SECRET_KEY": "hidden"},
        stdout=subprocess.PIPE,
        text=True,
    ) as part:
        said = part.communicate(timeout=10)[0].split()
    assert said == [str(part.pid), name, "hidden" if name == "web" else "None"]
    assert processes.read_pid(tmp_path / "run" / f"{name}.pid") == part.pid
