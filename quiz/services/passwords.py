"""Password hashing, kept out of the web process and bounded: a flood of sign-ins must never slow a hand-in down.

argon2id at OWASP's minimum costs about 20 ms of a core and 19 MiB. Under gevent each web process has a hashing process
beside it, of the lowest priority, that hashes one password at a time; elsewhere the caller does it itself. In both
cases only so many may wait, and who comes on top is refused before anything is computed.

Not threads of the web process, even of low priority: they need its interpreter lock before and after each hash, and a
thread that the scheduler has set aside while it holds that lock holds up every request (docs/performance.md).
"""

from __future__ import annotations

import functools
import json
import os
import socket
import subprocess
import sys
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask_babel import lazy_gettext as _l

from quiz.errors import Refusal
from quiz.services import hasher

MIN_LENGTH = 8
MAX_LENGTH = 128
WAITING_LIMIT = 64
"""Hashes under way and waiting in one process: about 1.5 s of work on a free core."""
PATIENCE = 20.0
"""Seconds after which a hash that the cores had no time for is given up."""
RETRY_AFTER = 2

_GUESSED_FIRST = """
password password1 password12 password123 passw0rd p@ssw0rd iloveyou iloveyou1
matkhau1 matkhau12 matkhau123 matkhau1234 anhyeuem emyeuanh vietnam1
qwertyui qwertyuiop qwerty12 qwerty123 asdfghjk asdfghjkl 1q2w3e4r 1qaz2wsx
abcd1234 abc12345 abc123456 a1234567 a12345678 a123456789 12345678a 123456789a
"""
_OBVIOUS = frozenset(_GUESSED_FIRST.split())
_RUNS = ("01234567890123456789", "98765432109876543210", "abcdefghijklmnopqrstuvwxyz")

_hasher = hasher.argon2id


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
    plain = _normal(password)
    with _line.place():
        beside = _hashing_process()
        return _hasher.hash(plain) if beside is None else str(beside.ask({"hash": plain}))


def verify(stored: str | None, password: str) -> bool:
    """Whether the password fits; takes as long where there is no account or it has no password.

    Raises Refusal("too_many_requests") when too many wait.
    """
    plain, known = _normal(password), stored or _decoy()
    with _line.place():
        beside = _hashing_process()
        if beside is None:
            fits = hasher.fits(_hasher, known, plain)
        else:
            fits = beside.ask({"verify": plain, "stored": known}) is True
    return fits and bool(stored)


def prepare() -> None:
    """Start what hashing needs, so that the first who signs in does not wait for it."""
    beside = _hashing_process()
    if beside is not None:
        beside.start()


def _normal(password: str) -> str:
    """Phones and computers compose Vietnamese letters differently: what is typed alike must be alike."""
    return unicodedata.normalize("NFC", password)


def _decoy() -> str:
    """A hash that no password has."""
    return "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"


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


class _HashingProcess:
    """The process beside this one; one question at a time, in the order they came."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._owner = 0
        self._child: subprocess.Popen[bytes] | None = None
        self._socket: Any = None
        self._talk: Any = None

    def start(self) -> None:
        with self._turn:
            self._ensure()

    def ask(self, question: dict[str, str]) -> str | bool:
        """Raises Refusal("too_many_requests") when the cores have no time for it."""
        text = json.dumps(question).encode() + b"\n"
        with self._turn:
            try:
                try:
                    return self._exchange(text)
                except TimeoutError as slow:
                    raise Refusal("too_many_requests", retry_after=RETRY_AFTER) from slow
                except OSError:
                    # Killed, and idle since: hashing can be repeated, so once more with a new one.
                    self._close()
                    return self._exchange(text)
            except BaseException:
                # Also for a greenlet killed half way: an answer left unread must never meet another question.
                self._close()
                raise

    def _exchange(self, text: bytes) -> str | bool:
        self._ensure()
        self._talk.write(text)
        self._talk.flush()
        said = self._talk.readline()
        if not said:
            raise ConnectionError("the hashing process ended")
        answer: str | bool = json.loads(said)
        return answer

    def _ensure(self) -> None:
        """A forked process never speaks to its parent's."""
        if self._child is not None and self._owner == os.getpid():
            return
        ours, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, hasher.__file__, str(theirs.fileno())]
            self._child = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=(theirs.fileno(),))
        ours.settimeout(PATIENCE)
        self._owner, self._socket, self._talk = os.getpid(), ours, ours.makefile("rwb")

    def _close(self) -> None:
        child, held = self._child, self._socket
        self._child = self._socket = self._talk = None
        if held is not None:
            held.close()
        if child is not None:
            child.kill()
            child.wait()


@functools.cache
def _hashing_process() -> _HashingProcess | None:
    """Only beside an event loop, where a hash would stop everything: in a process that gevent has patched."""
    from gevent import monkey

    return _HashingProcess() if monkey.is_module_patched("threading") else None
