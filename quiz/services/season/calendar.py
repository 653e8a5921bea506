"""The calendar of a contest: planned in one act, and moved in one act."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask_babel import lazy_gettext as _l
from redis import Redis
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from quiz import clock
from quiz.clock import CONTEST_ZONE
from quiz.errors import FieldError, Refusal
from quiz.intake import calls
from quiz.intake.gateway import Gateway
from quiz.intake.primer import write_configs
from quiz.models import Announcement, Contest, Round
from quiz.phases import Phase
from quiz.services import announcements, audit
from quiz.services.season.cards import contest_cards, publish

Window = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Move:
    """What a move does to one round, shown before and written to the audit log after."""

    round_id: int
    number: int
    theme: str
    before: Window
    after: Window
    running: bool
    """Open now: it keeps its opening and only closes later."""


def plan(
    start: datetime, weekday: int, hour: int, count: int, *, length: timedelta, every_days: int = 7
) -> list[Window]:
    """Windows of `count` rounds: each begins on `weekday` (Monday 0) at `hour` of Vietnam, from `start` on.

    Args:
        length: how long a round is open, at most `every_days` days: Monday 10:00 to Monday 9:00 is 6 days 23 hours.

    Raises:
        Refusal: invalid_request, naming the field.
    """
    if not timedelta(0) < length <= timedelta(days=every_days):
        raise _invalid("length", _l("A round must end before the next one begins."))
    if not 1 <= count <= 200:
        raise _invalid("count", _l("Plan 1 to 200 rounds at once."))
    local = start.astimezone(CONTEST_ZONE)
    first = local.replace(hour=hour, minute=0, second=0, microsecond=0) + timedelta(
        days=(weekday - local.weekday()) % 7
    )
    if first < local:
        first += timedelta(days=7)
    return [
        (first + timedelta(days=every_days * number), first + timedelta(days=every_days * number) + length)
        for number in range(count)
    ]


def preview_move(
    session: Session, contest: Contest, first: int, by: timedelta, now: datetime, *, last: int | None = None
) -> list[Move]:
    """What moving the rounds `first` … `last` (None: all the rest) by `by` would do; writes nothing.

    A round that is open keeps its opening and closes later; one that is over never moves.

    Raises:
        Refusal: invalid_request: the sentence names the round that stands in the way, and why.
    """
    if not by:
        raise _invalid("by", _l("Say by how much the calendar moves."))
    rounds = session.scalars(select(Round).where(Round.contest_id == contest.id).order_by(Round.number)).all()
    wanted = [made for made in rounds if made.number >= first and (last is None or made.number <= last)]
    if not wanted:
        raise _invalid("first", _l("The contest has no such round."))
    moves = [_move(made, by, now) for made in wanted]
    _refuse_overlaps(rounds, moves)
    return moves


def move(
    session: Session,
    contest: Contest,
    first: int,
    by: timedelta,
    now: datetime,
    *,
    actor_id: int | None,
    reason: str,
    notice: tuple[str, str],
    last: int | None = None,
) -> list[Move]:
    """Move rounds in one transaction: one notice to all, one audit entry. The caller commits, then `copy_move`.

    Args:
        notice: title and text of the announcement, in the words of the organizers.
    """
    if not reason.strip():
        raise _invalid("reason", _l("Write the reason; it stands in the log."))
    session.execute(text("SELECT id FROM round WHERE contest_id = :id ORDER BY id FOR UPDATE"), {"id": contest.id})
    session.expire_all()
    moves = preview_move(session, contest, first, by, now, last=last)
    for moved in moves:
        made = session.get_one(Round, moved.round_id)
        made.opens_at, made.closes_at = moved.after
        made.windows = _moved_windows(made.windows, by, moved)
    session.flush()
    told: Announcement = announcements.announce(session, contest.id, notice[0], notice[1], now, actor_id)
    detail = {
        "by_seconds": int(by.total_seconds()),
        "announcement": told.id,
        "rounds": [
            {"number": moved.number, "before": _pair(moved.before), "after": _pair(moved.after)} for moved in moves
        ],
    }
    audit.append(session, now, actor_id, "calendar.moved", f"contest:{contest.id}", detail, reason)
    return moves


def copy_move(session: Session, gateway: Gateway, moves: Sequence[Move]) -> int:
    """After the commit of a move; see `copy_times`."""
    return copy_times(session, gateway, {each.round_id for each in moves})


def copy_times(session: Session, gateway: Gateway, moved: Collection[int]) -> int:
    """After the commit: tell intake the new windows of these rounds and give open attempts the time they gain.

    Safe to repeat. Returns how many open attempts were written.
    """
    redis: Redis = gateway.client
    publish(session, redis)
    written = 0
    for contest in contest_cards(session):
        for card in contest.rounds:
            if card.id in moved:
                write_configs(redis, card)
                written += calls.reschedule(gateway, card)
    return written


def _move(made: Round, by: timedelta, now: datetime) -> Move:
    phase = made.phase(now)
    before = (made.opens_at, made.closes_at)
    if phase in (Phase.CLOSED, Phase.FINAL, Phase.PUBLISHED):
        raise _invalid("first", _l("Round %(number)s is over and can't be moved.", number=made.number))
    if phase is Phase.OPEN:
        if by < timedelta(0):
            raise _invalid("by", _l("Round %(number)s is open: it can only close later.", number=made.number))
        after = (made.opens_at, made.closes_at + by)
    else:
        after = (made.opens_at + by, made.closes_at + by)
        if after[0] <= now:
            raise _invalid("by", _l("Round %(number)s would open in the past.", number=made.number))
    return Move(made.id, made.number, made.theme, before, after, phase is Phase.OPEN)


def _refuse_overlaps(rounds: Sequence[Round], moves: Sequence[Move]) -> None:
    """The table refuses overlapping rounds too; here the sentence says which two."""
    moved = {each.round_id: each.after for each in moves}
    windows = sorted((*moved.get(made.id, (made.opens_at, made.closes_at)), made.number) for made in rounds)
    for (_, closes, number), (opens, _, following) in itertools.pairwise(windows):
        if opens < closes:
            raise _invalid("by", _l("Rounds %(one)s and %(two)s would overlap.", one=number, two=following))


def _moved_windows(windows: list[Any] | None, by: timedelta, moved: Move) -> list[Any] | None:
    if windows is None:
        return None
    pairs = [(datetime.fromisoformat(opens), datetime.fromisoformat(closes)) for opens, closes in windows]
    if moved.running:
        # The last window grows with the round; those before it are history.
        pairs[-1] = (pairs[-1][0], pairs[-1][1] + by)
    else:
        pairs = [(opens + by, closes + by) for opens, closes in pairs]
    return [[clock.iso(opens), clock.iso(closes)] for opens, closes in pairs]


def _pair(window: Window) -> list[str]:
    return [clock.iso(window[0]), clock.iso(window[1])]


def _invalid(field: str, message: Any) -> Refusal:
    return Refusal("invalid_request", errors=(FieldError(field, message),))
