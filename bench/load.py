"""Driving HTTP with wrk: prepared requests each sent once, or one GET again and again."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from deploy.errors import SetupError

HERE = Path(__file__).resolve().parent
CONNECTIONS = 64
THREADS = 2


@dataclass(frozen=True)
class Load:
    """What wrk saw. Times in ms."""

    requests: int
    seconds: float
    bad_status: int
    broken: int
    p50_ms: float
    p99_ms: float
    max_ms: float

    @property
    def per_s(self) -> float:
        return self.requests / self.seconds


def ensure_wrk() -> None:
    if shutil.which("wrk"):
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise SetupError("wrk is missing, which makes the load: apt-get install wrk")
    print("  installing wrk (apt-get install wrk)", flush=True)
    done = subprocess.run(["apt-get", "install", "-y", "-q", "wrk"], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SetupError(f"apt-get install wrk failed: {done.stderr.strip()[-500:]}")


def write_requests(prefix: Path, requests: Iterable[bytes], threads: int = THREADS) -> None:
    """Deal raw requests out to one file a thread."""
    files = [prefix.with_name(f"{prefix.name}.{number}").open("wb") for number in range(threads)]
    try:
        for number, request in enumerate(requests):
            files[number % threads].write(b"%d\n" % len(request) + request)
    finally:
        for file in files:
            file.close()


def post(path: str, body: bytes, headers: Mapping[str, str] | None = None, method: str = "POST") -> bytes:
    """A raw request with a JSON body, as a phone's client sends it."""
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: localhost",
        "User-Agent: quiz80-bench/1",
        "Accept: application/json",
        "Accept-Language: vi",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *(f"{name}: {value}" for name, value in (headers or {}).items()),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def get(path: str, headers: Mapping[str, str] | None = None) -> bytes:
    """A raw request for a page."""
    given = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\nAccept-Language: vi\r\n{given}\r\n".encode()


def replay(address: str, prefix: Path, seconds: float, *, connections: int = CONNECTIONS) -> Load:
    """Send prepared requests for so long.

    Raises:
        SetupError: they did not last so long.
    """
    sent = _marks(prefix, "sent")
    load = _wrk(_command(address, seconds, connections, "replay.lua", prefix))
    if any(mark.exists() for mark in sent):
        raise SetupError(f"{load.requests} prepared requests did not last {seconds:.1f} s: prepare more")
    return load


def replay_all(
    address: str, prefix: Path, *, connections: int = CONNECTIONS, threads: int = THREADS, at_most: float = 1800
) -> tuple[Load, float]:
    """Send every prepared request, however long it takes; the second value is the seconds until all were answered."""
    answered = _marks(prefix, "answered", threads)
    began = time.monotonic()
    running = _begin(_command(address, at_most, connections, "replay.lua", prefix, threads=threads))
    while running.poll() is None and not all(mark.exists() for mark in answered):
        time.sleep(0.02)
    seconds = time.monotonic() - began
    # Interrupted, wrk reports as if its time were over.
    running.send_signal(signal.SIGINT)
    return _report(running), seconds


class Replay:
    """Prepared requests sent in the background until it is stopped."""

    def __init__(self, address: str, prefix: Path, *, connections: int = CONNECTIONS, at_most: float = 7200) -> None:
        self._marks = _marks(prefix, "sent")
        self._running = _begin(_command(address, at_most, connections, "replay.lua", prefix))

    def stop(self) -> Load:
        """Interrupted, wrk reports as if its time were over.

        Raises:
            SetupError: the requests did not last until now.
        """
        lasted = not any(mark.exists() for mark in self._marks)
        self._running.send_signal(signal.SIGINT)
        load = _report(self._running)
        if not lasted:
            raise SetupError(f"{load.requests} prepared requests did not last {load.seconds:.1f} s: prepare more")
        return load


def repeat(
    url: str, seconds: float, *, headers: Mapping[str, str] | None = None, connections: int = CONNECTIONS
) -> Load:
    """One GET again and again for so long."""
    return _wrk(_command(url, seconds, connections, "repeat.lua", headers=headers))


def _marks(prefix: Path, name: str, threads: int = THREADS) -> list[Path]:
    """The marks that replay.lua leaves when a thread's requests are all "sent", or "answered"; removed here."""
    marks = [prefix.with_name(f"{prefix.name}.{number}.{name}") for number in range(threads)]
    for mark in marks:
        mark.unlink(missing_ok=True)
    return marks


def _command(
    url: str,
    seconds: float,
    connections: int,
    script: str,
    prefix: Path | None = None,
    headers: Mapping[str, str] | None = None,
    threads: int = THREADS,
) -> list[str]:
    given = [word for name, value in (headers or {}).items() for word in ("-H", f"{name}: {value}")]
    return [
        "wrk", "-t", str(threads), "-c", str(connections), "-d", f"{max(1, round(seconds))}s", "--timeout", "20s",
        *given, "-s", str(HERE / script), url, *(["--", str(prefix), str(connections // threads)] if prefix else []),
    ]  # fmt: skip


def _begin(command: list[str]) -> subprocess.Popen[str]:
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    # A benchmark that is interrupted must not leave it behind: without a server it would take a whole core.
    atexit.register(running.kill)
    return running


def _wrk(command: list[str]) -> Load:
    return _report(_begin(command))


def _report(running: subprocess.Popen[str]) -> Load:
    said = running.communicate()[0]
    reports = [line for line in said.splitlines() if line.startswith("REPORT ")]
    if running.returncode or not reports:
        raise SetupError(f"wrk failed:\n{said[-1000:]}")
    return Load(**json.loads(reports[0].removeprefix("REPORT ")))


class Split:
    """How the work was shared out: CPU seconds of each gunicorn worker while this was open."""

    def __init__(self, master: psutil.Process, *, alone: bool = False) -> None:
        self._workers = [master] if alone else master.children()
        self._before = [self._cpu(worker) for worker in self._workers]

    @staticmethod
    def _cpu(worker: psutil.Process) -> float:
        times = worker.cpu_times()
        return float(times.user + times.system)

    def seconds(self) -> list[float]:
        return [self._cpu(worker) - before for worker, before in zip(self._workers, self._before, strict=True)]

    def text(self) -> str:
        spent = self.seconds()
        total = sum(spent) or 1.0
        return "/".join(f"{100 * one / total:.0f}" for one in spent)
