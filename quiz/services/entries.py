"""Entries as their owner sees them: one by its receipt, all of a contest, with what the release policy allows."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from quiz.clock import from_ms, to_ms
from quiz.errors import Refusal
from quiz.intake import calls
from quiz.intake.events import option_id
from quiz.intake.season import ContestCard, RoundCard
from quiz.intake.signing import EntryName, time_in
from quiz.models import Bank, Entry, KeyVersion, Question, Round, Standing, User
from quiz.services import releases
from quiz.services.papers import Desk, read_masks, turns_of
from quiz.services.ranks import rank_of
from scoring.rules import QuestionKey, key_from

State = Literal["accepted", "scored"]


@dataclass(frozen=True, slots=True)
class KeyedOption:
    id: str
    text: str
    right: bool
    chosen: bool


@dataclass(frozen=True, slots=True)
class KeyedQuestion:
    """A question of the paper with its key, as it is shown after the key's release."""

    id: str
    text: str
    multiple: bool
    options: list[KeyedOption]
    right: bool
    """Whether the answer counted as right; a void question is right for everybody."""
    void: bool
    explanation: str | None
    source: str | None


@dataclass(frozen=True, slots=True)
class EntryView:
    """An entry as its owner may see it now. What is None is not known yet or not released."""

    receipt: str
    state: State
    card: RoundCard
    attempt: int
    received_at: datetime
    duration_ms: int | None
    score: int | None = None
    correct: int | None = None
    rank: int | None = None
    """Only of the entry that is the standing."""
    counted: bool = True
    answers: dict[str, list[str]] | None = None
    questions: list[KeyedQuestion] | None = None

    @property
    def short(self) -> bool:
        """Whether the receipt is only its first half: it names the entry, and proves no longer what was accepted."""
        return "-" not in self.receipt


def find(session: Session, desk: Desk, user_id: int, receipt: str, now_ms: int) -> EntryView:
    """The entry of a receipt; its identity part is enough.

    Raises:
        Refusal: unknown_receipt, also for another's.
        IntakeUnavailable: it is in no table yet and Redis is away.
    """
    name = desk.signer.read_receipt(receipt)
    card = desk.seasons.get().rounds.get(name.round_id) if name else None
    if name is None or card is None or name.participant != user_id:
        raise Refusal("unknown_receipt")
    record = _record(desk, card, name)
    entry = session.get(Entry, (name.round_id, name.participant, name.issuer, name.attempt))
    received = to_ms(entry.received_at) if entry else record[0] if record else None
    if received is None or not _proof_fits(receipt, received, record):
        raise Refusal("unknown_receipt")
    text = _receipt_text(desk, name, record, receipt)
    if entry is None:
        return EntryView(text, "accepted", card, name.attempt, from_ms(received), None)
    return _scored(session, card, entry, text, now_ms)


def stored(session: Session, desk: Desk, user_id: int, receipt: str) -> Entry | None:
    """The row of an entry that `find` has shown; None while it waits to be counted.

    Raises:
        Refusal: unknown_receipt, also for another's.
    """
    name = desk.signer.read_receipt(receipt)
    if name is None or name.participant != user_id:
        raise Refusal("unknown_receipt")
    return session.get(Entry, (name.round_id, name.participant, name.issuer, name.attempt))


def history(session: Session, desk: Desk, user_id: int, contest: ContestCard, now_ms: int) -> list[EntryView]:
    """All entries of a participant in a contest, the newest first."""
    cards = {card.id: card for card in contest.rounds if card.scheduled is not None}
    records = _records(desk, [card for card in cards.values() if card.finalized is None], user_id)
    ranks = _ranks(session, [card for card in cards.values() if releases.score_is_out(card, now_ms)], user_id)
    statement = select(Entry).where(Entry.participant_id == user_id, Entry.round_id.in_(cards))
    views, stored = [], set()
    for entry in session.scalars(statement):
        name = _name(entry)
        stored.add(name)
        text = _receipt_text(desk, name, records.get(name), None)
        views.append(_view(cards[entry.round_id], entry, text, ranks.get(name), now_ms))
    for name, record in records.items():
        if name not in stored:
            text = _receipt_text(desk, name, record, None)
            views.append(EntryView(text, "accepted", cards[name.round_id], name.attempt, from_ms(record[0]), None))
    return sorted(views, key=lambda view: (view.received_at, view.card.number, view.attempt), reverse=True)


# Receipts, as far as they can be told again

_Record = tuple[int, str]
"""Received ms, and the proof part of the receipt ("" after a lost Redis)."""


def _record(desk: Desk, card: RoundCard, name: EntryName) -> _Record | None:
    if card.finalized is not None or name.issuer != desk.issuer:
        return None
    return calls.read_accepted(desk.gateway, card, name.participant, name.attempt)


def _proof_fits(receipt: str, received: int, record: _Record | None) -> bool:
    """Whether the proof part, if there is one, is the one given; without the record at least its time is."""
    proof = receipt.strip().upper().partition("-")[2]
    if not proof:
        return True
    if record and record[1]:
        return hmac.compare_digest(proof.encode(), record[1].encode())
    return time_in(proof) == received


def _receipt_text(desk: Desk, name: EntryName, record: _Record | None, asked: str | None) -> str:
    """The receipt in full where Redis still has it or the owner brought it, else the part that names the entry."""
    identity = desk.signer.identity_of(name)
    if record and record[1]:
        return f"{identity}-{record[1]}"
    return asked.strip().upper() if asked else identity


def _records(desk: Desk, cards: Sequence[RoundCard], user_id: int) -> dict[EntryName, _Record]:
    found = {}
    for card in cards:
        for attempt, record in calls.read_all_accepted(desk.gateway, card, user_id).items():
            found[EntryName(card.id, user_id, desk.issuer, attempt)] = record
    return found


# What the release policy lets through


def _scored(session: Session, card: RoundCard, entry: Entry, text: str, now_ms: int) -> EntryView:
    ranked = [card] if releases.score_is_out(card, now_ms) else []
    rank = _ranks(session, ranked, entry.participant_id).get(_name(entry))
    answers = questions = None
    if releases.key_is_out(card, now_ms):
        answers, questions = _keyed(session, card, entry)
    return _view(card, entry, text, rank, now_ms, answers, questions)


def _view(
    card: RoundCard,
    entry: Entry,
    text: str,
    rank: int | None,
    now_ms: int,
    answers: dict[str, list[str]] | None = None,
    questions: list[KeyedQuestion] | None = None,
) -> EntryView:
    shown = releases.score_is_out(card, now_ms)
    return EntryView(
        receipt=text,
        state="scored",
        card=card,
        attempt=entry.attempt,
        received_at=entry.received_at,
        duration_ms=entry.duration_ms,
        score=entry.score if shown else None,
        correct=entry.correct if shown else None,
        rank=rank,
        counted=entry.counted,
        answers=answers,
        questions=questions,
    )


def _ranks(session: Session, cards: Sequence[RoundCard], user_id: int) -> dict[EntryName, int]:
    """The entries that are the person's standings, with their ranks; counted while a round is not final."""
    statement = (
        select(Standing)
        .join(User, User.person_id == Standing.person_id)
        .where(Standing.round_id.in_([card.id for card in cards]), User.id == user_id)
    )
    return {
        _name(standing): standing.rank or rank_of(session, standing.round_id, standing.merit)
        for standing in session.scalars(statement)
    }


def _name(row: Entry | Standing) -> EntryName:
    return EntryName(row.round_id, row.participant_id, row.issuer, row.attempt)


def _keyed(session: Session, card: RoundCard, entry: Entry) -> tuple[dict[str, list[str]], list[KeyedQuestion]]:
    """Own answers and the paper's questions with the key that is valid now."""
    content = session.scalars(
        select(Bank.content).where(Bank.round_id == entry.round_id, Bank.version == entry.bank_version)
    ).one()
    key = _key(session, entry)
    places, masks = read_masks(entry.questions), read_masks(entry.answers)
    explained = _explanations(session, [content[place]["question_id"] for place in places])
    answers, questions = {}, []
    turns = turns_of(card, _name(entry), len(places))
    for place, turn, mask in zip(places, turns, masks, strict=True):
        question = content[place]
        shown = _keyed_question(question, key[place], mask, turn, explained.get(question["question_id"]))
        questions.append(shown)
        if mask:
            answers[shown.id] = [option.id for option in shown.options if option.chosen]
    return answers, questions


def _key(session: Session, entry: Entry) -> list[QuestionKey]:
    """The newest key in force for the entry's bank."""
    document = session.scalars(
        select(KeyVersion.key)
        .join(Round, Round.id == KeyVersion.round_id)
        .where(
            KeyVersion.round_id == entry.round_id,
            KeyVersion.bank_version == entry.bank_version,
            KeyVersion.version <= Round.key_version,
        )
        .order_by(KeyVersion.version.desc())
        .limit(1)
    ).one()
    return key_from(document)


def _explanations(session: Session, ids: Sequence[int]) -> dict[int, tuple[str | None, str | None]]:
    rows = session.execute(select(Question.id, Question.explanation, Question.source).where(Question.id.in_(ids)))
    return {row.id: (row.explanation, row.source) for row in rows}


def _keyed_question(
    question: Mapping[str, Any], key: QuestionKey, mask: int, turn: int, explained: tuple[str | None, str | None] | None
) -> KeyedQuestion:
    # Several sets may be accepted after a correction; an option is right if any of them has it.
    right = 0
    for accepted in key.accept:
        right |= accepted
    explanation, source = explained or (None, None)
    options = question["options"]
    return KeyedQuestion(
        id=question["id"],
        text=question["text"],
        multiple=question["multiple"],
        options=[
            KeyedOption(option_id(place), options[bit]["text"], bool(right >> bit & 1), bool(mask >> bit & 1))
            for place, bit in enumerate((place + turn) % len(options) for place in range(len(options)))
        ],
        right=key.void or mask in key.accept,
        void=key.void,
        explanation=explanation,
        source=source,
    )
