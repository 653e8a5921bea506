"""Under gevent hashing happens in a process that stands back; the web process keeps its priority and its lock."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

# Processes of their own: patching by gevent can't be undone.
BEGIN = """
from gevent import monkey; monkey.patch_all()
import os, gevent
from quiz.services import passwords
passwords.prepare()
beside = passwords._hashing_process()
first = beside._child.pid
"""

STANDS_BACK = """
assert passwords.verify(passwords.hash_password("matkhau-dai-9"), "matkhau-dai-9")
assert not passwords.verify(passwords.hash_password("matkhau-dai-9"), "matkhau-dai-8")
assert not passwords.verify(None, "matkhau-dai-9")
assert beside._child.pid == first
print(os.getpriority(os.PRIO_PROCESS, 0), os.getpriority(os.PRIO_PROCESS, first), os.sched_getscheduler(first))
"""

KILLED = """
import signal
os.kill(first, signal.SIGKILL)
jobs = [gevent.spawn(passwords.hash_password, f"matkhau-dai-{n}") for n in range(4)]
gevent.joinall(jobs)
assert all(passwords.verify(job.value, f"matkhau-dai-{n}") for n, job in enumerate(jobs))
print(beside._child.pid != first)
"""

LET_GO = """
waiting = [gevent.spawn(passwords.hash_password, f"matkhau-dai-{n}") for n in range(3)]
gevent.sleep(0.001)
waiting[0].kill()
gevent.joinall(waiting)
print(all(passwords.verify(job.value, f"matkhau-dai-{n}") for n, job in enumerate(waiting) if n))
"""

GAVE_UP = """
from quiz.errors import Refusal
import signal
passwords.PATIENCE = 0.2
beside._close()
passwords.prepare()
os.kill(beside._child.pid, signal.SIGSTOP)
try:
    passwords.hash_password("matkhau-dai-9")
except Refusal as refusal:
    # Its successor has to start first, and stands back behind whatever else runs.
    passwords.PATIENCE = 60
    print(refusal.code, passwords.verify(passwords.hash_password("matkhau-dai-9"), "matkhau-dai-9"))
"""


def said_by(program: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + program], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_the_hashing_process_stands_back() -> None:
    own, hashing, scheduler = map(int, said_by(STANDS_BACK))
    assert hashing == 19
    assert own < hashing
    assert scheduler == os.SCHED_IDLE


def test_a_hashing_process_that_was_killed_is_started_again() -> None:
    assert said_by(KILLED) == ["True"]


def test_who_gives_up_takes_nobody_elses_answer() -> None:
    assert said_by(LET_GO) == ["True"]


def test_who_waits_too_long_is_told_to_come_again() -> None:
    assert said_by(GAVE_UP) == ["too_many_requests", "True"]


def test_the_hashing_process_ends_with_its_web_process() -> None:
    (pid,) = map(int, said_by("print(first)"))
    try:
        ended = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        assert select.select([ended], [], [], 20)[0]
    finally:
        os.close(ended)
