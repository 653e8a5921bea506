"""Drawing a paper: a pure function of the round's secret, the participant and the attempt.

The same three give the same paper again, so nothing about a paper needs to be stored, and nobody without the
secret can tell it beforehand. A frozen bank keeps the way of drawing that it was frozen with: papers of a round that
is open stay the same whatever code draws them again.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

_BLOCK = struct.Struct(">16I")
_BLOCK_WORDS = 16
BY_LOT: Final = 1
EVENLY: Final = 2
NEWEST: Final = EVENLY
"""What a bank that is frozen now is drawn by."""


@dataclass(frozen=True, slots=True)
class Stratum:
    """So many questions out of these places of the bank (one topic and difficulty of the round's blueprint)."""

    places: tuple[int, ...]
    count: int
    fixed: bool = False
    """True: all of them as they stand, for everybody."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What the papers of a round are drawn from, and which way."""

    way: int
    strata: tuple[Stratum, ...]


def draw(secret: bytes, participant: int, attempt: int, plan: Plan) -> list[int]:
    """The places of the paper's questions in the frozen bank, in the order they are shown. Attempts begin at 1."""
    if plan.way == BY_LOT:
        return by_lot(secret, participant, attempt, plan.strata)
    return evenly(secret, participant, attempt, plan.strata)


def by_lot(secret: bytes, participant: int, attempt: int, strata: Sequence[Stratum]) -> list[int]:
    """Each attempt anew from all questions of each part."""
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


def evenly(secret: bytes, participant: int, attempt: int, strata: Sequence[Stratum]) -> list[int]:
    """No question of a part twice before the person has seen all of that part; after that by lot.

    Each person has an order of each part of their own, and the attempts walk along it. Over all people every question
    comes as often at every attempt, so none wears out before the others.
    """
    if len(strata) == 1 and attempt * strata[0].count <= len(strata[0].places):
        pool, end = list(strata[0].places), attempt * strata[0].count
        _mix(pool, _stream(secret, participant, 0, end))
        return pool[end - strata[0].count : end]
    total = sum([stratum.count for stratum in strata])
    # Words lie attempt after attempt, so that a later one walks on where the earlier one ended; the second half of
    # those of an attempt mixes the parts over the paper.
    width = 2 * total if len(strata) > 1 else total
    left = max([len(stratum.places) - (attempt - 1) * stratum.count for stratum in strata])
    own = _stream(secret, participant, 0, attempt * width) if left > 0 else ()
    lot = () if left > 0 else _stream(secret, participant, attempt, width)
    drawn: list[int] = []
    at = 0
    for stratum in strata:
        count, pool = stratum.count, list(stratum.places)
        end = attempt * count
        if end <= len(pool):
            _mix(pool, own[at : at + count] if attempt == 1 else _of(own, at, count, width, attempt))
            drawn += pool[end - count : end]
        else:
            lot = lot or _stream(secret, participant, attempt, width)
            drawn += _last(pool, end - count, count, own, lot, (at, width, attempt))
        at += count
    if len(strata) > 1:
        _mix(drawn, lot[total:] if lot else own[-total:])
    return drawn


def _last(
    pool: list[int], seen: int, count: int, own: Sequence[int], lot: Sequence[int], place: tuple[int, int, int]
) -> list[int]:
    """What the person has not seen of a part yet, if anything, and the rest of the attempt by lot."""
    at, width, attempt = place
    unseen: list[int] = []
    if seen < len(pool):
        _mix(pool, _of(own, at, count, width, attempt)[: len(pool)])
        unseen = pool[seen:]
        del pool[seen:]
    wanted = count - len(unseen)
    _mix(pool, lot[at : at + wanted])
    return unseen + pool[:wanted]


def _of(words: Sequence[int], at: int, count: int, width: int, attempts: int) -> list[int]:
    """The words of one part, of so many attempts one after the other."""
    return [word for first in range(at, at + attempts * width, width) for word in words[first : first + count]]


def _mix(pool: list[int], words: Sequence[int]) -> None:
    """Fisher-Yates for as many places as there are words: every choice and order of them as likely."""
    size = len(pool)
    for index, word in enumerate(words):
        pick = index + word % (size - index)
        pool[index], pool[pick] = pool[pick], pool[index]


def _stream(secret: bytes, participant: int, attempt: int, count: int) -> Sequence[int]:
    """The first `count` 32-bit words that belong to a participant's attempt, or with 0 to the participant.

    A sponge keyed by its prefix; asked for more words it begins with the same ones.
    """
    seed = secret + participant.to_bytes(8) + attempt.to_bytes(4) + b"draw evenly"
    return struct.unpack(f">{count}I", hashlib.shake_256(seed).digest(4 * count))


def rotations(secret: bytes, participant: int, attempt: int, count: int) -> list[int]:
    """For each question by how many places its options are turned when shown: neighbours see other orders."""
    if count <= _BLOCK_WORDS:
        return list(_block(secret, participant.to_bytes(8) + attempt.to_bytes(4), 0, b"turn")[:count])
    return list(islice(_words(secret, participant, attempt, b"turn"), count))


def _words(secret: bytes, participant: int, attempt: int, purpose: bytes) -> Iterator[int]:
    """An endless stream of 32-bit words from a keyed hash in counter mode."""
    seed = participant.to_bytes(8) + attempt.to_bytes(4)
    block = 0
    while True:
        yield from _block(secret, seed, block, purpose)
        block += 1


def _block(secret: bytes, seed: bytes, number: int, purpose: bytes) -> tuple[int, ...]:
    digest = hashlib.blake2b(seed + number.to_bytes(4), digest_size=64, key=secret, person=purpose).digest()
    return _BLOCK.unpack(digest)
