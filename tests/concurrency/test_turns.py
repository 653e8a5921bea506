"""Connections take turns: one whose next request is always there does not keep the others waiting."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.concurrency

ROOT = Path(__file__).resolve().parents[2]
MANY = 2_000
GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture
def port() -> Iterator[int]:
    """One process under the settings of production, with an application that waits for nothing."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free: int = probe.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "--config", "gunicorn.conf.py", "bench.bare:app"]
    environment = {**os.environ, "WEB_CONCURRENCY": "1", "HOST": "127.0.0.1", "PORT": str(free)}
    web = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:
        pause = threading.Event()
        while not listens(free):
            assert web.poll() is None, "gunicorn ended"
            pause.wait(0.05)
        yield free
    finally:
        web.terminate()
        web.wait(30)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def answers(connection: socket.socket) -> int:
    """How many have come and were not read yet."""
    connection.setblocking(False)
    came = b""
    try:
        while data := connection.recv(2**20):
            came += data
    except BlockingIOError:
        pass
    return came.count(b"HTTP/1.1 200 OK")


def test_who_asks_on_and_on_does_not_keep_others_waiting(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), 30) as crowding:
        crowding.sendall(GET * MANY)
        first = crowding.recv(16)
        with socket.create_connection(("127.0.0.1", port), 30) as other:
            other.sendall(GET)
            assert other.recv(2**16).startswith(b"HTTP/1.1 200 OK")
        assert first.startswith(b"HTTP/1.1 200")
        assert answers(crowding) < MANY - 1, "the other was served last"
