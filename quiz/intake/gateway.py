"""One round trip to Redis, shared by the requests in flight.

With `appendfsync always` Redis syncs once per event-loop turn, whatever that turn brought; and redis-py's own cost
per call is the largest part of a hand-in. So the first request that finds the line idle leads: it sends everything
that waits as one write, reads the answers, hands them out, and passes the lead on. The code is plain `threading`:
under gevent's patched locks it works for greenlets, elsewhere for threads.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Sequence
from importlib import resources
from typing import Any

from hiredis import pack_command
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
    """A packed command on its way: its caller sleeps on `done` until the leader has filled in the outcome."""

    __slots__ = ("command", "done", "leads", "outcome")

    def __init__(self) -> None:
        self.command = b""
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
        self._connection: Any = None
        self._connection_owner = 0
        self._line = threading.Lock()
        """Who holds it leads. A leader hands it on while others wait, without letting go of it."""
        self._queue: deque[_Waiting] = deque()
        """Who holds the line takes from it, everybody appends: both whole in one step, so it needs no guard."""
        self._spare: list[_Waiting] = []

    def call(self, script: Script, keys: Sequence[str], args: Sequence[Any]) -> Reply:
        """Run a script.

        Raises:
            IntakeUnavailable: Redis did not answer, refused to write, or is not primed.
        """
        if not script.sha:
            self._load(script)
        outcome = self._submit("EVALSHA", script.sha, len(keys), *keys, *args)
        if isinstance(outcome, NoScriptError):
            self._load(script)
            outcome = self._submit("EVALSHA", script.sha, len(keys), *keys, *args)
        if isinstance(outcome, RedisError | OSError):
            raise IntakeUnavailable(f"{script.name}: {outcome}") from outcome
        reply: Reply = outcome
        if reply[0] == b"unprimed":
            raise IntakeUnavailable(f"{script.name}: not primed")
        return reply

    def ask(self, *command: Any) -> Any:
        """The reply to a plain command that may be sent twice, by the shared line too: it costs half of a call of
        `client`, and the pool has no connection for each of hundreds.

        Raises:
            IntakeUnavailable: Redis did not answer, or refused.
        """
        outcome = self._submit(*command)
        if isinstance(outcome, RedisError | OSError):
            raise IntakeUnavailable(f"{command[0]}: {outcome}") from outcome
        return outcome

    def _load(self, script: Script) -> None:
        script.sha = self.ask("SCRIPT", "LOAD", script.source).decode()

    def _submit(self, *command: Any) -> Any:
        # Packed before it waits: what can't be packed is its caller's error alone.
        packed = pack_command(command)
        waiting = self._spare.pop() if self._spare else _Waiting()
        # One used before may say that it leads: a thread can find the line free after another leader served it.
        waiting.command, waiting.leads = packed, False
        self._queue.append(waiting)
        try:
            # Asked first whether it is taken: gevent lets others run after an attempt that fails.
            if not self._line.locked() and self._line.acquire(blocking=False):
                waiting.leads = True
                # Whoever is as far as we are comes along: others that are ready to run get to the queue first.
                time.sleep(0)
            else:
                waiting.done.acquire()
        except BaseException:
            # A greenlet killed while it waits must not take the lead with it: all others would wait for ever.
            self._give_up(waiting)
            raise
        if waiting.leads:
            self._lead()
            # Its own outcome was handed out too: taken as by everybody, so that it can be used again.
            waiting.done.acquire()
        outcome, waiting.outcome = waiting.outcome, None
        self._spare.append(waiting)
        return outcome

    def _lead(self) -> None:
        """Send all that waits, own command included; then wake those served and the next leader."""
        batch = []
        while self._queue:
            batch.append(self._queue.popleft())
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
        while True:
            if self._queue:
                following = self._queue[0]
                following.leads = True
                following.done.release()
                return
            self._line.release()
            # Somebody may have come between the look and the release, and found the line taken.
            if not self._queue or not self._line.acquire(blocking=False):
                return

    def _give_up(self, waiting: _Waiting) -> None:
        if waiting in self._queue:
            self._queue.remove(waiting)
        if waiting.leads:
            self._pass_on()

    def _exchange(self, commands: list[bytes]) -> list[Any]:
        connection = self._connection_of_this_process()
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

    def _connection_of_this_process(self) -> Any:
        """The connection that leaders hand on to each other: only one leads, so nothing has to be asked of a pool.

        A forked child never speaks on its parent's.
        """
        if self._connection is None or self._connection_owner != os.getpid():
            self._connection, self._connection_owner = self._pool.make_connection(), os.getpid()
        return self._connection

    @staticmethod
    def _round_trip(connection: Any, commands: list[bytes]) -> list[Any]:
        connection.connect()
        # In one piece, however many there are: each write would wake Redis, and each waking may cost it a sync.
        connection.send_packed_command([b"".join(commands)])
        outcomes: list[Any] = []
        for _ in commands:
            try:
                outcomes.append(connection.read_response())
            except ResponseError as refusal:
                outcomes.append(refusal)
        return outcomes
