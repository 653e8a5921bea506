"""Who gets the prizes: a pure function of candidates in order, the prizes' places, the caps and the lots drawn.

Prizes that are given along one order of candidates form a line: first, second and third prize of a round are one line,
the prizes of a bracket another. Lines are gone through in the order of the rules, each line from its best candidate
on, and no further than its places reach: a million standings cost no more than twenty.

Rules (docs/awards.md works them out in numbers):

* A place goes to the best candidate who may still have it. Who is barred, was disqualified, or has reached a cap is
  passed over, and the reason is kept.
* Candidates who are equal in everything the rules rank by, and would not all get the same, draw a lot. Until it is
  drawn their places stay empty and count against no cap.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Literal

Of = Literal["person", "unit"]
SPARE = 5
"""So many of the next in line are named behind the last place."""


@dataclass(frozen=True, slots=True)
class Slot:
    prize: str
    place: int


@dataclass(frozen=True, slots=True)
class Line:
    key: str
    of: Of
    slots: tuple[Slot, ...]

    @property
    def capped(self) -> bool:
        """Caps are for people: a unit's collective prizes count against none."""
        return self.of == "person"


@dataclass(frozen=True, slots=True)
class Candidate:
    id: int
    """Person or unit."""
    tie: Hashable
    """Candidates with the same are equal; they come one after the other."""
    home: int | None = None
    """The province or union of a person."""
    bar: str | None = None
    """Why there can be no prize for them at all."""
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Caps:
    """How many prizes a person, or the people of a province or union, may get; None: any number."""

    person_round: int | None = None
    person_season: int | None = None
    unit_round: int | None = None
    unit_season: int | None = None


@dataclass(slots=True)
class Held:
    """Prizes that people hold: in the other rounds of the season, and in this one."""

    persons: Counter[int] = field(default_factory=Counter)
    homes: Counter[int] = field(default_factory=Counter)
    persons_now: Counter[int] = field(default_factory=Counter)
    homes_now: Counter[int] = field(default_factory=Counter)

    def add(self, candidate: Candidate) -> None:
        self.persons_now[candidate.id] += 1
        if candidate.home is not None:
            self.homes_now[candidate.home] += 1

    def copy(self) -> Held:
        return Held(self.persons, self.homes, self.persons_now.copy(), self.homes_now.copy())


@dataclass(frozen=True, slots=True)
class Given:
    line: Line
    slot: Slot
    candidate: Candidate
    by_lot: bool = False


@dataclass(frozen=True, slots=True)
class Passed:
    """Somebody who stood in line for a place and did not get it; reason `next`: the places went out before."""

    line: Line
    candidate: Candidate
    reason: str
    """barred, disqualified, person_round, person_season, unit_round, unit_season, next"""
    slot: Slot | None


@dataclass(frozen=True, slots=True)
class Tie:
    """Equal candidates and the places that a lot must give among them."""

    line: Line
    slots: tuple[Slot, ...]
    members: tuple[Candidate, ...]


@dataclass(slots=True)
class Outcome:
    given: list[Given] = field(default_factory=list)
    passed: list[Passed] = field(default_factory=list)
    ties: list[Tie] = field(default_factory=list)


Orders = Mapping[str, Sequence[Sequence[int]]]
"""Line → orders that lots have drawn: ids, the first one first."""


def choose(
    lines: Iterable[tuple[Line, Iterable[Candidate]]],
    caps: Caps,
    held: Held,
    *,
    out: Collection[tuple[Of, int]] = frozenset(),
    orders: Orders | None = None,
    spare: int = SPARE,
) -> Outcome:
    """Give the places of all lines.

    Args:
        lines: each with its candidates, the best first, read only as far as needed.
        held: what is held already; counts what is given besides.
        out: who was disqualified.
        orders: what was drawn for candidates who are equal.
    """
    chooser = _Chooser(caps, held, out, orders or {}, Outcome())
    for line, candidates in lines:
        chooser.walk(line, candidates, spare)
    return chooser.outcome


@dataclass(slots=True)
class _Chooser:
    caps: Caps
    held: Held
    out: Collection[tuple[Of, int]]
    orders: Orders
    outcome: Outcome

    def walk(self, line: Line, candidates: Iterable[Candidate], spare: int) -> None:
        free = deque(line.slots)
        rest = spare
        for _, group in groupby(candidates, key=lambda candidate: candidate.tie):
            if not free and rest <= 0:
                return
            if free:
                self._block(line, list(group), free)
                continue
            for candidate in group:
                if rest > 0 and self._against(line, candidate, self.held) is None:
                    self.outcome.passed.append(Passed(line, candidate, "next", None))
                    rest -= 1

    def _block(self, line: Line, block: Sequence[Candidate], free: deque[Slot]) -> None:
        """Candidates who are equal: all get the same, or an order was drawn, or a lot is needed."""
        able = []
        for candidate in block:
            reason = self._against(line, candidate, self.held)
            if reason is None:
                able.append(candidate)
            else:
                self.outcome.passed.append(Passed(line, candidate, reason, free[0]))
        drawn = self._drawn(line, able)
        given, passed = self._give(line, drawn or able, free)
        prizes = {each.slot.prize for each in given}
        alike = len(prizes) <= 1 and (not passed or not given)
        if not alike and drawn is None:
            places = tuple(free.popleft() for _ in range(min(len(able), len(free))))
            self.outcome.ties.append(Tie(line, places, tuple(able)))
            return
        for each in given:
            free.popleft()
            if line.capped:
                self.held.add(each.candidate)
        self.outcome.given += [Given(line, each.slot, each.candidate, drawn is not None) for each in given]
        self.outcome.passed += passed

    def _drawn(self, line: Line, able: Sequence[Candidate]) -> list[Candidate] | None:
        for order in self.orders.get(line.key, ()):
            place = {id_: position for position, id_ in enumerate(order)}
            if able and all(candidate.id in place for candidate in able):
                return sorted(able, key=lambda candidate: place[candidate.id])
        return None

    def _give(self, line: Line, order: Sequence[Candidate], free: Iterable[Slot]) -> tuple[list[Given], list[Passed]]:
        """What would come of this order; the caps are met on the way as it goes."""
        held, places = self.held.copy(), deque(free)
        given, passed = [], []
        for candidate in order:
            reason = self._against(line, candidate, held) if places else "next"
            if reason is not None:
                passed.append(Passed(line, candidate, reason, places[0] if places else None))
                continue
            given.append(Given(line, places.popleft(), candidate))
            if line.capped:
                held.add(candidate)
        return given, passed

    def _against(self, line: Line, candidate: Candidate, held: Held) -> str | None:
        if candidate.bar:
            return candidate.bar
        if (line.of, candidate.id) in self.out:
            return "disqualified"
        return over_a_cap(self.caps, held, candidate) if line.capped else None


def over_a_cap(caps: Caps, held: Held, candidate: Candidate) -> str | None:
    """The cap that keeps one more prize from somebody; None: there is room."""
    now, before = held.persons_now[candidate.id], held.persons[candidate.id]
    if caps.person_round is not None and now >= caps.person_round:
        return "person_round"
    if caps.person_season is not None and now + before >= caps.person_season:
        return "person_season"
    if candidate.home is None:
        return None
    now, before = held.homes_now[candidate.home], held.homes[candidate.home]
    if caps.unit_round is not None and now >= caps.unit_round:
        return "unit_round"
    if caps.unit_season is not None and now + before >= caps.unit_season:
        return "unit_season"
    return None
