"""`python -S -m deploy.part NAME COMMAND...`: become one part of the stack.

The supervisor starts every part through here: it notes the pid, clears what a killed predecessor left, and becomes the
command (same pid). Standard library only and no site packages: it costs a few hundredths of a second.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

from deploy import processes

# A part that dies at once would otherwise be restarted in a tight loop. The supervisor's own back-off grows without
# end, and a part has to be back within 10 s however often it fell: one steady second is enough.
LEAST_SECONDS_BETWEEN_STARTS = 1.0


def main() -> None:
    name, *command = sys.argv[1:]
    var = Path(os.environ[processes.STACK])
    pid_file = var / "run" / f"{name}.pid"
    wait = _seconds_to_wait(pid_file)
    processes.write_pid(pid_file, os.getpid())
    if wait > 0:
        time.sleep(wait)
    _clear(var, name)
    os.execvpe(command[0], command, _environment(var, name))  # noqa: S606 - becoming the command is the purpose


def _environment(var: Path, name: str) -> dict[str, str]:
    own = {processes.PART: name}
    if name in processes.SERVERS:
        # The servers need none of the application's secrets.
        return {"PATH": os.environ.get("PATH", os.defpath), processes.STACK: str(var), **own}
    return {**os.environ, **own}


def _seconds_to_wait(pid_file: Path) -> float:
    try:
        age = time.time() - pid_file.stat().st_mtime
    except FileNotFoundError:
        return 0
    return LEAST_SECONDS_BETWEEN_STARTS if 0 <= age < LEAST_SECONDS_BETWEEN_STARTS else 0


def _clear(var: Path, name: str) -> None:
    if name == "postgres":
        processes.clear_crashed_postgres(var / "postgres", Path(os.environ["QUIZ80_POSTGRES_SOCKETS"]))
    elif name in processes.DATA_FOLDERS["redis-server"]:
        processes.clear_crashed_redis(var / name)
    elif not name.startswith("worker-"):
        # Orphans of a killed web server hold its port. A worker's orphan is a job about to end: counting an entry
        # twice is impossible, so it may finish.
        leftover = processes.of_part(var, name)
        processes.end(leftover, polite_seconds=1.5, number=signal.SIGTERM)


if __name__ == "__main__":
    main()
