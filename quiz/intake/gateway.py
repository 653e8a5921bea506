"""One round trip to Redis, shared by the requests in flight.

With `appendfsync always` Redis syncs once per event-loop turn, whatever that turn brought; and redis-py's own cost
per call is the largest part of a hand-in. So the first request that finds the line idle leads: it sends everything
that waits as one write, reads the answers, hands them out, and passes the lead on. The code is plain `threading`:
under gevent's patched locks it works for greenlets, elsewhere for threads.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from importlib import resources
from typing import Any

from redis import Redis
from redis.connection import ConnectionPool
from redis.exceptions import NoScriptError, RedisError, ResponseError

from quiz.intake.errors import IntakeUnavailable

Reply = list[Any]


class Script:
    """A Lua file of this room, called by its hash."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.source = (resources.files("quiz.intake") / "lua" / f"{name}.lua").read_bytes()
        self.sha = ""


START, HAND_IN, DRAFT, LAPSE, RESCHEDULE = (
    Script(name) for name in ("start", "hand_in", "draft", "lapse", "reschedule")
)


class _Waiting:
    """A command on its way: its caller sleeps on `done` until the leader has filled in the outcome."""

    __slots__ = ("command", "done", "leads", "outcome")

    def __init__(self, command: tuple[Any, ...]) -> None:
        self.command = command
        self.done = threading.Lock()
        self.done.acquire()
        self.outcome: Any = None
        self.leads = False


class Gateway:
    """Calls of intake's scripts; safe to share between threads or greenlets of one process.

    Every script may run twice with the same arguments and give the same answer, so a call whose connection broke is
    sent once more on a new one.
    """

    def __init__(self, client: Redis) -> None:
        self.client = client
        """For rare plain commands; its replies are bytes."""
        self._pool: ConnectionPool = client.connection_pool
        self._line: Any = None
        self._line_owner = 0
        self._guard = threading.Lock()
        self._queue: list[_Waiting] = []
        self._busy = False

    def call(self, script: Script, keys: Sequence[str], args: Sequence[Any]) -> Reply:
        """Run a script.

        Raises:
            IntakeUnavailable: Redis did not answer, refused to write, or is not primed.
        """
        if not script.sha:
            self._load(script)
        outcome = self._submit(("EVALSHA", script.sha, len(keys), *keys, *args))
        if isinstance(outcome, NoScriptError):
            self._load(script)
            outcome = self._submit(("EVALSHA", script.sha, len(keys), *keys, *args))
        if isinstance(outcome, RedisError | OSError):
            raise IntakeUnavailable(f"{script.name}: {outcome}") from outcome
        reply: Reply = outcome
        if reply[0] == b"unprimed":
            raise IntakeUnavailable(f"{script.name}: not primed")
        return reply

    def _load(self, script: Script) -> None:
        try:
            script.sha = str(self.client.script_load(script.source.decode()))
        except (RedisError, OSError) as error:
            raise IntakeUnavailable(f"{script.name}: {error}") from error

    def _submit(self, command: tuple[Any, ...]) -> Any:
        waiting = _Waiting(command)
        with self._guard:
            self._queue.append(waiting)
            waiting.leads = not self._busy
            self._busy = True
        if not waiting.leads:
            try:
                waiting.done.acquire()
            except BaseException:
                # A greenlet killed while it waits must not take the lead with it: all others would wait for ever.
                self._give_up(waiting)
                raise
        if waiting.leads:
            self._lead()
        return waiting.outcome

    def _lead(self) -> None:
        """Send all that waits, own command included; then wake those served and the next leader."""
        with self._guard:
            batch, self._queue = self._queue, []
        outcomes: list[Any] = [ConnectionError("the request that led was stopped")] * len(batch)
        try:
            outcomes = self._exchange([waiting.command for waiting in batch])
        except (RedisError, OSError) as error:
            outcomes = [error] * len(batch)
        finally:
            # Whatever happened to the leader, nobody behind it may sleep for ever.
            self._hand_out(batch, outcomes)

    def _hand_out(self, batch: list[_Waiting], outcomes: list[Any]) -> None:
        for waiting, outcome in zip(batch, outcomes, strict=True):
            waiting.outcome = outcome
            waiting.leads = False
            waiting.done.release()
        self._pass_on()

    def _pass_on(self) -> None:
        """Wake the next leader, or leave the line idle."""
        with self._guard:
            self._busy = bool(self._queue)
            if self._queue:
                self._queue[0].leads = True
                self._queue[0].done.release()

    def _give_up(self, waiting: _Waiting) -> None:
        with self._guard:
            if waiting in self._queue:
                self._queue.remove(waiting)
        if waiting.leads:
            self._pass_on()

    def _exchange(self, commands: list[tuple[Any, ...]]) -> list[Any]:
        connection = self._line_of_this_process()
        try:
            try:
                return self._round_trip(connection, commands)
            except (RedisError, OSError):
                # Redis restarted under an idle connection: the scripts are repeatable, so once more on a new one.
                connection.disconnect()
                return self._round_trip(connection, commands)
        except BaseException:
            # Also for a greenlet killed half way: unread answers must never meet another request.
            connection.disconnect()
            raise

    def _line_of_this_process(self) -> Any:
        """The connection that leaders hand on to each other: only one leads, so nothing has to be asked of a pool.

        A forked child never speaks on its parent's.
        """
        if self._line is None or self._line_owner != os.getpid():
            self._line, self._line_owner = self._pool.make_connection(), os.getpid()
        return self._line

    @staticmethod
    def _round_trip(connection: Any, commands: list[tuple[Any, ...]]) -> list[Any]:
        connection.connect()
        connection.send_packed_command(connection.pack_commands(commands))
        outcomes: list[Any] = []
        for _ in commands:
            try:
                outcomes.append(connection.read_response())
            except ResponseError as refusal:
                outcomes.append(refusal)
        return outcomes
