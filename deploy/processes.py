"""What runs on behalf of one VAR folder, read from /proc. Standard library only, so that it loads in milliseconds."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

# Every process below the launcher carries this variable (its value is the VAR folder), so that nothing that a
# killed launcher left behind can be taken for somebody else's.
STACK = "QUIZ80_STACK"
PART = "QUIZ80_PART"

# PostgreSQL and Redis write their title over their environment; their working folder is what tells them apart.
DATA_FOLDERS = {"postgres": ("postgres",), "redis-server": ("redis", "cache")}
SERVERS = tuple(part for parts in DATA_FOLDERS.values() for part in parts)

_DELETED = " (deleted)"


@dataclass(frozen=True, slots=True)
class Process:
    pid: int
    started: int  # clock ticks after boot: pid and start together name a process for good
    name: str
    stack: str | None
    part: str | None

    def alive(self) -> bool:
        found = _stat(self.pid)
        return found is not None and found[1] == self.started and found[2] != "Z"

    def send(self, number: signal.Signals) -> None:
        if not self.alive():
            return
        try:
            os.kill(self.pid, number)
        except ProcessLookupError:
            return


def of_stack(var: Path) -> list[Process]:
    """Every process that belongs to this VAR, except this one and those above it."""
    own = set(_ancestors())
    return [process for process in _all() if process.stack == str(var) and process.pid not in own]


def of_part(var: Path, part: str) -> list[Process]:
    return [process for process in of_stack(var) if process.part == part]


def look_up(pid: int) -> Process | None:
    found = _stat(pid)
    if found is None or found[2] == "Z":
        return None
    name, started, _state, _parent = found
    folder = _data_folder(pid, name)
    if folder is not None:
        return Process(pid, started, name, os.path.dirname(folder), os.path.basename(folder))
    marks = _marks(pid)
    return Process(pid, started, name, marks.get(STACK), marks.get(PART))


def await_end(processes: Iterable[Process], seconds: float) -> list[Process]:
    """Those still alive when the time is over."""
    deadline = time.monotonic() + seconds
    left = [process for process in processes if process.alive()]
    while left and time.monotonic() < deadline:
        time.sleep(0.02)
        left = [process for process in left if process.alive()]
    return left


def await_true(condition: Callable[[], bool], seconds: float, pause: float = 0.02) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True


def end(processes: Iterable[Process], *, polite_seconds: float, number: signal.Signals = signal.SIGTERM) -> None:
    """Ask first, then kill."""
    asked = list(processes)
    for process in asked:
        process.send(number)
    for process in await_end(asked, polite_seconds):
        process.send(signal.SIGKILL)
    await_end(asked, 5)


def read_pid(path: Path) -> int | None:
    """The number in a pid file's first line; None when there is none to read."""
    try:
        first = path.read_text(encoding="ascii").split("\n", 1)[0].strip()
    except (FileNotFoundError, UnicodeDecodeError):
        return None
    return int(first) if first.isdigit() else None


def write_pid(path: Path, pid: int) -> None:
    """In one step: who reads the file never sees half a number."""
    new = path.with_name(f".{path.name}.{pid}")
    new.write_text(f"{pid}\n", encoding="ascii")
    new.replace(path)


def clear_crashed_postgres(data: Path, sockets: Path) -> None:
    """Let PostgreSQL start after it was killed.

    PostgreSQL refuses when the pid in its lock file is alive, whoever has that pid now; in a container pids are small
    and soon come again. So the lock files go when no process works in this data folder any more. Whatever still does
    is an orphan of the dead postmaster (the caller holds the lock of this VAR) and has to go first.
    """
    orphans = [process for process in _all() if process.name == "postgres" and _in_folder(process.pid, data)]
    end(orphans, polite_seconds=5, number=signal.SIGQUIT)
    for lock in (data / "postmaster.pid", *sockets.glob(".s.PGSQL.*")):
        lock.unlink(missing_ok=True)


def clear_crashed_redis(data: Path) -> None:
    """Two Redis writing one append-only file would spoil it."""
    end(
        [process for process in _all() if process.name == "redis-server" and _in_folder(process.pid, data)],
        polite_seconds=5,
    )


def _all() -> Iterator[Process]:
    for entry in os.listdir("/proc"):
        if entry.isdigit() and (process := look_up(int(entry))) is not None:
            yield process


def _ancestors() -> Iterator[int]:
    pid = os.getpid()
    while pid > 0:
        yield pid
        found = _stat(pid)
        pid = found[3] if found else 0


def _stat(pid: int) -> tuple[str, int, str, int] | None:
    """Name, start, state, parent."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    name, _, rest = text.partition("(")[2].rpartition(")")
    fields = rest.split()
    return name, int(fields[19]), fields[0], int(fields[1])


def _data_folder(pid: int, name: str) -> str | None:
    kinds = DATA_FOLDERS.get(name, ())
    folder = _cwd(pid) if kinds else None
    return folder if folder and os.path.basename(folder) in kinds else None


def _in_folder(pid: int, folder: Path) -> bool:
    return _cwd(pid) == str(folder)


def _cwd(pid: int) -> str | None:
    try:
        return os.readlink(f"/proc/{pid}/cwd").removesuffix(_DELETED)
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None  # gone, or another user's


def _marks(pid: int) -> dict[str, str]:
    try:
        raw = Path(f"/proc/{pid}/environ").read_bytes()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return {}
    pairs = (entry.partition(b"=") for entry in raw.split(b"\0"))
    return {os.fsdecode(key): os.fsdecode(value) for key, _, value in pairs if key in (STACK.encode(), PART.encode())}
