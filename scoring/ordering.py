"""The one ordering of entries and standings. Standard library only.

A rule's ranking is a list of keys; `merit` packs them into bytes so that plain byte comparison, in Python, in
PostgreSQL and in an index alike, ranks by them: the greater, the better.

Ties: two standings with the same merit share a rank. Between two entries of one person with the same merit the
lower attempt is the standing.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable
from dataclasses import dataclass

from scoring.rules import Rules

_TOP = (1 << 63) - 1


@dataclass(slots=True)  # frozen would cost the drain a microsecond an entry
class Facts:
    """What an entry can be ranked by. Times in ms; `prediction_gap` is None until the true number is known."""

    score: int
    correct: int
    received: int
    duration: int
    attempt: int
    participant: int
    prediction_gap: int | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """The first ranking key that tells two merits apart."""

    key: str
    left_first: bool
    left: int | None
    """Its value for the left one: points, right questions, gap (None: no prediction), ms, attempt, lot."""
    right: int | None


@dataclass(frozen=True, slots=True)
class _Part:
    """What of an entry a ranking key packs, the greater the better, and what it was before it was packed."""

    code: str
    """Of `struct`."""
    pack: Callable[[Facts], int]
    unpack: Callable[[int], int | None]


def _same(packed: int) -> int:
    return packed


def _less_is_better(packed: int) -> int:
    return _TOP - packed


_PARTS = {
    "score": _Part("I", lambda facts: facts.score, _same),
    "correct": _Part("H", lambda facts: facts.correct, _same),
    # Without a prediction the gap is the greatest there is: whoever predicted anything comes before.
    "prediction_gap": _Part(
        "Q",
        lambda facts: 0 if facts.prediction_gap is None else _TOP - facts.prediction_gap,
        lambda packed: _TOP - packed if packed else None,
    ),
    "received_at": _Part("Q", lambda facts: _TOP - facts.received, _less_is_better),
    # "The earliest to the second": whoever hands in within the same second is equal.
    "received_second": _Part("Q", lambda facts: _TOP - facts.received // 1000, lambda packed: (_TOP - packed) * 1000),
    "duration": _Part("Q", lambda facts: _TOP - facts.duration, _less_is_better),
    "attempts": _Part("Q", lambda facts: _TOP - facts.attempt, _less_is_better),
}
_LOT_CODE = "Q"


def _struct_of(rules: Rules) -> struct.Struct:
    return struct.Struct(">" + "".join(_LOT_CODE if name == "lot" else _PARTS[name].code for name in rules.ranking))


def merit_maker(rules: Rules, round_secret: bytes = b"") -> Callable[[Facts], bytes]:
    """The function that packs an entry's ranking key under these rules.

    A lot is a keyed hash of the participant: fixed, and unknown to anybody without the round's secret.
    """

    def lot(facts: Facts) -> int:
        seed = facts.participant.to_bytes(8)
        return int.from_bytes(hashlib.blake2b(seed, digest_size=8, key=round_secret, person=b"lot").digest())

    values = [lot if name == "lot" else _PARTS[name].pack for name in rules.ranking]
    packed = _struct_of(rules).pack

    def merit(facts: Facts) -> bytes:
        return packed(*[value(facts) for value in values])

    return merit


def decide(rules: Rules, left: bytes, right: bytes) -> Decision | None:
    """Why one merit is above the other; None: they share the rank.

    It reads the merits that rank, so what it says is what was applied.
    """
    values = _struct_of(rules)
    for name, mine, theirs in zip(rules.ranking, values.unpack(left), values.unpack(right), strict=True):
        if mine != theirs:
            unpack = _same if name == "lot" else _PARTS[name].unpack
            return Decision(name, mine > theirs, unpack(mine), unpack(theirs))
    return None


def better(which: str, left: tuple[bytes, int, int], right: tuple[bytes, int, int]) -> bool:
    """Whether entry `left` (merit, attempt, issuer) is the standing rather than `right`; SQL twin: `better_sql`."""
    if which == "first":
        return left[1:] < right[1:]
    if which == "last":
        return left[1:] > right[1:]
    return (left[0], -left[1], -left[2]) > (right[0], -right[1], -right[2])


def better_sql(which: str, left: str, right: str) -> str:
    """The same comparison for two row aliases in SQL; the aliases come from our code, never from outside."""
    if which == "first":
        return f"({left}.attempt, {left}.issuer) < ({right}.attempt, {right}.issuer)"
    if which == "last":
        return f"({left}.attempt, {left}.issuer) > ({right}.attempt, {right}.issuer)"
    return (
        f"({left}.merit, -{left}.attempt::int, -{left}.issuer::int)"
        f" > ({right}.merit, -{right}.attempt::int, -{right}.issuer::int)"
    )


def first_in_sql(which: str) -> str:
    """ORDER BY that puts a person's standing first among the person's entries."""
    return {
        "first": "attempt, issuer",
        "last": "attempt DESC, issuer DESC",
        "best": "merit DESC, attempt, issuer",
    }[which]
