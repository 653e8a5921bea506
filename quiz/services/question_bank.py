"""The question bank as organizers work with it: finding, reading its versions, editing, reviewing, retiring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from quiz.errors import FieldError, Refusal
from quiz.models import Bank, Contest, Option, Question, Round, User
from quiz.services import audit, bank_work, duplicates, question_files
from quiz.services.formats import QuestionDraft
from quiz.services.formats.drafts import faults_of
from quiz.services.questions import draft_of
from quiz.services.season.banks import freeze_bank, newest_of_contest, newest_questions
from quiz.services.vietnamese import fold

PAGE = 50
STATES = ("all", "unreviewed", "reviewed")


@dataclass(frozen=True, slots=True)
class Wanted:
    words: str = ""
    state: str = "all"
    topic: str | None = None
    difficulty: int | None = None
    page: int = 1


@dataclass(frozen=True, slots=True)
class Page:
    rows: Sequence[Question]
    found: int
    number: int
    pages: int
    total: int
    """Of the round, whatever is looked for."""
    unreviewed: int
    topics: list[str]
    found_ids: list[int]
    """Of all pages."""
    parts: list[bank_work.Part]
    """Of the round's draw."""


@dataclass(frozen=True, slots=True)
class RoundBank:
    round: Round
    questions: int
    unreviewed: int


def rounds(session: Session) -> list[RoundBank]:
    """The rounds of the current contest with how full their banks are."""
    newest = (
        select(
            Question.round_id,
            Question.reviewed_at,
            Question.retired_at,
            func.row_number().over(partition_by=Question.stem_id, order_by=Question.version.desc()).label("place"),
        )
        .where(Question.round_id.is_not(None))
        .subquery()
    )
    counted = (
        select(
            newest.c.round_id,
            func.count().label("questions"),
            func.count().filter(newest.c.reviewed_at.is_(None)).label("unreviewed"),
        )
        .where(newest.c.place == 1, newest.c.retired_at.is_(None))
        .group_by(newest.c.round_id)
        .subquery()
    )
    found = session.execute(
        select(Round, func.coalesce(counted.c.questions, 0), func.coalesce(counted.c.unreviewed, 0))
        .join(Contest, Contest.id == Round.contest_id)
        .outerjoin(counted, counted.c.round_id == Round.id)
        .where(Contest.is_current)
        .order_by(Round.number)
    )
    return [RoundBank(*row) for row in found]


def page(session: Session, of: Round, wanted: Wanted) -> Page:
    """A page of the round's questions; words are looked for in texts, options, topics and tags, without accents."""
    questions = newest_questions(session, of.id)
    found = [question for question in questions if _fits(question, wanted, fold(wanted.words).split())]
    pages = max(1, -(-len(found) // PAGE))
    number = min(max(wanted.page, 1), pages)
    return Page(
        rows=found[(number - 1) * PAGE : number * PAGE],
        found=len(found),
        number=number,
        pages=pages,
        total=len(questions),
        unreviewed=sum(question.reviewed_at is None for question in questions),
        topics=sorted({question.topic for question in questions if question.topic}),
        found_ids=[question.id for question in found],
        parts=bank_work.parts(of, questions),
    )


def topics(session: Session, contest_id: int) -> list[str]:
    """The topics that the contest's questions have, for a form to offer."""
    found = session.scalars(select(Question.topic).where(Question.contest_id == contest_id).distinct())
    return sorted(filter(None, found), key=fold)


def _fits(question: Question, wanted: Wanted, words: Sequence[str]) -> bool:
    if wanted.state != "all" and (question.reviewed_at is None) is not (wanted.state == "unreviewed"):
        return False
    if wanted.topic is not None and question.topic != wanted.topic:
        return False
    if wanted.difficulty is not None and question.difficulty != wanted.difficulty:
        return False
    if not words:
        return True
    said = [question.text, question.topic, *question.tags, *(option.text for option in question.options)]
    text = fold(" ".join(said))
    return all(word in text for word in words)


# One question


@dataclass(frozen=True, slots=True)
class Shown:
    newest: Question
    versions: Sequence[Question]
    """The newest first."""
    names: dict[int, str]
    """Account → name, of those who wrote and reviewed."""
    round: Round | None
    slug: str
    lookalikes: list[tuple[Question, duplicates.Twin]]


def shown(session: Session, question_id: int) -> Shown:
    """A question with all its versions, by the id of any of them.

    Raises:
        Refusal: not_found.
    """
    asked = session.get(Question, question_id)
    if asked is None:
        raise Refusal("not_found")
    versions = session.scalars(
        select(Question)
        .where(Question.stem_id == asked.stem_id)
        .order_by(Question.version.desc())
        .options(selectinload(Question.options))
    ).all()
    accounts = {who for each in versions for who in (each.created_by, each.reviewed_by) if who is not None}
    people = session.execute(select(User.id, User.full_name).where(User.id.in_(accounts)))
    newest = versions[0]
    return Shown(
        newest=newest,
        versions=versions,
        names={row.id: row.full_name for row in people},
        round=session.get(Round, newest.round_id) if newest.round_id is not None else None,
        slug=session.get_one(Contest, newest.contest_id).slug,
        lookalikes=_lookalikes(session, newest),
    )


def _lookalikes(session: Session, question: Question) -> list[tuple[Question, duplicates.Twin]]:
    others = [each for each in newest_of_contest(session, question.contest_id) if each.stem_id != question.stem_id]
    twins = duplicates.find([draft_of(question)], [draft_of(each) for each in others])
    return [(others[twin.second - 1], twin) for twin in twins]


def revise(session: Session, question_id: int, draft: QuestionDraft, now: datetime, *, actor_id: int) -> Question:
    """Write the next version of a question; it waits for a review again. The caller commits.

    Raises:
        Refusal: not_found; invalid_request with everything that is wrong with it, or if it is not the newest.
    """
    old = _newest(session, question_id)
    errors = tuple(
        FieldError(question_files.field_of(fault), question_files.sentence(fault)) for fault in faults_of(draft)
    )
    if errors:
        raise Refusal("invalid_request", errors=errors)
    if draft == draft_of(old):
        raise _invalid("text", _l("Nothing is changed."))
    made = Question(
        contest_id=old.contest_id,
        round_id=old.round_id,
        stem_id=old.stem_id,
        version=old.version + 1,
        text=draft.text,
        multiple=draft.multiple,
        explanation=draft.explanation or None,
        source=draft.source or None,
        topic=draft.topic,
        difficulty=draft.difficulty,
        tags=list(draft.tags),
        created_at=now,
        created_by=actor_id,
        options=[
            Option(position=position, text=option.text, right=option.right)
            for position, option in enumerate(draft.options, 1)
        ],
    )
    session.add(made)
    session.flush()
    audit.append(session, now, actor_id, "question.revised", f"question:{old.stem_id}", {"version": made.version})
    return made


def review(session: Session, question_id: int, now: datetime, *, actor_id: int) -> None:
    """Say that the newest version is right, as somebody else than who wrote it; twice is once. The caller commits.

    Raises:
        Refusal: not_found; invalid_request by its author, or if there is a newer version.
    """
    question = _newest(session, question_id)
    if question.created_by == actor_id:
        raise _invalid("review", _l("A second person has to review it: you wrote this version yourself."))
    if question.reviewed_at is None:
        question.reviewed_at, question.reviewed_by = now, actor_id
        audit.append(
            session, now, actor_id, "question.reviewed", f"question:{question.stem_id}", {"version": question.version}
        )


def next_to_review(session: Session, question_id: int, *, actor_id: int) -> int | None:
    """The next question of the same round that this person may review; after the last one it begins again."""
    asked = session.get(Question, question_id)
    if asked is None or asked.round_id is None:
        return None
    waiting = [
        each
        for each in newest_questions(session, asked.round_id)
        if each.reviewed_at is None and each.created_by != actor_id and each.stem_id != asked.stem_id
    ]
    # They come in the order of their stems: first those behind this one.
    waiting.sort(key=lambda each: (each.stem_id < asked.stem_id, each.stem_id))
    return waiting[0].id if waiting else None


def retire(session: Session, question_id: int, now: datetime, *, actor_id: int, reason: str) -> None:
    """Take a question out of banks to come; what is frozen keeps it. The caller commits."""
    question = _newest(session, question_id)
    if not reason.strip():
        raise _invalid("reason", _l("Write the reason; it stands in the log."))
    question.retired_at = now
    audit.append(session, now, actor_id, "question.retired", f"question:{question.stem_id}", {}, reason.strip())


def _newest(session: Session, question_id: int) -> Question:
    """The question, if it is the newest version and not retired; its stem is locked until the commit."""
    asked = session.get(Question, question_id)
    if asked is None:
        raise Refusal("not_found")
    versions = session.scalars(
        select(Question).where(Question.stem_id == asked.stem_id).order_by(Question.id).with_for_update()
    ).all()
    newest = max(versions, key=lambda each: each.version)
    if newest.id != question_id:
        raise _invalid("version", _l("There is a newer version of this question. Look at that one."))
    if newest.retired_at is not None:
        raise _invalid("version", _l("This question is retired."))
    return newest


def freeze(session: Session, of: Round, now: datetime, *, actor_id: int) -> Bank:
    """Freeze the round's bank, for only what a second person has reviewed may be drawn. The caller commits.

    Raises:
        Refusal: as `season.freeze_bank`; invalid_request with how many questions wait for a review. Roll back then.
    """
    frozen = freeze_bank(session, of, now, actor_id=actor_id)
    waiting = sum(question.reviewed_at is None for question in newest_questions(session, of.id))
    if waiting:
        raise _invalid("bank", _l("%(count)s questions wait for the review of a second person.", count=waiting))
    return frozen


def _invalid(field: str, message: Any) -> Refusal:
    return Refusal("invalid_request", errors=(FieldError(field, message),))
