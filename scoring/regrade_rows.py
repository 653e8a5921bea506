"""Stored entries of a round, scored under another key → rows in PostgreSQL's binary COPY format. No I/O.

The entries come in the order of their participants. So what a person's standing becomes is known as soon as the next
person comes, without joining and sorting the entries once more; only the few persons with several accounts wait for
the end.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from quiz.intake.events import Kind
from scoring import ordering, packing
from scoring import rules as rules_room
from scoring.packing import RoundScorer
from scoring.rules import QuestionKey

READ_COLUMNS = (
    "ctid", "participant_id", "issuer", "attempt", "bank_version", "kind", "counted", "score", "correct",
    "prediction", "duration_ms", "timestamptz_send(received_at)", "merit", "questions", "answers",
)  # fmt: skip
"""Of an entry, read in binary; times as PostgreSQL has them, for most of them are only handed on."""
CHANGED_COLUMNS = ("tid", "participant_id", "issuer", "attempt", "score", "correct", "merit")
STANDING_COLUMNS = ("person_id", *packing.SHARED_COLUMNS)

_CHANGED = struct.Struct(">h i6s iq ih ih ii ih i")
_PERSON = struct.Struct(">h iq")

_NOBODY = -1

_Best = tuple[bytes, int, int, tuple[Any, ...]]
"""(merit, attempt, issuer, the values of `packing.shared_part`): as `ordering.better` compares."""


class Laid(NamedTuple):
    """What has become known of some entries, as whole COPYs."""

    changed: int
    entries: bytes
    """CHANGED_COLUMNS of the entries whose score changes."""
    standings: bytes
    """STANDING_COLUMNS of the persons whom one of them concerns."""


class Regrading:
    """Takes the entries batch by batch and gives what changes."""

    def __init__(self, scorer: RoundScorer, keys: Mapping[int, Sequence[QuestionKey]], truth: int | None) -> None:
        """
        Args:
            keys: the new ones, by bank version.
            truth: the true number that gaps are measured from, where a ranking uses them already.
        """
        self.changed = 0
        """Entries whose score changes, of those taken so far."""
        self._scorer, self._keys, self._truth = scorer, keys, truth
        self._which, self._person_of = scorer.rules.which, scorer.merged.get
        self._several = set(scorer.merged.values())
        self._waiting: dict[int, tuple[_Best | None, bool]] = {}
        self._person = _NOBODY
        self._best: _Best | None = None
        self._touched = False
        self._entries: list[bytes] = []
        self._standings: list[bytes] = []

    def add(self, rows: Iterable[Sequence[Any]]) -> None:
        """Take rows of READ_COLUMNS."""
        for (
            tid, participant, issuer, attempt, bank, kind, counted, score, correct, prediction, duration, sent, before,
            asked, given,
        ) in rows:  # fmt: skip
            points, right = self._score(bank, kind, asked, given)
            changes = points != score or right != correct
            received = int.from_bytes(sent, signed=True)
            merit = before
            if changes:
                merit = self._merit(points, right, received, duration, attempt, participant, prediction)
                name = tid, 8, participant, 2, issuer, 2, attempt
                self._entries.append(_CHANGED.pack(7, 6, *name, 4, points, 2, right, len(merit)) + merit)
            if counted:
                values = participant, issuer, attempt, points, right, duration, received, prediction, merit
                self._count(participant, (merit, attempt, issuer, values), changes)

    def finish(self) -> None:
        """After the last entry: whoever is still waited for has no more."""
        self._turn_to(_NOBODY)
        for best, touched in self._waiting.values():
            self._settle(best, touched)
        self._waiting.clear()

    def take(self) -> Laid:
        """What has become known since the last time."""
        laid = Laid(len(self._entries), packing.block(self._entries), packing.block(self._standings))
        self.changed += laid.changed
        self._entries.clear()
        self._standings.clear()
        return laid

    def _score(self, bank: int, kind: int, asked: bytes, given: bytes) -> tuple[int, int]:
        if kind == Kind.LATE:
            return 0, 0
        words = _words(len(asked) // 2)
        return rules_room.score(self._scorer.rules, self._keys[bank], words.unpack(asked), words.unpack(given))

    def _merit(
        self, points: int, right: int, received: int, duration: int, attempt: int, participant: int,
        prediction: int | None,
    ) -> bytes:  # fmt: skip
        gap = None if self._truth is None or prediction is None else abs(prediction - self._truth)
        at = received // 1000 + packing.PG_EPOCH_MS
        return self._scorer.merit(ordering.Facts(points, right, at, duration, attempt, participant, gap))

    def _count(self, participant: int, entry: _Best, changes: bool) -> None:
        person = self._person_of(participant, participant)
        if person != self._person:
            self._turn_to(person)
        self._touched |= changes
        if self._best is None or ordering.better(self._which, entry[:3], self._best[:3]):
            self._best = entry

    def _turn_to(self, person: int) -> None:
        if self._person in self._several:
            self._waiting[self._person] = self._best, self._touched
        else:
            self._settle(self._best, self._touched)
        self._person = person
        self._best, self._touched = self._waiting.pop(person, (None, False))

    def _settle(self, best: _Best | None, touched: bool) -> None:
        if touched and best is not None:
            participant = best[3][0]
            head = _PERSON.pack(len(STANDING_COLUMNS), 8, self._person_of(participant, participant))
            self._standings.append(head + packing.shared_part(*best[3]))


@functools.cache
def _words(count: int) -> struct.Struct:
    return struct.Struct(f">{count}H")
