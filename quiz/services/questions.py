"""Questions on their way into the tables: drafts from whatever file, checked as a whole, then added to a round."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from quiz.errors import FieldError, Refusal
from quiz.models import Option, Question, Round
from quiz.services import duplicates, question_files
from quiz.services.formats import BadFile, BadLine, OptionDraft, QuestionDraft, bank
from quiz.services.formats.drafts import faults_of, same
from quiz.services.season.banks import newest_of_contest, newest_questions

__all__ = ["OptionDraft", "QuestionDraft", "add_questions", "draft_of", "drafts_of", "lookalikes", "read_bank_file"]


def read_bank_file(raw: bytes) -> bank.Bank:
    """The project's own format, quiz/data/bank/NN.json.

    Raises:
        Refusal: invalid_request, naming every question that is not as the format wants it.
    """
    try:
        return bank.read_bank(raw)
    except BadFile as bad:
        raise Refusal("invalid_request", errors=tuple(_named(line) for line in bad.lines)) from bad


def _named(line: BadLine) -> FieldError:
    where = f"questions.{line.where.number}" if line.where.kind == "question" else "file"
    return FieldError(where, question_files.sentence(line.fault))


def add_questions(
    session: Session, target: Round, drafts: Sequence[QuestionDraft], now: datetime, *, actor_id: int | None = None
) -> int:
    """Add all drafts to the round's questions, or none. The bank is frozen separately. The caller commits.

    Raises:
        Refusal: invalid_request, naming everything that is wrong with any of them.
    """
    errors = tuple(_problems(drafts, {_identity(draft) for draft in drafts_of(session, target)}))
    if errors:
        raise Refusal("invalid_request", errors=errors)
    if not drafts:
        return 0
    numbers = select(func.nextval(func.pg_get_serial_sequence("question", "id"))).select_from(
        func.generate_series(1, len(drafts))
    )
    ids = list(session.scalars(numbers))
    session.execute(
        insert(Question), [_question(row, draft, target, now, actor_id) for row, draft in zip(ids, drafts, strict=True)]
    )
    session.execute(
        insert(Option),
        [
            {"question_id": row, "position": position, "text": option.text, "right": option.right}
            for row, draft in zip(ids, drafts, strict=True)
            for position, option in enumerate(draft.options, 1)
        ],
    )
    return len(ids)


def drafts_of(session: Session, source: Round) -> list[QuestionDraft]:
    """The round's questions as an export writes them: the newest version of each, retired ones left out."""
    return [draft_of(question) for question in newest_questions(session, source.id)]


def draft_of(question: Question) -> QuestionDraft:
    return QuestionDraft(
        text=question.text,
        options=tuple(OptionDraft(option.text, option.right) for option in question.options),
        multiple=question.multiple,
        explanation=question.explanation or "",
        source=question.source or "",
        topic=question.topic,
        difficulty=question.difficulty,
        tags=tuple(question.tags),
    )


def _question(row: int, draft: QuestionDraft, target: Round, now: datetime, actor_id: int | None) -> dict[str, Any]:
    return {
        "id": row,
        "stem_id": row,
        "version": 1,
        "contest_id": target.contest_id,
        "round_id": target.id,
        "text": draft.text,
        "multiple": draft.multiple,
        "explanation": draft.explanation or None,
        "source": draft.source or None,
        "topic": draft.topic,
        "difficulty": draft.difficulty,
        "tags": list(draft.tags),
        "created_at": now,
        "created_by": actor_id,
    }


@dataclass(frozen=True, slots=True)
class Lookalike:
    """A question of a file that looks like another one of the file or of the contest."""

    number: int
    """In the file, from 1."""
    other: str
    """The text of the other."""
    kind: duplicates.Kind
    likeness: float


def lookalikes(session: Session, target: Round, drafts: Sequence[QuestionDraft]) -> list[Lookalike]:
    """What to look at before an import: nobody is kept from importing it. The likest first."""
    known = [draft_of(question) for question in newest_of_contest(session, target.contest_id)]
    texts = [draft.text for draft in (*drafts, *known)]
    return [
        Lookalike(twin.first + 1, texts[twin.second], twin.kind, twin.likeness)
        for twin in duplicates.find(drafts, known)
    ]


Identity = tuple[str, frozenset[str]]


def _identity(draft: QuestionDraft) -> Identity:
    """What may not be there twice: the same text with the same options, in whatever order."""
    return same(draft.text), frozenset(same(option.text) for option in draft.options)


def _problems(drafts: Sequence[QuestionDraft], held: set[Identity]) -> Iterator[FieldError]:
    times = Counter(_identity(draft) for draft in drafts)
    for number, draft in enumerate(drafts, 1):
        identity = _identity(draft)
        if draft.text and times[identity] > 1:
            yield FieldError(f"questions.{number}.text", _l("This question stands in the file more than once."))
        if identity in held:
            yield FieldError(f"questions.{number}.text", _l("The round has this question already."))
        for fault in faults_of(draft):
            where = f"questions.{number}.{question_files.field_of(fault)}"
            yield FieldError(where, question_files.sentence(fault))
