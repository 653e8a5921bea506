"""Drawing a paper: a pure function of the round's secret, the participant and the attempt.

The same three give the same paper again, so nothing about a paper needs to be stored, and nobody without the
secret can tell it beforehand.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_BLOCK = struct.Struct(">16I")


@dataclass(frozen=True, slots=True)
class Stratum:
    """So many questions out of these places of the bank (one topic and difficulty of the round's blueprint)."""

    places: tuple[int, ...]
    count: int
    fixed: bool = False
    """True: all of them as they stand, for everybody."""


def draw(secret: bytes, participant: int, attempt: int, strata: Sequence[Stratum]) -> list[int]:
    """The places of the paper's questions in the frozen bank, in the order they are shown."""
    words = _words(secret, participant, attempt, b"draw")
    drawn: list[int] = []
    for stratum in strata:
        if stratum.fixed:
            drawn += stratum.places
            continue
        pool = list(stratum.places)
        size = len(pool)
        for index in range(stratum.count):
            # Partial Fisher-Yates; 32-bit words make the bias of the remainder smaller than 1 in a million.
            pick = index + next(words) % (size - index)
            pool[index], pool[pick] = pool[pick], pool[index]
        drawn += pool[: stratum.count]
    if len(strata) > 1:
        for index in range(len(drawn) - 1):
            pick = index + next(words) % (len(drawn) - index)
            drawn[index], drawn[pick] = drawn[pick], drawn[index]
    return drawn


def rotations(secret: bytes, participant: int, attempt: int, count: int) -> list[int]:
    """For each question by how many places its options are turned when shown: neighbours see other orders."""
    words = _words(secret, participant, attempt, b"turn")
    return [next(words) for _ in range(count)]


def _words(secret: bytes, participant: int, attempt: int, purpose: bytes) -> Iterator[int]:
    """An endless stream of 32-bit words from a keyed hash in counter mode."""
    seed = participant.to_bytes(8) + attempt.to_bytes(4)
    block = 0
    while True:
        digest = hashlib.blake2b(seed + block.to_bytes(4), digest_size=64, key=secret, person=purpose).digest()
        yield from _BLOCK.unpack(digest)
        block += 1
