"""A whole `make run` for tests: started, asked, and stopped."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy import processes
from deploy.stack import ROOT


@dataclass
class Launcher:
    process: subprocess.Popen[str]
    var: Path
    port: int
    said: str

    def pid(self, part: str) -> int | None:
        return processes.read_pid(self.var / "run" / f"{part}.pid")

    def runs(self, part: str) -> bool:
        pid = self.pid(part)
        found = processes.look_up(pid) if pid else None
        return found is not None and found.part == part

    def ready(self) -> bool:
        with contextlib.suppress(OSError):
            url = f"http://127.0.0.1:{self.port}/readyz"
            return bool(urllib.request.urlopen(url, timeout=2).status == 200)
        return False

    def healed(self, part: str, old: int) -> bool:
        return self.pid(part) != old and self.runs(part) and self.ready()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def launch(var: Path, port: int, **given: str) -> subprocess.Popen[str]:
    ours = {name: value for name, value in os.environ.items() if not name.endswith(("_URL", "_KEY", "_KEYS"))}
    return subprocess.Popen(
        [sys.executable, "-m", "deploy.run"],
        cwd=ROOT,
        # On a busy machine newcomers could be asked to wait in line: these tests are of something else.
        env={**ours, "VAR": str(var), "PORT": str(port), "QUIZ80_DOOR_PATIENCE_MS": "0", **given},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def start(var: Path, port: int, **given: str) -> Launcher:
    """Start it and wait until it says that it is ready."""
    process = launch(var, port, **given)
    said = ""
    assert process.stdout is not None
    for line in process.stdout:
        said += line
        if line.startswith("Logs:"):
            return Launcher(process, var, port, said)
    pytest.fail(f"the launcher ended with {process.wait()}:\n{said}")


def stop(running: Launcher) -> None:
    running.process.send_signal(signal.SIGTERM)
    running.process.communicate(timeout=60)
