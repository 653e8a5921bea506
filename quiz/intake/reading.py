"""What pages show of attempts without changing anything: how many are used, which is open, what its draft says.

Nothing here decides: between a reading and the next call of a script the record may change, and the script is right.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from quiz.intake import keys
from quiz.intake.events import decode_draft
from quiz.intake.gateway import Gateway
from quiz.intake.season import RoundCard

_OPEN, _HANDED_IN = 1, 2
_whole = msgspec.msgpack.Decoder(int)
_text = msgspec.msgpack.Decoder(str)
_person = msgspec.msgpack.Decoder(tuple[int, int])
# An open attempt carries opaque bytes that Lua packs as text: fields are decoded one by one.
_record = msgspec.msgpack.Decoder(list[msgspec.Raw])


@dataclass(frozen=True, slots=True)
class OpenAttempt:
    attempt: int
    started: int
    deadline: int


@dataclass(frozen=True, slots=True)
class HandedIn:
    received: int
    proof: str
    """Empty for an attempt that was restored from the tables."""


@dataclass(frozen=True, slots=True)
class Progress:
    used: int
    open: OpenAttempt | None


@dataclass(frozen=True, slots=True)
class Draft:
    masks: list[int]
    prediction: int | None
    seq: int


def read_progress(gateway: Gateway, card: RoundCard, participant: int, now: int) -> Progress:
    """Attempts used and the one that can still be gone on with.

    Raises:
        IntakeUnavailable.
    """
    used, number = read_started(gateway, card, participant)
    record = read_attempt(gateway, card, participant, number) if number else None
    going = record if isinstance(record, OpenAttempt) and now <= record.deadline + card.grace else None
    return Progress(used, going)


def read_started(gateway: Gateway, card: RoundCard, participant: int) -> tuple[int, int]:
    """How many attempts were started, and the number of the open one or 0.

    Raises:
        IntakeUnavailable.
    """
    raw = _field(gateway, card, participant, str(participant))
    return (0, 0) if raw is None else _person.decode(raw)


def read_attempt(gateway: Gateway, card: RoundCard, participant: int, attempt: int) -> OpenAttempt | HandedIn | None:
    """The record of one attempt; None: lapsed, or not known here.

    Raises:
        IntakeUnavailable.
    """
    raw = _field(gateway, card, participant, f"{participant}:{attempt}")
    if raw is None:
        return None
    fields = _record.decode(raw)
    state = _whole.decode(fields[0])
    if state == _OPEN:
        return OpenAttempt(attempt, _whole.decode(fields[1]), _whole.decode(fields[2]))
    return HandedIn(_whole.decode(fields[1]), _text.decode(fields[2])) if state == _HANDED_IN else None


def read_draft(gateway: Gateway, card: RoundCard, participant: int, attempt: int) -> Draft | None:
    """The sheet as the phone last sent it, with the number it gave it.

    Raises:
        IntakeUnavailable.
    """
    shard = keys.shard_of(participant, card.shards)
    raw = gateway.ask("HGET", keys.drafts(card.id, shard), f"{participant}:{attempt}")
    if raw is None:
        return None
    seq, _, event = raw.split(b".", 2)
    kept, _ = decode_draft(event)
    return Draft(kept.answers, kept.prediction, int(seq))


def _field(gateway: Gateway, card: RoundCard, participant: int, name: str) -> bytes | None:
    raw: bytes | None = gateway.ask("HGET", keys.attempts(card.id, keys.shard_of(participant, card.shards)), name)
    return raw
