"""Whether the door of this process is open, and who of the line may come in.

A process is busy when its event loop is late: what has to be done waits that long before it begins. Nothing else has
to be known of the machine, and it says the same whether the web, the drain or a neighbour takes the cores.

While people wait, each process calls as many as it can take (quiz.door.pace). All of them call from one line, and all
know the pace of all: by it those who wait are told when to ask again.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Sequence

from quiz import clock
from quiz.door.arrivals import Arrivals
from quiz.door.pace import Pace, Work
from quiz.door.tickets import Ticket
from quiz.intake import line
from quiz.intake.errors import IntakeUnavailable
from quiz.intake.gateway import Gateway
from quiz.intake.line import Report, Standing

PULSE = 0.05
"""Seconds between two looks at the loop's lateness."""
STEP = 0.25
"""Seconds between two looks at the line."""
QUEUED = 0.001
"""Seconds of lateness that one connection means which the kernel holds and nobody has accepted."""
SOONEST_S, LATEST_S = 1, 120
EARLY = 0.9
"""Of the time that is left somebody is told to wait before asking again. A little more ask in a second than can come
in: a wait that ends early costs an answer, one that ends late leaves the house empty."""
GOLDEN = 0.618
"""Times whole numbers in a row, the parts after the point are spread evenly."""
RETURNS_S = 10.0
"""Who was called this long before the last one that came, and comes now, has been here already."""

_TCP_QUEUED = slice(24, 28)


class Door:
    """Of one process; `pulse` is called by its own thread, everything else by requests.

    Args:
        patience_ms: how late the loop may be before newcomers wait; 0: the door is always open.
        per_s: how many this process lets in a second, for a house whose capacity was measured; 0: as many as it can.
    """

    def __init__(
        self,
        gateway: Gateway,
        *,
        patience_ms: int,
        per_s: int = 0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._gateway = gateway
        self._patience = patience_ms / 1000
        self._per_s = per_s
        self._monotonic = monotonic
        self._shut = False
        self._pulsed: float | None = None
        """When the loop was last seen going round; None: nobody looks."""
        self._stepped = monotonic()
        self._late = 0.0
        self._came_in = 0
        self._turned = 0
        self._arrivals = Arrivals()
        self._room = float(per_s)
        self._refilled = monotonic()
        self._pace = Pace(self._patience, per_s)
        self.standing = Standing()

    # What requests ask

    def lets_in(self) -> bool:
        """Whether somebody without a ticket may come in now."""
        if not self._patience:
            return True
        if not self._shut and (self._is_late() or not self._has_room()):
            self._shut = True
            # A start is a third of what comes with it, and what has passed may be no second yet.
            self._pace.guess(self._came_in / max(STEP, self._monotonic() - self._stepped) / 3)
        if self._shut:
            return False
        self._came_in += 1
        return True

    def called(self, number: int, of_line: int) -> bool:
        """Whether the holder of this place may come in: called, and not too long ago.

        A ticket of an older line is of one that Redis lost: its holder has waited.
        """
        now = self.standing
        if of_line < now.born:
            return True
        return now.spent < number <= now.called

    def came(self, ticket: Ticket) -> None:
        """The holder of a place that was called comes in."""
        passed_before = self._arrivals.last - RETURNS_S * self._house_per_s()
        if ticket.line == self.standing.born and self._arrivals.is_new(ticket.number, passed_before):
            self._came_in += 1

    def turned(self) -> None:
        """Somebody was told to wait."""
        self._turned += 1

    def spent(self, number: int) -> bool:
        return number <= self.standing.spent

    def ahead(self, number: int) -> int:
        """How many come before, the holder included."""
        return max(1, number - self.standing.called)

    def seconds_left(self, number: int) -> int:
        """About how long the holder of a place has to wait."""
        return int(self._wait_s(number)) + 1

    def ask_again(self, number: int) -> int:
        """Seconds after which a holder should look again.

        Whole ones, but rounded so that neighbours differ: else they would come in waves, with an idle house between.
        """
        exactly = self._wait_s(number) * EARLY + number * GOLDEN % 1
        return max(SOONEST_S, min(int(exactly), LATEST_S))

    def _wait_s(self, number: int) -> float:
        return self.ahead(number) / max(self._house_per_s(), 1.0)

    def _house_per_s(self) -> float:
        """How many all processes together take in a second."""
        return max(self.standing.per_s, self._pace.per_s)

    # What the pulse does

    def pulse(self, late: float) -> None:
        """The loop went round, `late` seconds after it should have; every STEP the line is looked at."""
        now = self._pulsed = self._monotonic()
        self._late = max(self._late, late)
        passed = now - self._stepped
        if passed >= STEP:
            self._stepped = now
            self._step(Work(passed, self._late, self._came_in, self._turned))

    def _step(self, work: Work) -> None:
        self._late, self._came_in, self._turned = 0.0, 0, 0
        if self._patience:
            self._pace.learn(work)
        born = self.standing.born
        report = Report(_name(), self._arrivals.last, self._pace.per_s)
        try:
            self.standing = line.call(self._gateway, clock.to_ms(clock.now()), self._allowance(work), report)
        except IntakeUnavailable:
            # Without intake nobody can start anyway, and its own answer says so.
            self.standing = Standing()
        if self.standing.born != born:
            self._arrivals = Arrivals()
        if self.standing.waiting:
            self._shut = True
        elif work.late < self._patience / 2 and self._is_roomy():
            self._shut = False

    def _allowance(self, work: Work) -> int:
        """How many this process may call now."""
        if not self._patience:
            # Nobody waits any more, whoever still stands in the line from before.
            return self.standing.waiting
        if not self._shut or not self.standing.waiting:
            self._pace.rest()
            return 0
        return self._pace.allowance(work, self.standing.expected, self._house_per_s())

    def _is_late(self) -> bool:
        # Asked within a turn of the loop: the longer this turn takes already, the longer the next ones wait.
        return self._pulsed is not None and (
            self._monotonic() - self._pulsed > PULSE + self._patience or self._late > self._patience
        )

    def _has_room(self) -> bool:
        if not self._per_s:
            return True
        self._refill()
        if self._room < 1:
            return False
        self._room -= 1
        return True

    def _is_roomy(self) -> bool:
        self._refill()
        return not self._per_s or self._room >= 1

    def _refill(self) -> None:
        now = self._monotonic()
        self._room = min(float(self._per_s), self._room + (now - self._refilled) * self._per_s)
        self._refilled = now


def _name() -> str:
    """Of this process among all of the house."""
    return f"{socket.gethostname()}:{os.getpid()}"


class Pulse:
    """The thread (a greenlet where threading is patched) that feels a door's load."""

    def __init__(self, door: Door, listeners: Sequence[socket.socket] = ()) -> None:
        self._door = door
        self._listeners = listeners
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="door", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while True:
            began = time.monotonic()
            if self._stop.wait(PULSE):
                return
            # Behind everything that is ready to run, too: a timer alone overtakes it.
            time.sleep(0)
            late = time.monotonic() - began - PULSE
            self._door.pulse(max(late, QUEUED * sum(map(_queued, self._listeners))))


def _queued(listener: socket.socket) -> int:
    """Connections that the kernel holds: Linux says so of a listening socket in TCP_INFO's tcpi_unacked."""
    if listener.family not in (socket.AF_INET, socket.AF_INET6) or not hasattr(socket, "TCP_INFO"):
        return 0
    told = listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 32)
    return int.from_bytes(told[_TCP_QUEUED], "little")
