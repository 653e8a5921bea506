"""Appeals: made from a result page within a time, answered by organizers within a time, alone or several together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, and_, func, literal_column, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, joinedload

from quiz.clock import from_ms, to_ms
from quiz.errors import FieldError, Refusal
from quiz.intake.season import RoundCard
from quiz.models import Appeal, AppealTemplate, Bank, Entry, KeyProposal, Round, User
from quiz.services import audit, exclusions, releases
from quiz.services.exclusions import EntryName
from quiz.services.vietnamese import fold

LEAST, MOST = 20, 2_000
"""Characters of an appeal."""
WINDOW = timedelta(hours=72)
"""So long after a release or a publication people may appeal; docs/decisions/appeals.md says why."""
ANSWER_WITHIN = timedelta(hours=72)
MOST_AN_ENTRY = 5
"""Of one entry, answered ones among them: an answer is not asked for again and again."""
PAGE = 50
TOGETHER = 500
"""So many are answered in one act."""
VERDICTS = ("accepted", "rejected")


# What may be appealed, and until when


@dataclass(frozen=True, slots=True)
class Chance:
    """A kind of appeal that is open now, and its end."""

    kind: str
    until: datetime


def chances(session: Session, card: RoundCard, entry: Entry, now: datetime) -> list[Chance]:
    """What may be appealed about an entry now: each kind within 72 hours of what people learnt last.

    A question from the key's release, the result from the score's, an award from the publication; the publication and
    a late exclusion open the time anew.
    """
    at = to_ms(now)
    published = [from_ms(card.published)] if card.published is not None else []
    moments: dict[str, list[datetime]] = {"question": [], "result": [], "award": published}
    if releases.key_is_out(card, at):
        moments["question"] = [from_ms(card.closes + card.grace), *published]
    if releases.score_is_out(card, at):
        moments["result"] = [max(entry.received_at, from_ms(card.closes)), *published]
        if not entry.counted:
            excluded = exclusions.last_exclusion(session, card.id, _name(entry))
            moments["result"] += [excluded] if excluded is not None else []
    ends = {kind: max(known) + WINDOW for kind, known in moments.items() if known}
    return [Chance(kind, until) for kind, until in ends.items() if now < until]


def _name(entry: Entry) -> EntryName:
    return entry.participant_id, entry.issuer, entry.attempt


# Making one


def make(
    session: Session,
    card: RoundCard,
    entry: Entry,
    kind: str,
    words: str,
    now: datetime,
    *,
    question_id: str | None = None,
) -> Appeal:
    """Appeal against an entry's result. The caller has made sure whose entry it is, and commits.

    Args:
        question_id: for kind "question", the id of a question of this paper.

    Raises:
        Refusal: invalid_request naming the field: kind (its time is over, or one is open), question, text.
    """
    said = words.replace("\r\n", "\n").strip()
    if kind not in {chance.kind for chance in chances(session, card, entry, now)}:
        raise _invalid("kind", _l("The time for this kind of appeal is over, or has not begun."))
    if kind != "question":
        question_id = None
    elif question_id not in _questions_of(session, entry):
        raise _invalid("question", _l("Choose the question that you think is wrong."))
    if not LEAST <= len(said) <= MOST:
        raise _invalid("text", _l("Write %(least)s to %(most)s characters.", least=LEAST, most=MOST))
    mine = _of_entry(session, entry)
    if any(each.state == "open" and each.kind == kind for each in mine):
        raise _invalid("kind", _l("An appeal of this kind waits for its answer already."))
    if len(mine) >= MOST_AN_ENTRY:
        raise _invalid("kind", _l("This entry has had %(count)s appeals; no more are taken.", count=MOST_AN_ENTRY))
    made = Appeal(
        round_id=entry.round_id,
        participant_id=entry.participant_id,
        issuer=entry.issuer,
        attempt=entry.attempt,
        kind=kind,
        question_id=question_id,
        text=said,
        made_at=now,
        due_at=now + ANSWER_WITHIN,
    )
    session.add(made)
    try:
        session.flush()
    except IntegrityError as error:
        # Pressed twice: the table lets one through.
        session.rollback()
        raise _invalid("kind", _l("An appeal of this kind waits for its answer already.")) from error
    detail = {"kind": kind, "round": entry.round_id, "question": question_id}
    audit.append(session, now, entry.participant_id, "appeal.made", f"appeal:{made.id}", detail)
    return made


def _questions_of(session: Session, entry: Entry) -> set[str]:
    content = _content(session, entry.round_id, entry.bank_version)
    places = (int.from_bytes(entry.questions[at : at + 2]) for at in range(0, len(entry.questions), 2))
    return {content[place]["id"] for place in places}


def _content(session: Session, round_id: int, version: int | None) -> Sequence[Mapping[str, Any]]:
    found = session.scalar(select(Bank.content).where(Bank.round_id == round_id, Bank.version == version))
    return found or []


def _of_entry(session: Session, entry: Entry) -> Sequence[Appeal]:
    return session.scalars(
        select(Appeal)
        .where(
            Appeal.round_id == entry.round_id,
            Appeal.participant_id == entry.participant_id,
            Appeal.issuer == entry.issuer,
            Appeal.attempt == entry.attempt,
        )
        .order_by(Appeal.id)
    ).all()


@dataclass(frozen=True, slots=True)
class Told:
    """An appeal as its maker reads it."""

    appeal: Appeal
    question: str | None
    corrected_at: datetime | None
    """When the correction that came of it was in force."""


def of_entry(session: Session, entry: Entry) -> list[Told]:
    """All appeals about an entry, the first one first."""
    made = _of_entry(session, entry)
    texts = {each["id"]: each["text"] for each in _content(session, entry.round_id, entry.bank_version)} if made else {}
    return [
        Told(each, texts.get(each.question_id or ""), each.proposal.applied_at if each.proposal else None)
        for each in made
    ]


def states_of(session: Session, participant_id: int) -> dict[tuple[int, int], list[Appeal]]:
    """(round, attempt) → appeals of a participant, for the list of own entries: one query."""
    found: dict[tuple[int, int], list[Appeal]] = {}
    for each in session.scalars(select(Appeal).where(Appeal.participant_id == participant_id).order_by(Appeal.id)):
        found.setdefault((each.round_id, each.attempt), []).append(each)
    return found


# The queue of staff


@dataclass(frozen=True, slots=True)
class Wanted:
    state: str | None = "open"
    kind: str | None = None
    round_id: int | None = None
    question_id: str | None = None
    words: str = ""
    after: tuple[datetime, int] | None = None
    """(due, id) of the last one on the page before."""


@dataclass(frozen=True, slots=True)
class Line:
    appeal: Appeal
    name: str
    question: str | None
    overdue: bool


@dataclass(frozen=True, slots=True)
class Page:
    lines: Sequence[Line]
    following: tuple[datetime, int] | None


@dataclass(frozen=True, slots=True)
class Group:
    """Several open appeals about one question."""

    round: Round
    question_id: str
    question: str
    count: int
    due_at: datetime


def page(session: Session, wanted: Wanted, now: datetime, size: int = PAGE) -> Page:
    """Appeals that fit, those due soonest first. Words are looked for in the text and the name, accents or not."""
    conditions: list[ColumnElement[bool]] = []
    for column, value in (
        (Appeal.state, wanted.state),
        (Appeal.kind, wanted.kind),
        (Appeal.round_id, wanted.round_id),
        (Appeal.question_id, wanted.question_id),
    ):
        if value is not None:
            conditions.append(column == value)
    conditions += [_has(word) for word in fold(wanted.words).split()]
    if wanted.after is not None:
        due, last = wanted.after
        conditions.append(or_(Appeal.due_at > due, and_(Appeal.due_at == due, Appeal.id > last)))
    found = session.execute(
        select(Appeal, User.full_name)
        .join(User, User.id == Appeal.participant_id)
        .options(joinedload(Appeal.round))
        .where(*conditions)
        .order_by(Appeal.due_at, Appeal.id)
        .limit(size + 1)
    ).all()
    shown = found[:size]
    texts = _question_texts(session, {(made.round_id, made.question_id) for made, _ in shown if made.question_id})
    lines = [
        Line(made, name, texts.get((made.round_id, made.question_id)), made.state == "open" and made.due_at < now)
        for made, name in shown
    ]
    last_one = shown[-1][0] if len(found) > size else None
    return Page(lines, (last_one.due_at, last_one.id) if last_one else None)


def _has(word: str) -> ColumnElement[bool]:
    """Whether text or name has a folded word: accents are taken off in SQL, for the embedded PostgreSQL can't."""
    return or_(*(func.strpos(_plain(column), word) > 0 for column in (Appeal.text, User.full_name)))


def _plain(column: Any) -> ColumnElement[str]:
    """As PLAIN_NAME of the users."""
    parts = func.normalize(func.translate(column, "Đđ", "Dd"), literal_column("NFKD"))
    return func.lower(func.regexp_replace(parts, "[\u0300-\u036f]", "", "g"))


def _question_texts(session: Session, wanted: set[tuple[int, str | None]]) -> dict[tuple[int, str | None], str]:
    """(round, question id) → its text in the round's bank of now."""
    texts: dict[tuple[int, str | None], str] = {}
    for round_id in {round_id for round_id, _ in wanted}:
        held = session.get_one(Round, round_id)
        for each in _content(session, round_id, held.bank_version):
            texts[round_id, each["id"]] = each["text"]
    return texts


def groups(session: Session) -> list[Group]:
    """Questions with several open appeals, the most first."""
    rows = session.execute(
        select(Appeal.round_id, Appeal.question_id, func.count(), func.min(Appeal.due_at))
        .where(Appeal.state == "open", Appeal.kind == "question")
        .group_by(Appeal.round_id, Appeal.question_id)
        .having(func.count() > 1)
        .order_by(func.count().desc(), Appeal.round_id, Appeal.question_id)
        .limit(PAGE)
    ).all()
    texts = _question_texts(session, {(row[0], row[1]) for row in rows})
    return [
        Group(session.get_one(Round, round_id), question or "", texts.get((round_id, question), ""), count, due)
        for round_id, question, count, due in rows
    ]


def waiting_counts(session: Session, now: datetime) -> tuple[int, int]:
    """(open appeals, those whose time is over)."""
    overdue = func.count().filter(Appeal.due_at < now)
    row = session.execute(select(func.count(), overdue).select_from(Appeal).where(Appeal.state == "open")).one()
    return row[0], row[1]


def get(session: Session, appeal_id: int) -> Appeal:
    """Raises Refusal("not_found")."""
    found = session.get(Appeal, appeal_id)
    if found is None:
        raise Refusal("not_found")
    return found


def entry_of(session: Session, of: Appeal) -> Entry:
    return session.get_one(Entry, (of.round_id, of.participant_id, of.issuer, of.attempt))


def question_of(session: Session, of: Appeal) -> str | None:
    """The text of the question that it is about."""
    return _question_texts(session, {(of.round_id, of.question_id)}).get((of.round_id, of.question_id))


def open_about(session: Session, of: Appeal) -> list[int]:
    """Ids of the other open appeals about the same question."""
    if of.question_id is None:
        return []
    others = select(Appeal.id).where(
        Appeal.round_id == of.round_id,
        Appeal.question_id == of.question_id,
        Appeal.state == "open",
        Appeal.id != of.id,
    )
    return list(session.scalars(others.order_by(Appeal.id).limit(TOGETHER)))


# Answering


def answer(
    session: Session,
    appeals: Sequence[int],
    verdict: str,
    words: str,
    now: datetime,
    actor_id: int,
    *,
    count_again: bool = False,
) -> list[Appeal]:
    """Accept or reject appeals with one answer. The caller commits.

    Args:
        count_again: put entries that people took out back into the count.

    Raises:
        Refusal: invalid_request naming the field; not_found.
    """
    if verdict not in VERDICTS:
        raise _invalid("verdict", _l("Accept or reject."))
    said = words.replace("\r\n", "\n").strip()
    if not said or len(said) > MOST:
        raise _invalid("answer", _l("Write an answer of at most %(most)s characters.", most=MOST))
    if not appeals:
        raise _invalid("appeals", _l("Tick at least one appeal."))
    statement = select(Appeal).where(Appeal.id.in_(appeals[:TOGETHER])).order_by(Appeal.id).with_for_update()
    found = session.scalars(statement.execution_options(populate_existing=True)).all()
    waiting = [each for each in found if each.state == "open"]
    if not waiting:
        raise _invalid("appeals", _l("They are answered already."))
    for each in waiting:
        each.state, each.answer, each.answered_at, each.answered_by = verdict, said, now, actor_id
        if verdict == "accepted" and count_again:
            name = (each.participant_id, each.issuer, each.attempt)
            exclusions.ask(session, each.round_id, [name], said, now, actor_id, counted=True, appeal_id=each.id)
        detail = {"kind": each.kind, "round": each.round_id, "question": each.question_id}
        audit.append(session, now, actor_id, f"appeal.{verdict}", f"appeal:{each.id}", detail, said)
    return waiting


def behind(session: Session, round_id: int, question_id: str) -> list[Appeal]:
    """Accepted appeals about a question that no correction is linked with yet."""
    return list(
        session.scalars(
            select(Appeal)
            .where(
                Appeal.round_id == round_id,
                Appeal.question_id == question_id,
                Appeal.state == "accepted",
                Appeal.proposal_id.is_(None),
            )
            .order_by(Appeal.id)
        )
    )


def link(session: Session, proposal: KeyProposal, questions: Sequence[str], now: datetime, actor_id: int) -> int:
    """Link a proposed correction with the accepted appeals about the questions that it changes. The caller commits."""
    linked = session.scalars(
        update(Appeal)
        .where(
            Appeal.round_id == proposal.round_id,
            Appeal.question_id.in_(questions),
            Appeal.state == "accepted",
            Appeal.proposal_id.is_(None),
        )
        .values(proposal_id=proposal.id)
        .returning(Appeal.id)
    ).all()
    if linked:
        detail = {"appeals": sorted(linked), "proposal": proposal.id}
        audit.append(session, now, actor_id, "appeal.linked", f"round:{proposal.round_id}", detail)
    return len(linked)


def linked_with(session: Session, proposal_id: int) -> list[int]:
    return list(session.scalars(select(Appeal.id).where(Appeal.proposal_id == proposal_id).order_by(Appeal.id)))


# Words for answers


def templates(session: Session) -> Sequence[AppealTemplate]:
    statement = select(AppealTemplate).where(AppealTemplate.retired_at.is_(None))
    return session.scalars(statement.order_by(AppealTemplate.verdict, AppealTemplate.id)).all()


def keep_template(
    session: Session,
    template_id: int | None,
    title: str,
    body: str,
    verdict: str,
    now: datetime,
    actor_id: int,
    *,
    retire: bool = False,
) -> AppealTemplate:
    """Make or change the words for an answer, or put them away. The caller commits.

    Raises:
        Refusal: not_found; invalid_request naming the field.
    """
    held = session.get(AppealTemplate, template_id) if template_id is not None else AppealTemplate()
    if held is None:
        raise Refusal("not_found")
    if retire:
        held.retired_at = now
    else:
        if not title.strip() or len(title) > 100:
            raise _invalid("title", _l("Write a title of at most %(count)s characters.", count=100))
        if not body.strip() or len(body) > MOST:
            raise _invalid("body", _l("Write an answer of at most %(most)s characters.", most=MOST))
        if verdict not in VERDICTS:
            raise _invalid("verdict", _l("Accept or reject."))
        held.title, held.body, held.verdict = title.strip(), body.strip(), verdict
    session.add(held)
    session.flush()
    detail = {"title": held.title, "verdict": held.verdict, "retired": retire}
    audit.append(session, now, actor_id, "appeal_template.changed", f"appeal_template:{held.id}", detail)
    return held


def _invalid(field: str, message: Any) -> Refusal:
    return Refusal("invalid_request", errors=(FieldError(field, message),))
