"""The program of the hashing process: a web process starts it by its path and speaks to it over a socket.

It stands alone and imports nothing of ours, so it starts at once and stays small. A line of JSON comes in, a line of
JSON goes out: `{"hash": PASSWORD}` → the hash, `{"verify": PASSWORD, "stored": HASH}` → true or false.
"""

from __future__ import annotations

import json
import os
import socket
import sys

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

NICENESS = 19

argon2id = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
"""OWASP's minimum: about 20 ms of a core and 19 MiB."""


def fits(hasher: PasswordHasher, stored: str, password: str) -> bool:
    try:
        return hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


def stand_back() -> None:
    """Take the cores only while nobody else wants them: whoever wakes up gets them at once."""
    os.setpriority(os.PRIO_PROCESS, 0, NICENESS)
    if sys.platform == "linux":
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


def answer(asked: dict[str, str]) -> str | bool:
    if "hash" in asked:
        return argon2id.hash(asked["hash"])
    return fits(argon2id, asked["stored"], asked["verify"])


def main() -> None:
    stand_back()
    with socket.socket(fileno=int(sys.argv[1])) as line:
        # It came out of gevent's hands, which never block.
        line.setblocking(True)
        with line.makefile("rwb") as talk:
            # The web process ended, or let go of the line: so does this one.
            for asked in talk:
                talk.write(json.dumps(answer(json.loads(asked))).encode() + b"\n")
                talk.flush()


if __name__ == "__main__":
    main()
