"""How many this process can take in a second, learned from its own work, and how many of the line it calls by that.

Only while the process is late does what it did say what it can do; otherwise it is the least that it can. Answers to
those who have to wait are work too: a crowd may ask so much that hardly anybody comes in, and what the process can do
is known all the same.

How late the process is only bends the pace. Those called come seconds later, when their phones ask again: a pace that
followed the lateness would swing between a full house and an empty one.
"""

from __future__ import annotations

from dataclasses import dataclass

LEAST_PER_S = 4.0
ASK = 0.25
"""The work of turning somebody away, a new connection included, when that of one who comes in is 1, from starting to
handing in: measured 0.2 to 0.27. Rather too much: who is told too short a wait asks once more, but while all were told
too long ones the house is empty."""
MEMORY_S = 2.0
"""Over so many seconds of lateness what was done is averaged."""
IDLE_FACTOR = 2.0
"""Of the known pace, for a house that has time left while those whom it called have mostly come."""
EXPECTED_S = 3.0
"""So many seconds' worth of people may be called and still to come before that ends: they may all come at once."""
EASED = 0.5
"""Of the known pace, for a process that those inside make late by `EASED_AT` times the patience; in between from half
the patience on the more, the later it is. Gently: those called too early come all the same, and a line that stands
turns away those who come when they were told to."""
EASED_AT = 3.0


@dataclass(frozen=True, slots=True)
class Work:
    """What a process did in the seconds that passed, and how late it was at most."""

    passed: float
    late: float
    came_in: int
    turned: int

    @property
    def per_s(self) -> float:
        """As many as would have come in if nobody had had to be turned away."""
        return (self.came_in + ASK * self.turned) / self.passed

    @property
    def is_onslaught(self) -> bool:
        """Whether it is those who ask that make the process late, and not those inside."""
        return ASK * self.turned > self.came_in


class Pace:
    """Of one process.

    Args:
        patience: seconds of lateness that are too many.
        given: people a second where the capacity was measured; 0: as many as it learns that it can.
    """

    def __init__(self, patience: float, given: float = 0.0) -> None:
        self._patience = patience
        self._given = given
        self._learned_s = 0.0
        self._credit = 0.0
        self.per_s = given or LEAST_PER_S

    def guess(self, per_s: float) -> None:
        """A first idea, for a process that was never late before."""
        if not self._given and not self._learned_s:
            self.per_s = max(self.per_s, per_s)

    def learn(self, work: Work) -> None:
        if self._given:
            return
        weight = min(1.0, work.passed / MEMORY_S)
        if work.late >= self._patience / 4:
            weight = min(1.0, work.passed / min(MEMORY_S, self._learned_s + work.passed))
            self._learned_s += work.passed
        elif work.per_s <= self.per_s:
            return
        self.per_s = max(LEAST_PER_S, self.per_s + (work.per_s - self.per_s) * weight)

    def rest(self) -> None:
        """Nobody waits."""
        self._credit = 0.0

    def allowance(self, work: Work, expected: int, house_per_s: float) -> int:
        """How many this process may call now.

        Args:
            expected: how many were called and are still to come.
            house_per_s: the pace of all processes together.
        """
        rate = self.per_s if self._given else self.per_s * self._factor(work, expected / house_per_s)
        self._credit = min(self._credit + rate * work.passed, max(rate, 1.0))
        whole = int(self._credit)
        self._credit -= whole
        return whole

    def _factor(self, work: Work, expected_s: float) -> float:
        many_are_coming = expected_s >= EXPECTED_S
        if work.late < self._patience / 4:
            return 1.0 if many_are_coming else IDLE_FACTOR
        if work.is_onslaught:
            return EASED if many_are_coming else 1.0
        above = (work.late / self._patience - 0.5) / (EASED_AT - 0.5)
        return 1.0 - (1.0 - EASED) * min(1.0, max(0.0, above))
