"""Whether the door of this process is open, and how many of the line it calls.

A process is busy when its event loop is late: what has to be done waits that long before it begins. Nothing else has
to be known of the machine, and it says the same whether the web, the drain or a neighbour takes the cores.

While people wait, each process calls as many as it can take: more each second as long as it is on time and has time
left, a quarter less when it is late. All of them call from one line.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Sequence

from quiz import clock
from quiz.intake import line
from quiz.intake.errors import IntakeUnavailable
from quiz.intake.gateway import Gateway
from quiz.intake.line import Standing

PULSE = 0.05
"""Seconds between two looks at the loop's lateness."""
STEP = 0.25
"""Seconds between two looks at the line."""
QUEUED = 0.001
"""Seconds of lateness that one connection means which the kernel holds and nobody has accepted."""
LEAST_PER_S = 4.0
BUSY = 0.9
"""Of a core: as much of it a web process may use while it calls more."""
GROWTH = 0.5
"""A second, for a process that has nothing to do; the less, the busier it is."""
CUT, HARD_CUT = 0.75, 0.5
"""A second, for a process that is late; and for one that is later than the patience."""

SOON_S, LATEST_S = 5, 120

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
        used: Callable[[], float] = time.process_time,
    ) -> None:
        self._gateway = gateway
        self._patience = patience_ms / 1000
        self._per_s = per_s
        self._monotonic = monotonic
        self._used = used
        self._used_before = used()
        self._shut = False
        self._pulsed: float | None = None
        """When the loop was last seen going round; None: nobody looks."""
        self._stepped = monotonic()
        self._late = 0.0
        self._passed = 0
        self._recent = 0.0
        self._room = float(per_s)
        self._refilled = monotonic()
        self._rate = LEAST_PER_S
        self._credit = 0.0
        self._calls_per_s = 0.0
        self.standing = Standing()

    # What requests ask

    def lets_in(self) -> bool:
        """Whether somebody without a ticket may come in now."""
        if not self._patience:
            return True
        if not self._shut and (self._is_late() or not self._has_room()):
            self._shut = True
            # A start is a third of what comes with it, and what has passed may be no second yet.
            passed = max(STEP, self._monotonic() - self._stepped)
            self._rate = max(LEAST_PER_S, self._recent, self._passed / passed / 3)
        if self._shut:
            return False
        self._passed += 1
        return True

    def called(self, number: int, of_line: int) -> bool:
        """Whether the holder of this place may come in: called, and not too long ago.

        A ticket of an older line is of one that Redis lost: its holder has waited.
        """
        now = self.standing
        return of_line < now.born or now.spent < number <= now.called

    def spent(self, number: int) -> bool:
        return number <= self.standing.spent

    def ahead(self, number: int) -> int:
        """How many come before, the holder included."""
        return max(1, number - self.standing.called)

    def seconds_left(self, number: int) -> int:
        """About how long the holder of a place has to wait, from the pace of the last seconds."""
        return int(self.ahead(number) / max(self._calls_per_s, self._rate, 1.0)) + 1

    def ask_again(self, number: int) -> int:
        """Seconds after which a holder should look again.

        Four fifths of the way, so that a long wait costs few questions and its end is not missed by much; but what the
        pace will be is known better later, so no later than that about two hundred ask in a second.
        """
        latest = min(max(SOON_S, self.standing.waiting // 200), LATEST_S)
        return max(2, min(self.seconds_left(number) * 4 // 5, latest))

    # What the pulse does

    def pulse(self, late: float) -> None:
        """The loop went round, `late` seconds after it should have; every STEP the line is looked at."""
        now = self._pulsed = self._monotonic()
        self._late = max(self._late, late)
        passed = now - self._stepped
        if passed >= STEP:
            self._stepped = now
            self._step(passed)

    def _step(self, passed: float) -> None:
        late, self._late = self._late, 0.0
        self._recent += (self._passed / passed - self._recent) * min(1.0, passed)
        self._passed = 0
        before = self.standing
        try:
            self.standing = line.call(self._gateway, clock.to_ms(clock.now()), self._allowance(late, passed))
        except IntakeUnavailable:
            # Without intake nobody can start anyway, and its own answer says so.
            self.standing = Standing()
        called = max(0, self.standing.called - before.called)
        self._calls_per_s += (called / passed - self._calls_per_s) * min(1.0, passed / 2)
        if self.standing.waiting:
            self._shut = True
        elif late < self._patience / 2 and self._is_roomy():
            self._shut = False

    def _busy(self, passed: float) -> float:
        """The share of a core that this process used since it was last asked."""
        before, self._used_before = self._used_before, self._used()
        return min(1.0, (self._used_before - before) / passed)

    def _allowance(self, late: float, passed: float) -> int:
        """How many this process may call now."""
        busy = self._busy(passed)
        if not self._shut or not self.standing.waiting:
            self._credit = 0.0
            return 0
        if self._per_s:
            self._rate = float(self._per_s)
        elif late > self._patience / 2:
            cut = HARD_CUT if late > self._patience else CUT
            self._rate = max(LEAST_PER_S, self._rate * cut ** min(1.0, passed))
        elif late < self._patience / 4 and busy < BUSY:
            self._rate *= 1 + GROWTH * (1 - busy / BUSY) * min(1.0, passed)
        self._credit = min(self._credit + self._rate * passed, self._rate)
        whole = int(self._credit)
        self._credit -= whole
        return whole

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
