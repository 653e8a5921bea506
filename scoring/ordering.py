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


# For each key its struct code and its value: the greater the number, the better.
_PARTS: dict[str, tuple[str, Callable[[Facts], int]]] = {
    "score": ("I", lambda facts: facts.score),
    "correct": ("H", lambda facts: facts.correct),
    # Without a prediction the gap is the greatest there is: whoever predicted anything comes before.
    "prediction_gap": ("Q", lambda facts: 0 if facts.prediction_gap is None else _TOP - facts.prediction_gap),
    "received_at": ("Q", lambda facts: _TOP - facts.received),
    # "The earliest to the second": whoever hands in within the same second is equal.
    "received_second": ("Q", lambda facts: _TOP - facts.received // 1000),
    "duration": ("Q", lambda facts: _TOP - facts.duration),
    "attempts": ("Q", lambda facts: _TOP - facts.attempt),
}


def merit_maker(rules: Rules, round_secret: bytes = b"") -> Callable[[Facts], bytes]:
    """The function that packs an entry's ranking key under these rules.

    A lot is a keyed hash of the participant: fixed, and unknown to anybody without the round's secret.
    """

    def lot(facts: Facts) -> int:
        seed = facts.participant.to_bytes(8)
        return int.from_bytes(hashlib.blake2b(seed, digest_size=8, key=round_secret, person=b"lot").digest())

    codes, values = zip(*[("Q", lot) if name == "lot" else _PARTS[name] for name in rules.ranking], strict=True)
    packed = struct.Struct(">" + "".join(codes)).pack

    def merit(facts: Facts) -> bytes:
        return packed(*[value(facts) for value in values])

    return merit


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
