"""What intake does: open an attempt, keep a draft, take a sheet, settle what is overdue.

Every function is one call of a Lua script on the keys of one shard, except where an overdue draft has to be handed
in first. `now` comes in as milliseconds; Redis's own clock is never asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec

from quiz.intake import keys
from quiz.intake.counts import COUNTS
from quiz.intake.draw import draw
from quiz.intake.errors import (
    AttemptsExhausted,
    BarredFromContest,
    IntakeUnavailable,
    LoginRequired,
    NotEligible,
    PaperExpired,
    RoundNotOpen,
)
from quiz.intake.events import Paper, decode_draft, encode_event, encode_paper, with_received
from quiz.intake.gateway import DRAFT, HAND_IN, LAPSE, RESCHEDULE, START, Gateway, Reply
from quiz.intake.season import RoundCard, Season
from quiz.intake.signing import SignedPaper, Signer


@dataclass(frozen=True, slots=True)
class Starter:
    """Who starts, as the session or bearer token says it; no table is asked."""

    participant: int
    unit: int
    auth_epoch: int
    device: str | None = None
    channel: str | None = None


class Started(msgspec.Struct, frozen=True):
    token: str
    paper: Paper
    opened: bool
    """False: the attempt was open already and this is its paper again."""
    attempts_left: int | None
    """None: unlimited."""


class Receipt(msgspec.Struct, frozen=True):
    text: str
    received: int
    first: bool
    """False: the paper had been handed in before; this is the receipt given then."""


class Mode(StrEnum):
    PERSON = "person"
    PROVEN = "proven"
    DEADLINE = "deadline"


_ACCEPTED = {mode: f"accepted_{mode.value}" for mode in Mode}


class _Meta(msgspec.Struct, array_like=True):
    """Kept with an open attempt, so that the same paper is signed again."""

    unit: int
    bank: int
    device: str | None
    channel: str | None


_pack = msgspec.msgpack.Encoder().encode
_meta_decoder = msgspec.msgpack.Decoder(_Meta)
_handed_in_decoder = msgspec.msgpack.Decoder(tuple[int, int, str])
_person_decoder = msgspec.msgpack.Decoder(tuple[int, int])
_HANDED_IN = 2


def meta_of(paper: Paper) -> bytes:
    """What the record of an open attempt keeps of its paper."""
    return _pack(_Meta(paper.unit, paper.bank, paper.device, paper.channel))


def start(
    gateway: Gateway, signer: Signer, issuer: int, season: Season, card: RoundCard, who: Starter, now: int
) -> Started:
    """Open an attempt of `who` in the round, or find the open one.

    Raises:
        RoundNotOpen, AttemptsExhausted, NotEligible (barred), LoginRequired (session ended), IntakeUnavailable.
    """
    if card.bank_version is None:
        raise RoundNotOpen
    names = keys.of_start(card.id, keys.shard_of(who.participant, card.shards))
    meta = _pack(_Meta(who.unit, card.bank_version, who.device, who.channel))
    reply = gateway.call(START, names, [now, who.participant, who.auth_epoch, meta])
    if reply[0] == b"overdue":
        settle(gateway, signer, card, who.participant, reply[1], now)
        reply = gateway.call(START, names, [now, who.participant, who.auth_epoch, meta])
    refusal = _START_REFUSALS.get(reply[0])
    if refusal is not None:
        raise refusal
    outcome, attempt, started, deadline, kept, used = reply
    COUNTS["started" if outcome == b"opened" else "papers_again"] += 1
    facts = _meta_decoder.decode(kept)
    paper = Paper(
        issuer=issuer,
        round_id=card.id,
        participant=who.participant,
        attempt=attempt,
        unit=facts.unit,
        bank=facts.bank,
        questions=draw(card.draw_secret, who.participant, attempt, season.draw_plans[card.id]),
        started=started,
        deadline=deadline,
        device=facts.device,
        channel=facts.channel,
    )
    token, _ = signer.sign_paper(paper)
    return Started(token, paper, outcome == b"opened", None if card.cap is None else max(0, card.cap - used))


_START_REFUSALS: dict[bytes, type[Exception]] = {
    b"closed": RoundNotOpen,
    b"exhausted": AttemptsExhausted,
    b"barred": NotEligible,
    b"barred_here": BarredFromContest,
    b"stale": LoginRequired,
}


def hand_in(
    gateway: Gateway,
    signer: Signer,
    card: RoundCard,
    signed: SignedPaper,
    answers: list[int],
    prediction: int | None,
    now: int,
    receipt: str | None = None,
) -> Receipt:
    """Take a sheet. The receipt leaves only after Redis has the entry on disk.

    Args:
        answers: bit masks in the order of the paper's questions.
        receipt: one given before; where Redis lost the entry since, it proves what was accepted and when.

    Raises:
        PaperExpired, IntakeUnavailable.
    """
    mode, received = Mode.PERSON, now
    sheet = sheet_bytes(answers, prediction)
    if receipt is not None:
        proven = signer.proven_time(signed, sheet, receipt)
        if proven is not None:
            mode, received = Mode.PROVEN, proven
    event = encode_event(signed.payload, answers, prediction, received)
    reply = _hand_in(gateway, card, signed.paper, received, signer.proof(signed, sheet, received), event, mode)
    if reply[0] == b"draft":
        # Its time was over: the draft kept in time is the entry, and this sheet gets its receipt.
        return _hand_in_draft(gateway, signer, card, signed, reply[1], reply[2])
    return _receipt(signer, signed, reply)


def keep_draft(
    gateway: Gateway,
    card: RoundCard,
    signed: SignedPaper,
    answers: list[int],
    prediction: int | None,
    seq: int,
    now: int,
) -> None:
    """Keep the sheet as it is now; a lower `seq` than the last is ignored.

    Raises:
        PaperExpired, IntakeUnavailable.
    """
    paper = signed.paper
    shard = keys.shard_of(paper.participant, card.shards)
    names = [keys.config(card.id, shard), keys.attempts(card.id, shard), keys.drafts(card.id, shard)]
    # The key's id travels with the draft: the sweeper has to give the receipt that a hand-in would get.
    event = encode_event(signed.payload, answers, prediction, now)
    reply = gateway.call(
        DRAFT, names, [paper.participant, paper.attempt, now, paper.deadline, seq, _draft(signed, event)]
    )
    if reply[0] == b"expired":
        raise PaperExpired
    COUNTS["drafts"] += 1


def settle(gateway: Gateway, signer: Signer, card: RoundCard, participant: int, attempt: int, now: int) -> bool:
    """Close an attempt whose grace is over: hand in its draft with the deadline as time received, or let it lapse.

    Returns whether it is closed; safe to repeat, and safe beside a hand-in that arrives at the same time.
    """
    shard = keys.shard_of(participant, card.shards)
    names = [
        keys.config(card.id, shard),
        keys.attempts(card.id, shard),
        keys.open_attempts(card.id, shard),
        keys.drafts(card.id, shard),
    ]
    reply = gateway.call(LAPSE, names, [participant, attempt, now])
    if reply[0] == b"lapsed":
        COUNTS["lapsed"] += 1
    if reply[0] != b"draft":
        return bool(reply[0] != b"open")
    key_id, event = _split_draft(reply[2])
    paper = decode_draft(event)[1]
    signed = SignedPaper(key_id, encode_paper(paper), paper)
    _hand_in_draft(gateway, signer, card, signed, reply[1], reply[2])
    return True


def reschedule(gateway: Gateway, card: RoundCard) -> int:
    """Write the deadline that the round's windows allow now onto its open attempts; returns how many gained time.

    The shard configs must be written before, so that an attempt opened meanwhile has the new deadline from its start.
    """
    moved = 0
    for shard in range(card.shards):
        names = [keys.config(card.id, shard), keys.attempts(card.id, shard), keys.open_attempts(card.id, shard)]
        for name in gateway.client.zrange(names[2], 0, -1):
            moved += gateway.call(RESCHEDULE, names, [name])[0] == b"moved"
    return moved


def read_draft(
    gateway: Gateway, card: RoundCard, participant: int, attempt: int
) -> tuple[list[int], int | None] | None:
    """The answers (bit masks) and prediction kept for an open attempt, so that a page shows them after a reload."""
    shard = keys.shard_of(participant, card.shards)
    raw: Any = gateway.client.hget(keys.drafts(card.id, shard), f"{participant}:{attempt}")
    if raw is None:
        return None
    event, _ = decode_draft(_split_draft(raw)[1])
    return event.answers, event.prediction


def read_accepted(gateway: Gateway, card: RoundCard, participant: int, attempt: int) -> tuple[int, str] | None:
    """(received ms, proof) of an attempt handed in, from its record; None if open, lapsed or unknown here."""
    shard = keys.shard_of(participant, card.shards)
    raw: Any = gateway.client.hget(keys.attempts(card.id, shard), f"{participant}:{attempt}")
    if raw is None or raw[1] != _HANDED_IN:
        return None
    _, received, proof = _handed_in_decoder.decode(raw)
    return received, proof


def read_all_accepted(gateway: Gateway, card: RoundCard, participant: int) -> dict[int, tuple[int, str]]:
    """(received ms, proof) of all attempts of a participant that were handed in here, by attempt."""
    name = keys.attempts(card.id, keys.shard_of(participant, card.shards))
    person: Any = gateway.client.hget(name, str(participant))
    if person is None:
        return {}
    started = _person_decoder.decode(person)[0]
    fields = [f"{participant}:{attempt}" for attempt in range(1, started + 1)]
    records: Any = gateway.client.hmget(name, fields) if fields else []
    accepted = {}
    for attempt, raw in enumerate(records, 1):
        if raw is not None and raw[1] == _HANDED_IN:
            _, received, proof = _handed_in_decoder.decode(raw)
            accepted[attempt] = received, proof
    return accepted


def attempts_over(gateway: Gateway, card: RoundCard, participants: Sequence[int]) -> list[int]:
    """How many attempts each participant has behind: started and not open any more."""
    pipeline = gateway.client.pipeline(transaction=False)
    for participant in participants:
        pipeline.hget(keys.attempts(card.id, keys.shard_of(participant, card.shards)), str(participant))
    records = (_person_decoder.decode(raw) if raw is not None else (0, 0) for raw in pipeline.execute())
    return [started - bool(is_open) for started, is_open in records]


def _hand_in(
    gateway: Gateway, card: RoundCard, paper: Paper, received: int, proof: str, event: bytes, mode: Mode
) -> Reply:
    names = keys.of_hand_in(card.id, keys.shard_of(paper.participant, card.shards))
    reply = gateway.call(
        HAND_IN, names, (paper.participant, paper.attempt, received, paper.deadline, proof, event, mode)
    )
    if reply[0] == b"accepted":
        COUNTS[_ACCEPTED[mode]] += 1
    elif reply[0] == b"again":
        COUNTS["receipts_again"] += 1
    elif reply[0] == b"expired":
        raise PaperExpired
    return reply


def _hand_in_draft(
    gateway: Gateway, signer: Signer, card: RoundCard, signed: SignedPaper, deadline: int, draft: bytes
) -> Receipt:
    _, event = _split_draft(draft)
    kept, _ = decode_draft(event)
    proof = signer.proof(signed, sheet_bytes(kept.answers, kept.prediction), deadline)
    reply = _hand_in(gateway, card, signed.paper, deadline, proof, with_received(event, deadline), Mode.DEADLINE)
    return _receipt(signer, signed, reply)


def _receipt(signer: Signer, signed: SignedPaper, reply: Reply) -> Receipt:
    outcome, received, proof = reply
    if not isinstance(received, int) or not isinstance(proof, bytes):
        raise IntakeUnavailable(f"hand_in: unexpected reply {outcome!r}")
    return Receipt(f"{signer.identity(signed)}-{proof.decode()}", received, outcome == b"accepted")


def sheet_bytes(answers: list[int], prediction: int | None) -> bytes:
    """What a receipt's proof covers of the answers."""
    return _pack((answers, prediction))


def _draft(signed: SignedPaper, event: bytes) -> bytes:
    return signed.key_id.encode() + b"." + event


def _split_draft(draft: bytes) -> tuple[str, bytes]:
    """(key id, event) of a draft as lua/draft.lua keeps it: SEQ.KEY_ID.EVENT."""
    _, key_id, event = draft.split(b".", 2)
    return key_id.decode(), event
