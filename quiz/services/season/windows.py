"""When a round is open inside its time: changed after its creation, and a scheduled round taken back to a draft."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from quiz import clock
from quiz.errors import FieldError, Refusal
from quiz.models import Round
from quiz.models.base import lock
from quiz.phases import Phase
from quiz.services import announcements, audit
from quiz.services.season.calendar import Window
from quiz.services.season.planning import daily_windows

Hours = tuple[frozenset[int], int, int]
"""(weekdays, first hour, last hour) as `daily_windows` takes them."""
NO_WAY_BACK = timedelta(minutes=1)
"""Web processes learn of a change within a second; so near to the opening none of them may be surprised."""


def windows_of(made: Round) -> list[Window]:
    """The round's windows; the whole of it, if it is open all through."""
    if made.windows is None:
        return [(made.opens_at, made.closes_at)]
    return [(datetime.fromisoformat(opens), datetime.fromisoformat(closes)) for opens, closes in made.windows]


@dataclass(frozen=True, slots=True)
class Change:
    """What other hours do to a round, shown before they are written."""

    before: list[Window]
    after: list[Window]
    kept: int
    """Of `after`, the first so many are history or run now: they stay as they were, or close later."""

    @property
    def hours(self) -> tuple[float, float]:
        """For how long the round is open in all, before and after."""
        return _hours(self.before), _hours(self.after)


def preview(made: Round, hours: Hours | None, now: datetime) -> Change:
    """What opening the round at these hours would do; None opens it all through. Writes nothing.

    Of an open round, what is past stays as it was, and a window that people are in closes no earlier than they were
    told: no attempt loses time, and none runs from one window into the next.

    Raises:
        Refusal: invalid_request, naming the field and what stands in the way.
    """
    phase, before = made.phase(now), windows_of(made)
    whole = (made.opens_at, made.closes_at)
    wanted = [whole] if hours is None else daily_windows(whole, *hours)
    if phase in (Phase.CLOSED, Phase.FINAL, Phase.PUBLISHED):
        raise _invalid("days", _l("The round is over: its hours don't change any more."))
    if phase is not Phase.OPEN:
        return _changed(before, wanted, 0)
    past = [window for window in before if window[1] <= now]
    running = next((window for window in before if window[0] <= now < window[1]), None)
    if running is None:
        soon = now.replace(second=0, microsecond=0) + timedelta(minutes=1)
        rest = [(max(opens, soon), closes) for opens, closes in wanted if closes > soon]
        return _changed(before, past + rest, len(past))
    closes = next((window[1] for window in wanted if window[0] <= now < window[1]), None)
    if closes is None or closes < running[1]:
        raise _invalid("days", _l("People are in the window that is open now: it can close later, but not earlier."))
    rest = [window for window in wanted if window[0] >= closes]
    return _changed(before, [*past, (running[0], closes), *rest], len(past) + 1)


def change(
    session: Session,
    changed: Round,
    hours: Hours | None,
    now: datetime,
    *,
    actor_id: int,
    reason: str,
    notice: tuple[str, str] | None,
) -> Change:
    """Open the round at other hours. The caller commits, then `copy_times`.

    Args:
        notice: title and text of what everybody is told; needed once the round is scheduled.

    Raises:
        Refusal: invalid_request, naming the field.
    """
    lock(session, changed)
    done = preview(changed, hours, now)
    if not reason.strip():
        raise _invalid("reason", _l("Write the reason; it stands in the log."))
    told = None
    if changed.scheduled_at is not None:
        if notice is None or not notice[0].strip():
            raise _invalid("title", _l("Write the title of the notice that everybody reads."))
        told = announcements.announce(session, changed.contest_id, notice[0].strip(), notice[1].strip(), now, actor_id)
    whole = done.after == [(changed.opens_at, changed.closes_at)]
    changed.windows = None if whole else _pairs(done.after)
    detail = {"before": _pairs(done.before), "after": _pairs(done.after), "announcement": told.id if told else None}
    audit.append(session, now, actor_id, "round.hours_changed", f"round:{changed.id}", detail, reason.strip())
    return done


def unschedule(session: Session, taken: Round, typed: str, now: datetime, *, actor_id: int, reason: str) -> None:
    """Make a scheduled round a draft again, as long as nobody can have begun. The caller commits and publishes.

    Args:
        typed: the round's number, typed by hand.

    Raises:
        Refusal: invalid_request, naming the field.
    """
    lock(session, taken)
    if taken.scheduled_at is None:
        return
    if now >= taken.opens_at - NO_WAY_BACK:
        raise _invalid("typed", _l("The round is open, or opens within a minute: it can't be taken back any more."))
    if not reason.strip():
        raise _invalid("reason", _l("Write the reason; it stands in the log."))
    if typed.strip() != str(taken.number):
        raise _invalid("typed", _l("Type the number of the round: %(number)s.", number=taken.number))
    taken.scheduled_at = None
    audit.append(session, now, actor_id, "round.unscheduled", f"round:{taken.id}", {}, reason.strip())


def _changed(before: Sequence[Window], after: list[Window], kept: int) -> Change:
    if list(before) == after:
        raise _invalid("days", _l("Nothing is changed."))
    return Change(list(before), after, kept)


def _hours(windows: Sequence[Window]) -> float:
    return sum((closes - opens) / timedelta(hours=1) for opens, closes in windows)


def _pairs(windows: Sequence[Window]) -> list[list[str]]:
    return [[clock.iso(opens), clock.iso(closes)] for opens, closes in windows]


def _invalid(field: str, message: Any) -> Refusal:
    return Refusal("invalid_request", errors=(FieldError(field, message),))
