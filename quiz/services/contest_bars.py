"""Who works for a contest, and who is kept out of it: written down by organizers, copied into the open rounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_babel import lazy_gettext as _l
from redis import Redis
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from quiz.errors import FieldError, Refusal
from quiz.intake.season import Season
from quiz.models import Contest, ContestBar, Identity, Unit, User
from quiz.services import audit, phones
from quiz.services.season.priming import prime_contest_bars
from scoring.rules import FUNCTIONS

PAGE = 100
MOST_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Row:
    user_id: int
    name: str
    unit: str | None
    function: str | None
    """None: kept out of every round, for the reason."""
    reason: str
    at: datetime


def listed(session: Session, contest: Contest, after: int = 0) -> tuple[list[Row], int | None]:
    """Those written down, by their ids, and the id after which the next page begins."""
    statement = (
        select(ContestBar.user_id, User.full_name, Unit.name, ContestBar.function, ContestBar.reason, ContestBar.at)
        .join(User, User.id == ContestBar.user_id)
        .outerjoin(Unit, Unit.id == User.unit_id)
        .where(ContestBar.contest_id == contest.id, ContestBar.user_id > after)
        .order_by(ContestBar.user_id)
        .limit(PAGE + 1)
    )
    rows = [Row(*row) for row in session.execute(statement)]
    return rows[:PAGE], rows[PAGE - 1].user_id if len(rows) > PAGE else None


def counted(session: Session, contest: Contest) -> int:
    return session.scalar(select(func.count()).select_from(ContestBar).where(ContestBar.contest_id == contest.id)) or 0


def users_of(session: Session, pasted: str) -> list[int]:
    """Account ids of pasted phone numbers, one a line.

    Raises:
        Refusal: invalid_request, naming each line that is no number or nobody's: then nobody is written down.
    """
    lines = [(number, line.strip()) for number, line in enumerate(pasted.splitlines(), 1) if line.strip()]
    if not lines:
        raise _invalid("phones", _l("Paste phone numbers, one a line."))
    if len(lines) > MOST_AT_ONCE:
        raise _invalid("phones", _l("At most %(count)s numbers at once.", count=MOST_AT_ONCE))
    wrong, normal = [], {}
    for number, line in lines:
        try:
            normal[number] = phones.normalize(line)
        except phones.InvalidPhone:
            wrong.append(number)
    found = session.execute(
        select(Identity.value, Identity.user_id).where(Identity.kind == "phone", Identity.value.in_(normal.values()))
    )
    known = {row.value: row.user_id for row in found}
    wrong += [number for number, phone in normal.items() if phone not in known]
    if wrong:
        # Lines, not numbers: a page never repeats a phone number.
        raise _invalid("phones", _l("Nobody is registered by these lines: %(lines)s.", lines=_joined(sorted(wrong))))
    return sorted({known[phone] for phone in normal.values()})


def add(
    session: Session,
    contest: Contest,
    users: Sequence[int],
    function: str | None,
    reason: str,
    now: datetime,
    actor_id: int,
) -> int:
    """Write people down, or another function and reason for those who are; returns how many. The caller commits.

    Raises:
        Refusal: invalid_request, not_found.
    """
    if function is not None and function not in FUNCTIONS:
        raise _invalid("function", _l("Choose a function."))
    if not reason.strip():
        raise _invalid("reason", _l("Write the reason; it stands in the log."))
    for user_id in users:
        if session.get(User, user_id) is None:
            raise Refusal("not_found")
        held = session.get(ContestBar, (contest.id, user_id))
        if held is None:
            held = ContestBar(contest_id=contest.id, user_id=user_id)
            session.add(held)
        held.function, held.reason, held.at, held.actor_id = function, reason.strip(), now, actor_id
    detail = {"users": list(users), "function": function}
    audit.append(session, now, actor_id, "contest.barred", f"contest:{contest.id}", detail, reason.strip())
    return len(users)


def remove(session: Session, contest: Contest, user_id: int, now: datetime, actor_id: int) -> None:
    """Let somebody take part again; of nobody who is not written down it says nothing. The caller commits."""
    held = session.get(ContestBar, (contest.id, user_id))
    if held is None:
        return
    detail = {"users": [user_id], "function": held.function}
    session.delete(held)
    audit.append(session, now, actor_id, "contest.unbarred", f"contest:{contest.id}", detail)


def spread(session: Session, intake: Redis, season: Season, contest_id: int) -> None:
    """After the commit: copy into the shards of every round of the contest that still takes papers or will."""
    for card in season.rounds.values():
        if card.contest_id == contest_id and card.scheduled is not None and card.finalized is None:
            prime_contest_bars(session, intake, card)


def _joined(numbers: Sequence[int]) -> str:
    shown = ", ".join(str(number) for number in numbers[:20])
    return shown if len(numbers) <= 20 else f"{shown}, …"


def _invalid(field: str, message: object) -> Refusal:
    return Refusal("invalid_request", errors=(FieldError(field, message),))
