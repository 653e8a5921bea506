"""Freezing a bank: from questions as people edit them to the shuffled, immutable list that papers are drawn from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session, selectinload

from quiz.errors import FieldError, Refusal
from quiz.intake import draw
from quiz.models import Bank, KeyVersion, Option, Question, Round
from quiz.models.base import lock
from quiz.services import audit
from quiz.services.season.cards import strata_of
from scoring.rules import rules_from

MAX_OPTIONS = 16
"""An answer is kept as two bytes, a bit an option."""

T = TypeVar("T")


def freeze_bank(session: Session, frozen: Round, now: datetime, *, actor_id: int | None = None) -> Bank:
    """Freeze the round's questions as its next bank version, with the key that belongs to it, and use them from now.

    The order of questions and options comes from the round's secret alone: neither an id nor a place that is ever
    sent tells which option is right (promise: the key never leaks before its release).

    Raises:
        Refusal: invalid_request, naming the question; forbidden, once papers may have been drawn.
    """
    lock(session, frozen)
    if frozen.scheduled_at is not None and now >= frozen.opens_at:
        raise Refusal("forbidden")
    shuffle = _shuffler(frozen.draw_secret)
    content, key = [], []
    for place, (number, question) in enumerate(
        shuffle(b"bank", list(enumerate(newest_questions(session, frozen.id), 1)))
    ):
        options = shuffle(b"question %d" % number, question.options)
        mask = sum(1 << bit for bit, option in enumerate(options) if option.right)
        _check(question, mask)
        content.append(_content(place, question, options, mask))
        key.append({"accept": [mask], "void": False})
    strata_of(rules_from(frozen.rules), content)
    bank = Bank(
        round_id=frozen.id,
        version=_next(session, Bank, frozen.id),
        content=content,
        draw_way=draw.NEWEST,
        frozen_at=now,
    )
    version = KeyVersion(
        round_id=frozen.id,
        bank_version=bank.version,
        version=_next(session, KeyVersion, frozen.id),
        key=key,
        created_at=now,
        created_by=actor_id,
    )
    session.add_all([bank, version])
    frozen.bank_version, frozen.key_version = bank.version, version.version
    detail = {"bank": bank.version, "key": version.version, "questions": len(content)}
    audit.append(session, now, actor_id, "bank.frozen", f"round:{frozen.id}", detail)
    return bank


def newest_questions(session: Session, round_id: int) -> Sequence[Question]:
    """The newest version of each question meant for the round, retired ones left out."""
    return _newest(session, Question.round_id == round_id)


def newest_of_contest(session: Session, contest_id: int) -> Sequence[Question]:
    """The same of all rounds, and of the questions that are meant for none."""
    return _newest(session, Question.contest_id == contest_id)


def _newest(session: Session, which: ColumnElement[bool]) -> Sequence[Question]:
    newest = (
        select(Question.id)
        .where(which)
        .ext(distinct_on(Question.stem_id))
        .order_by(Question.stem_id, Question.version.desc())
    )
    statement = (
        select(Question)
        .where(Question.id.in_(newest), Question.retired_at.is_(None))
        .options(selectinload(Question.options))
        .order_by(Question.stem_id)
    )
    return session.scalars(statement.execution_options(populate_existing=True)).all()


def _shuffler(secret: bytes) -> Callable[[bytes, Sequence[T]], list[T]]:
    """Orders things by a keyed hash of their number in the list, so by nothing that is in them."""

    def shuffle(what: bytes, things: Sequence[T]) -> list[T]:
        def place(number: int) -> bytes:
            return hashlib.blake2b(b"%b %d" % (what, number), digest_size=16, key=secret, person=b"freeze").digest()

        return [things[number] for number in sorted(range(len(things)), key=place)]

    return shuffle


def _check(question: Question, mask: int) -> None:
    where = f"questions.{question.id}"
    if not mask:
        raise Refusal(
            "invalid_request",
            errors=(FieldError(where, _l("This question has no right option: %(text)s", text=question.text)),),
        )
    if not 2 <= len(question.options) <= MAX_OPTIONS:
        raise Refusal(
            "invalid_request",
            errors=(FieldError(where, _l("A question needs 2 to 16 options: %(text)s", text=question.text)),),
        )


def _content(place: int, question: Question, options: Sequence[Option], mask: int) -> dict[str, Any]:
    return {
        "id": str(place + 1),
        "question_id": question.id,
        "text": question.text,
        "multiple": question.multiple or mask.bit_count() > 1,
        "topic": question.topic,
        "difficulty": question.difficulty,
        "options": [
            {"id": str(number), "option_id": option.id, "text": option.text} for number, option in enumerate(options, 1)
        ],
    }


def _next(session: Session, table: type[Bank] | type[KeyVersion], round_id: int) -> int:
    return (session.scalar(select(func.max(table.version)).where(table.round_id == round_id)) or 0) + 1
