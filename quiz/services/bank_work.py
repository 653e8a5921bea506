"""What organizers do to many questions of a bank at once, and whether the draw of a round can be filled from it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from quiz.errors import FieldError, Refusal
from quiz.models import Question, Round
from quiz.services import audit, question_files, questions
from quiz.services.formats import QuestionDraft
from quiz.services.formats.drafts import faults_of
from quiz.services.season import homes_of, parts_of
from quiz.services.season.banks import newest_questions
from scoring.rules import rules_from

MOST = 5_000
"""Questions in one act."""


# One new question


def create(session: Session, target: Round, draft: QuestionDraft, now: datetime, *, actor_id: int) -> Question:
    """Add a question that was written on a page; it waits for a review. The caller commits.

    Raises:
        Refusal: invalid_request with everything that is wrong with it, by the fields of a question.
    """
    errors = tuple(
        FieldError(question_files.field_of(fault), question_files.sentence(fault)) for fault in faults_of(draft)
    )
    if errors:
        raise Refusal("invalid_request", errors=errors)
    try:
        questions.add_questions(session, target, [draft], now, actor_id=actor_id)
    except Refusal as refusal:
        errors = tuple(FieldError(error.field.rpartition(".")[2], error.message) for error in refusal.errors)
        raise Refusal(refusal.code, errors=errors) from refusal
    made = session.scalars(
        select(Question).where(Question.round_id == target.id).order_by(Question.id.desc()).limit(1)
    ).one()
    audit.append(session, now, actor_id, "question.written", f"question:{made.stem_id}", {"round": target.id})
    return made


# Many questions


@dataclass(frozen=True, slots=True)
class Done:
    """How many questions an act changed, and how many it left as they are."""

    changed: int
    left: int


def chosen(session: Session, of: Round, ids: Collection[int]) -> list[Question]:
    """The newest versions among these that belong to the round, locked until the commit.

    Raises:
        Refusal: invalid_request, if none or too many are chosen, or one was edited or retired meanwhile.
    """
    if not ids:
        raise _invalid("questions", _l("Choose at least one question."))
    if len(ids) > MOST:
        raise _invalid("questions", _l("Choose at most %(limit)s questions at once.", limit=MOST))
    session.execute(select(Question.id).where(Question.id.in_(ids)).order_by(Question.id).with_for_update())
    found = [question for question in newest_questions(session, of.id) if question.id in ids]
    if len(found) != len(set(ids)):
        raise _invalid("questions", _l("Somebody has edited or retired one of them meanwhile. Choose again."))
    return found


def review(session: Session, of: Round, ids: Collection[int], now: datetime, *, actor_id: int) -> Done:
    """Say that these are right, as somebody else than who wrote them. Own ones are left. The caller commits."""
    found = chosen(session, of, ids)
    changed = [each for each in found if each.reviewed_at is None and each.created_by != actor_id]
    for question in changed:
        question.reviewed_at, question.reviewed_by = now, actor_id
        audit.append(
            session, now, actor_id, "question.reviewed", f"question:{question.stem_id}", {"version": question.version}
        )
    return Done(len(changed), len(found) - len(changed))


def retire(
    session: Session, of: Round, ids: Collection[int], now: datetime, *, actor_id: int, reason: str, typed: str
) -> Done:
    """Take these out of banks to come; what is frozen keeps them. The caller commits.

    Args:
        typed: the round's number, typed by hand.

    Raises:
        Refusal: invalid_request, naming the field.
    """
    found = chosen(session, of, ids)
    if not reason.strip():
        raise _invalid("reason", _l("Write the reason; it stands in the log."))
    if typed.strip() != str(of.number):
        raise _invalid("typed", _l("Type the number of the round: %(number)s.", number=of.number))
    for question in found:
        question.retired_at = now
        audit.append(session, now, actor_id, "question.retired", f"question:{question.stem_id}", {}, reason.strip())
    return Done(len(found), 0)


@dataclass(frozen=True, slots=True)
class Sorting:
    """What to write on questions; None leaves it as it is."""

    topic: str | None = None
    difficulty: int | None = None
    add_tags: tuple[str, ...] = ()
    drop_tags: tuple[str, ...] = ()


def sort(session: Session, of: Round, ids: Collection[int], to: Sorting, now: datetime, *, actor_id: int) -> Done:
    """Write topic, difficulty and tags on many questions. The caller commits.

    What a reviewer answers for (text, options, key, source) stays as it is, so no new version is made and a review
    holds; the log has what each was before.

    Raises:
        Refusal: invalid_request, naming the field.
    """
    found = chosen(session, of, ids)
    if to == Sorting():
        raise _invalid("topic", _l("Say what to write on them: a topic, a difficulty or tags."))
    before = []
    for question in found:
        draft = _sorted(questions.draft_of(question), to)
        faults = list(faults_of(draft))
        if faults:
            raise _invalid(question_files.field_of(faults[0]), question_files.sentence(faults[0]))
        was = (question.topic, question.difficulty, list(question.tags))
        if was != (draft.topic, draft.difficulty, list(draft.tags)):
            before.append({"question": question.stem_id, "topic": was[0], "difficulty": was[1], "tags": was[2]})
            question.topic, question.difficulty, question.tags = draft.topic, draft.difficulty, list(draft.tags)
    if before:
        to_all = {
            "topic": to.topic,
            "difficulty": to.difficulty,
            "add_tags": list(to.add_tags),
            "drop_tags": list(to.drop_tags),
        }
        audit.append(session, now, actor_id, "questions.sorted", f"round:{of.id}", {"to": to_all, "before": before})
    return Done(len(before), len(found) - len(before))


def _sorted(draft: QuestionDraft, to: Sorting) -> QuestionDraft:
    dropped = {tag.casefold() for tag in to.drop_tags}
    tags = [tag for tag in draft.tags if tag.casefold() not in dropped]
    return QuestionDraft(
        text=draft.text,
        options=draft.options,
        multiple=draft.multiple,
        explanation=draft.explanation,
        source=draft.source,
        topic=draft.topic if to.topic is None else to.topic,
        difficulty=draft.difficulty if to.difficulty is None else to.difficulty,
        tags=(*tags, *to.add_tags),
    )


# The draw


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a round's draw, and what the bank has for it now."""

    topic: str | None
    difficulty: int | None
    need: int
    have: int
    reviewed: int

    @property
    def filled(self) -> bool:
        return self.reviewed >= self.need

    @property
    def papers(self) -> int:
        """Attempts that a person can make before a question of this part comes again."""
        return self.reviewed // self.need if self.need else 0


def parts(of: Round, bank: Sequence[Question]) -> list[Part]:
    """How far the parts of the round's draw can be filled from its questions, before anything is frozen."""
    rules = rules_from(of.rules)
    homes = homes_of(rules, [{"topic": question.topic, "difficulty": question.difficulty} for question in bank])
    found = []
    for number, part in enumerate(parts_of(rules)):
        here = [question for question, home in zip(bank, homes, strict=True) if home == number]
        reviewed = sum(question.reviewed_at is not None for question in here)
        found.append(Part(part.topic, part.difficulty, part.count, len(here), reviewed))
    return found


def _invalid(field: str, message: Any) -> Refusal:
    return Refusal("invalid_request", errors=(FieldError(field, message),))
