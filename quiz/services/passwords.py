"""Password hashing, kept off the event loop and bounded: a flood of sign-ins must never slow a hand-in down.

argon2id at OWASP's minimum costs about 20 ms of a core and 19 MiB. Under gevent it runs in native threads (argon2
lets go of the interpreter lock), elsewhere in the caller's own; in both cases only so many may wait, and who comes
on top is refused before anything is computed.
"""

from __future__ import annotations

import functools
import os
import sys
import threading
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask_babel import lazy_gettext as _l

from quiz.errors import Refusal

T = TypeVar("T")

MIN_LENGTH = 8
MAX_LENGTH = 128
THREADS = 2
WAITING_LIMIT = 64
"""Hashes under way and waiting in one process: about 0.7 s of work at two threads."""
NICENESS = 15
"""Priority of the hashing threads: a hand-in that comes meanwhile gets the core at once."""
RETRY_AFTER = 2

_GUESSED_FIRST = """
password password1 password12 password123 passw0rd p@ssw0rd iloveyou iloveyou1
matkhau1 matkhau12 matkhau123 matkhau1234 anhyeuem emyeuanh vietnam1
qwertyui qwertyuiop qwerty12 qwerty123 asdfghjk asdfghjkl 1q2w3e4r 1qaz2wsx
abcd1234 abc12345 abc123456 a1234567 a12345678 a123456789 12345678a 123456789a
"""
_OBVIOUS = frozenset(_GUESSED_FIRST.split())
_RUNS = ("01234567890123456789", "98765432109876543210", "abcdefghijklmnopqrstuvwxyz")

_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


def complaint(password: str, phone: str | None = None) -> Any | None:
    """What a new password lacks, as a sentence, or None if it is good enough.

    Args:
        phone: the account's number in E.164; it is no secret, so it is no password.
    """
    plain = _normal(password)
    if len(plain) < MIN_LENGTH:
        return _l("Use at least %(count)s characters.", count=MIN_LENGTH)
    if len(plain) > MAX_LENGTH:
        return _l("Use at most %(count)s characters.", count=MAX_LENGTH)
    if len(set(plain)) < 4:
        return _l("Use at least 4 different characters.")
    low = plain.casefold()
    if any(low in run for run in _RUNS) or low in _OBVIOUS:
        return _l("This password is among the first that are guessed. Choose another one.")
    if phone is not None and low.replace(" ", "").lstrip("+0").removeprefix("84") == phone.removeprefix("+84"):
        return _l("Your phone number can't be your password.")
    return None


def hash_password(password: str) -> str:
    """Raises Refusal("too_many_requests") when too many wait."""
    return _outside(lambda: _hasher.hash(_normal(password)))


def verify(stored: str | None, password: str) -> bool:
    """Whether the password fits; takes as long where there is no account or it has no password.

    Raises Refusal("too_many_requests") when too many wait.
    """
    return _outside(lambda: _fits(stored or _decoy(), _normal(password)) and bool(stored))


def _normal(password: str) -> str:
    """Phones and computers compose Vietnamese letters differently: what is typed alike must be alike."""
    return unicodedata.normalize("NFC", password)


def _fits(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


@functools.cache
def _decoy() -> str:
    return _hasher.hash("nobody's password")


class _Line:
    """Those who hash and those who wait to."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0

    @contextmanager
    def place(self) -> Iterator[None]:
        with self._lock:
            if self._inside >= WAITING_LIMIT:
                raise Refusal("too_many_requests", retry_after=RETRY_AFTER)
            self._inside += 1
        try:
            yield
        finally:
            with self._lock:
                self._inside -= 1


_line = _Line()


def _outside(work: Callable[[], T]) -> T:
    with _line.place():
        pool = _gevent_pool()
        if pool is None:
            return work()
        done: T = pool.apply(_politely, (work,))
        return done


def _politely(work: Callable[[], T]) -> T:
    """Let the thread of the event loop go first: to Linux 0 is the calling thread alone, not the process."""
    if sys.platform == "linux" and os.getpriority(os.PRIO_PROCESS, 0) < NICENESS:
        os.setpriority(os.PRIO_PROCESS, 0, NICENESS)
    return work()


@functools.cache
def _gevent_pool() -> Any | None:
    """Native threads beside the loop, if there is a loop: only in a process that gevent has patched."""
    from gevent import monkey

    if not monkey.is_module_patched("threading"):
        return None
    from gevent.threadpool import ThreadPool

    return ThreadPool(THREADS)
