"""`make run`: one command from nothing to a running quiz80, and one Ctrl-C back.

This process holds VAR, prepares it, and starts supervisord, which heals the parts. It heals supervisord.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import TextIO

from deploy import embedded, processes, stack
from deploy.errors import InUse, SetupError

WEB_SECONDS = 120.0
# More than the parts' own times together: past it everything is killed.
STOP_SECONDS = 100.0
SUPERVISOR_SECONDS = 10.0


class Stop(BaseException):
    """Somebody asked us to end. Not an Exception: no handler on the way may take it for an error."""


def main() -> int:
    _listen_for_signals()
    var = stack.var_folder(os.environ)
    began = time.monotonic()
    try:
        with _holding(var) as lock, contextlib.ExitStack() as opened:
            _clear_leftovers(var)
            _refuse_taken_port(os.environ.get("HOST") or "127.0.0.1", stack.port_of(os.environ))
            built = stack.build(os.environ)
            embedded.note_holder(lock, f"make run (pid {os.getpid()}, {built.address})")
            runner = Runner(built, lock)
            opened.callback(runner.stop)
            runner.bring_up()
            runner.introduce(time.monotonic() - began)
            runner.watch()
    except Stop:
        say("Stopped.")
    except SetupError as error:
        say(f"quiz80: {error}", to=sys.stderr)
        return 1
    return 0


class Runner:
    def __init__(self, built: stack.Stack, lock: int) -> None:
        self.stack = built
        self._lock = lock
        self._supervisor: subprocess.Popen[bytes] | None = None
        self._prepare: Preparer | None = None
        self._parent = _Parent()

    # -------- up

    def bring_up(self) -> None:
        self._prepare = Preparer(self.stack)
        self._prepare.begin("load")
        self._start_supervisor()
        self._await_servers()
        self._prepare.finish("load")
        self._prepare.ask("migrate")
        self._start_application()
        if self.stack.servers is not None:
            say("Loading the demo contest, unless it is there already…")
            self._prepare.ask("demo")
        self._await_web(http.HTTPStatus.OK)

    def introduce(self, seconds: float) -> None:
        say(f"\nquiz80 is ready: {self.stack.address}  (after {seconds:.1f} s)")
        if self._prepare is not None and self.stack.servers is not None:
            say(self._prepare.ask("logins").rstrip())
        say(f"Logs: {self.stack.log}   Stop: Ctrl-C")
        self._end_prepare()

    def _start_supervisor(self) -> None:
        settings = stack.write_supervisor_settings(self.stack)
        with (self.stack.log / "supervisord.out").open("wb") as out:
            self._supervisor = subprocess.Popen(
                [sys.executable, "-m", "supervisor.supervisord", "--configuration", str(settings)],
                cwd=stack.ROOT,
                env=self.stack.environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                # Ctrl-C is for this process; it passes a stop on in order.
                start_new_session=True,
                preexec_fn=_end_with_launcher,  # noqa: PLW1509 - one thread here
            )

        # The supervisor looks at its work once a second or when somebody knocks: this knock saves that second.
        path = stack.supervisor_socket(self.stack)
        if not processes.await_true(lambda: self._supervisor_listens(path), SUPERVISOR_SECONDS):
            raise SetupError(f"The supervisor does not answer:\n{embedded.tail(self.stack.log / 'supervisord.log')}")

    def _supervisor_listens(self, path: Path) -> bool:
        self._check_supervisor()
        return _listens(path)

    def _await_servers(self) -> None:
        if self.stack.servers is None:
            return
        for server in self.stack.servers.each():
            if not processes.await_true(lambda s=server: self._answers(s), embedded.READY_SECONDS):  # type: ignore[misc]
                raise SetupError(f"{server.name} did not start:\n{embedded.tail(server.log)}")

    def _answers(self, server: embedded.Server) -> bool:
        self._check_supervisor()
        pid = processes.read_pid(self.stack.var / "run" / f"{server.name}.pid")
        return pid is not None and server.ready(pid)

    def _check_supervisor(self) -> None:
        if self._supervisor is not None and self._supervisor.poll() is not None:
            raise SetupError(f"The supervisor ended:\n{embedded.tail(self.stack.log / 'supervisord.out')}")

    def _start_application(self) -> None:
        with Supervisor(stack.supervisor_socket(self.stack)) as supervisor:
            supervisor.supervisor.startProcess("application:web", False)
            # Each part loads the application, a second or two of a processor: visitors come first.
            self._await_web()
            supervisor.supervisor.startProcessGroup("application", False)

    def _await_web(self, status: http.HTTPStatus | None = None) -> None:
        """Until it answers with this status, or at all."""

        def answers() -> bool:
            self._check_supervisor()
            found = self._web_status()
            return found is not None and status in (None, found)

        if not processes.await_true(answers, WEB_SECONDS, pause=0.1):
            raise SetupError(f"The web server does not get ready:\n{embedded.tail(self.stack.log / 'web.log', 40)}")

    def _web_status(self) -> int | None:
        connection = http.client.HTTPConnection(self._near_host(), self.stack.port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def _near_host(self) -> str:
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.stack.host, self.stack.host)  # noqa: S104

    # -------- while it runs

    def watch(self) -> None:
        while True:
            self._parent.check()
            self._check_lock()
            if self._supervisor is not None and self._supervisor.poll() is not None:
                self._heal_supervisor()
            time.sleep(0.5)

    def _heal_supervisor(self) -> None:
        say("The supervisor was killed; starting all parts again.", to=sys.stderr)
        # Its children live on without anybody to watch them. They end in order, then all of it begins anew.
        _end_in_order(processes.of_stack(self.stack.var))
        self._start_supervisor()
        self._await_servers()
        self._start_application()

    def _check_lock(self) -> None:
        """Somebody removed VAR and may have started another stack in its place: this one has nothing left to serve."""
        try:
            same = os.path.samestat(os.stat(self.stack.var / "run" / "lock"), os.fstat(self._lock))
        except FileNotFoundError:
            same = False
        if not same:
            raise SetupError(f"{self.stack.var} was removed while in use.")

    # -------- down

    def stop(self) -> None:
        _ignore_signals()
        self._end_prepare()
        if self._supervisor is not None and self._supervisor.poll() is None:
            say("Stopping…")
            self._supervisor.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._supervisor.wait(STOP_SECONDS)
        # What the supervisor doesn't know: a killed worker's last job, anything past its time.
        _end_in_order(processes.of_stack(self.stack.var), polite_seconds=2)
        for pid_file in (self.stack.var / "run").glob("*.pid"):
            pid_file.unlink(missing_ok=True)

    def _end_prepare(self) -> None:
        prepare, self._prepare = self._prepare, None
        if prepare is not None:
            prepare.close()


class Preparer:
    """The process of deploy.prepare, seen from here."""

    def __init__(self, built: stack.Stack) -> None:
        self._log = built.log / "prepare.log"
        reading, writing = os.pipe()
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "deploy.prepare", str(writing)],
                cwd=stack.ROOT,
                env=built.environment,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                pass_fds=(writing,),
                start_new_session=True,
                preexec_fn=_end_with_launcher,  # noqa: PLW1509 - one thread here
            )
        os.close(writing)
        self._answers = os.fdopen(reading, encoding="utf-8")

    def begin(self, command: str) -> None:
        if self._process.stdin is None:
            raise RuntimeError("prepare has no input")
        with contextlib.suppress(BrokenPipeError):  # it died: finish() says so
            self._process.stdin.write(f"{command}\n".encode())
            self._process.stdin.flush()

    def finish(self, command: str) -> str:
        line = self._answers.readline()
        answer = json.loads(line) if line else {"ok": False, "text": "the process ended"}
        if not answer["ok"]:
            raise SetupError(f"{command} failed: {answer['text']}\n{embedded.tail(self._log, 40)}")
        return str(answer["text"])

    def ask(self, command: str) -> str:
        self.begin(command)
        return self.finish(command)

    def close(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._answers.close()


class _UnixConnection(http.client.HTTPConnection):
    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(SUPERVISOR_SECONDS)
        self.sock.connect(self.host)


class _UnixTransport(xmlrpc.client.Transport):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def make_connection(self, host: object) -> http.client.HTTPConnection:
        return _UnixConnection(str(self._path))


class Supervisor(xmlrpc.client.ServerProxy):
    def __init__(self, path: Path) -> None:
        super().__init__("http://supervisor", transport=_UnixTransport(path))


class _Parent:
    """`make` keeps a SIGINT sent to it alone for itself and then waits for us: look whether it got one.

    It takes its handler back when it does, and that can be seen.
    """

    def __init__(self) -> None:
        self._pid = os.getppid()
        self._is_make = self._name() in ("make", "gmake") and self._catches_interrupt()

    def check(self) -> None:
        if self._is_make and not self._catches_interrupt():
            raise Stop

    def _name(self) -> str:
        try:
            return Path(f"/proc/{self._pid}/comm").read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return ""

    def _catches_interrupt(self) -> bool:
        try:
            text = Path(f"/proc/{self._pid}/status").read_text(encoding="utf-8")
        except FileNotFoundError:
            return False
        caught = next((line.split()[1] for line in text.splitlines() if line.startswith("SigCgt:")), "0")
        return bool(int(caught, 16) >> (signal.SIGINT - 1) & 1)


# ---------------------------------------------------------------- helpers


@contextlib.contextmanager
def _holding(var: Path) -> Iterator[int]:
    try:
        with embedded.locked(var) as lock:
            yield lock
    except InUse as error:
        raise SetupError(f"{error} Stop that one, or use another VAR and PORT.") from error


def _clear_leftovers(var: Path) -> None:
    """A launcher that was killed leaves processes behind. Nobody else holds VAR, so they may go."""
    left = processes.of_stack(var)
    if left:
        say(f"Ending {len(left)} processes that an earlier start left behind…")
        _end_in_order(left)


def _end_in_order(left: list[processes.Process], polite_seconds: float = 10) -> None:
    """The supervisor first, or it would heal what we end; the servers last, for the parts still use them."""
    supervisors = [p for p in left if p.part is None]
    servers = [p for p in left if p.part in processes.SERVERS]
    # Children of a server end with it, and in its own order.
    heads = [p for p in servers if processes.read_pid(Path(str(p.stack)) / "run" / f"{p.part}.pid") == p.pid]
    rest = [p for p in left if p not in supervisors and p not in servers]
    processes.end(supervisors, polite_seconds=0)
    processes.end(rest, polite_seconds=polite_seconds)
    processes.end(heads, polite_seconds=30, number=signal.SIGINT)
    processes.end(servers, polite_seconds=2, number=signal.SIGQUIT)


def _refuse_taken_port(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise SetupError(f"Cannot listen on {host}:{port} ({error.strerror}). Choose another PORT.") from error


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


def _end_with_launcher() -> None:
    embedded.end_with_parent(signal.SIGTERM)


def _listen_for_signals() -> None:
    def stop(_number: int, _frame: FrameType | None) -> None:
        _ignore_signals()  # the second Ctrl-C must not break the stopping
        raise Stop

    # A shell lets what it starts with & ignore SIGINT: who sends one all the same means it. nohup stays nohup.
    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    for number in numbers:
        signal.signal(number, stop)
    if "MAKELEVEL" in os.environ:
        # A killed make must not leave the stack running without anybody to stop it.
        embedded.end_with_parent(signal.SIGTERM)


def _ignore_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def say(text: str, to: TextIO | None = None) -> None:
    # Nobody reads any more (`make run | head`): that must not keep the stop from being carried out.
    with contextlib.suppress(BrokenPipeError):
        print(text, file=to, flush=True)


if __name__ == "__main__":
    sys.exit(main())
