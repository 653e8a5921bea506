"""Making a contest from a template and its rounds in one act, and what may still be changed of a round."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from quiz import clock
from quiz.errors import FieldError, Refusal
from quiz.models import Contest, Question, Round
from quiz.models.base import lock
from quiz.phases import Phase
from quiz.services import audit
from quiz.services.season.calendar import Window
from quiz.services.season.contests import create_contest, create_round
from quiz.services.season.templates import TEMPLATES
from scoring.rules import rules_document, rules_from


def make_contest(
    session: Session, slug: str, title: str, now: datetime, actor_id: int, *, current: bool, template: str | None = None
) -> Contest:
    """A contest without rounds, with its line in the log. The caller commits.

    Args:
        template: whose rules its rounds begin with.

    Raises:
        Refusal: invalid_request, naming slug or title.
    """
    if session.scalar(select(func.count()).where(Contest.slug == slug)):
        raise _invalid("slug", _l("Another contest has this short name."))
    made = create_contest(session, slug, title, now, current=current)
    if template is not None:
        made.rules = rules_document(rules_from(TEMPLATES[template].rules))
    detail = {"slug": slug, "current": current, "template": template}
    audit.append(session, now, actor_id, "contest.created", f"contest:{made.id}", detail)
    return made


def rules_to_begin_with(contest: Contest) -> Mapping[str, Any]:
    """The contest's own rules, else those of its last round, else the defaults."""
    if contest.rules is not None:
        return contest.rules
    return contest.rounds[-1].rules if contest.rounds else {}


def rules_of_template(session: Session, contest: Contest, name: str) -> Mapping[str, Any]:
    """Rules of a template, the contest's own for the name "contest", those of its last round for "last".

    Raises:
        Refusal: invalid_request, naming template.
    """
    if name in TEMPLATES:
        return TEMPLATES[name].rules
    if name == "contest" and contest.rules is not None:
        return contest.rules
    newest = select(Round.rules).where(Round.contest_id == contest.id).order_by(Round.number.desc()).limit(1)
    found: Mapping[str, Any] | None = session.scalar(newest) if name == "last" else None
    if found is None:
        raise _invalid("template", _l("Choose the rules to begin with."))
    return found


def daily_windows(round_window: Window, weekdays: frozenset[int], first_hour: int, last_hour: int) -> list[Window]:
    """The hours of some weekdays (Monday 0) inside a round: Saturdays and Sundays from 8 to 22, say.

    What sticks out of the round is cut off. Hours are those of Vietnam; `last_hour` 24 is midnight.

    Raises:
        Refusal: invalid_request, if nothing of the round is left open.
    """
    if not 0 <= first_hour < last_hour <= 24:
        raise _invalid("from_hour", _l("The hours of a day must follow each other, from 0 to 24."))
    opens, closes = round_window
    day = opens.astimezone(clock.CONTEST_ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
    found = []
    while day < closes:
        first = max(day + timedelta(hours=first_hour), opens)
        last = min(day + timedelta(hours=last_hour), closes)
        if day.weekday() in weekdays and first < last:
            found.append((first, last))
        day += timedelta(days=1)
    if not found:
        raise _invalid("days", _l("On these days and hours the round would never be open."))
    return found


def add_rounds(
    session: Session,
    contest: Contest,
    windows: Sequence[Window],
    themes: Sequence[str],
    rules: Mapping[str, Any],
    now: datetime,
    actor_id: int,
    *,
    open_hours: tuple[frozenset[int], int, int] | None = None,
) -> list[Round]:
    """Drafts of rounds in these windows, numbered on from the last there is, with one line in the log.

    Args:
        themes: of the first rounds; those without one are named after their number until somebody writes it.
        open_hours: (weekdays, first hour, last hour) if a round is not open all through; see `daily_windows`.

    Raises:
        Refusal: invalid_request, naming what is not right.
    """
    rounds = session.scalars(select(Round).where(Round.contest_id == contest.id).order_by(Round.number)).all()
    if windows[0][0] <= now:
        raise _invalid("start", _l("The first round would open in the past."))
    for held in rounds:
        for opens, closes in windows:
            if opens < held.closes_at and held.opens_at < closes:
                raise _invalid("start", _l("This would overlap round %(number)s.", number=held.number))
    first = (rounds[-1].number if rounds else 0) + 1
    made = []
    for place, (opens, closes) in enumerate(windows):
        number = first + place
        theme = themes[place].strip() if place < len(themes) else ""
        name = theme or f"Tuần {number}"
        hours = daily_windows((opens, closes), *open_hours) if open_hours else None
        made.append(create_round(session, contest, number, name, opens, closes, rules, windows=hours))
    detail = {"rounds": [{"number": each.number, "opens": clock.iso(each.opens_at)} for each in made]}
    audit.append(session, now, actor_id, "calendar.planned", f"contest:{contest.id}", detail)
    return made


# A round


@dataclass(frozen=True, slots=True)
class Fixed:
    """What of a round can't be changed any more, and why."""

    what: Any
    why: Any


def fixed_parts(made: Round, now: datetime) -> list[Fixed]:
    """What its phase forbids; a page says it before anybody tries."""
    phase = made.phase(now)
    if phase is Phase.DRAFT:
        return []
    if phase is Phase.SCHEDULED:
        return [Fixed(_l("Times"), _l("They are announced: move the round instead, with a notice to everybody."))]
    parts = [
        Fixed(
            _l("Questions and rules"),
            _l("Papers were drawn by them; a wrong key is corrected afterwards. Prizes may change until it closes."),
        ),
        Fixed(_l("Opening"), _l("It has passed.")),
    ]
    if phase is Phase.OPEN:
        parts.append(Fixed(_l("Closing"), _l("Only later, by moving the round; open papers gain the time.")))
        parts.append(Fixed(_l("The window that is open now"), _l("It can only close later. Those to come can change.")))
    else:
        parts.append(Fixed(_l("Closing"), _l("It has passed.")))
    return parts


def change_round(
    session: Session,
    changed: Round,
    theme: str,
    window: Window | None,
    now: datetime,
    actor_id: int,
) -> None:
    """Write another theme and, of a draft, other times. The caller commits and publishes.

    Raises:
        Refusal: invalid_request, with the reason why this can't change any more.
    """
    lock(session, changed)
    phase = changed.phase(now)
    before = {"theme": changed.theme, "opens": clock.iso(changed.opens_at), "closes": clock.iso(changed.closes_at)}
    if phase in (Phase.FINAL, Phase.PUBLISHED):
        raise _invalid("theme", _l("The result is final: nothing of this round changes any more."))
    if not theme.strip():
        raise _invalid("theme", _l("Write a theme."))
    changed.theme = theme.strip()
    if window is not None and window != (changed.opens_at, changed.closes_at):
        if phase is not Phase.DRAFT:
            raise _invalid("opens_at", _l("The times are announced: move the round instead."))
        _set_window(session, changed, window, now)
    after = {"theme": changed.theme, "opens": clock.iso(changed.opens_at), "closes": clock.iso(changed.closes_at)}
    if before != after:
        audit.append(session, now, actor_id, "round.changed", f"round:{changed.id}", {"before": before, "after": after})


def _set_window(session: Session, changed: Round, window: Window, now: datetime) -> None:
    opens, closes = window
    if opens >= closes:
        raise _invalid("closes_at", _l("A round must close after it opens."))
    if opens <= now:
        raise _invalid("opens_at", _l("The round would open in the past."))
    overlapping = select(Round.number).where(
        Round.contest_id == changed.contest_id,
        Round.id != changed.id,
        Round.opens_at < closes,
        Round.closes_at > opens,
    )
    if (other := session.scalars(overlapping).first()) is not None:
        raise _invalid("opens_at", _l("This would overlap round %(number)s.", number=other))
    changed.opens_at, changed.closes_at, changed.windows = opens, closes, None


def question_count(session: Session, round_id: int) -> int:
    """Questions meant for the round, each in however many versions."""
    stems = select(func.count(func.distinct(Question.stem_id)))
    return session.scalar(stems.where(Question.round_id == round_id, Question.retired_at.is_(None))) or 0


def publish_round(session: Session, published: Round, now: datetime, actor_id: int) -> None:
    """Set the last human step: results and, by the rules, the key are public. Repeating it changes nothing.

    Raises:
        Refusal: invalid_request, before the round is final.
    """
    lock(session, published)
    if published.finalized_at is None:
        raise _invalid("publish", _l("Make the round final first."))
    if published.published_at is None:
        published.published_at = now
        audit.append(session, now, actor_id, "round.published", f"round:{published.id}")


def _invalid(field: str, message: Any) -> Refusal:
    return Refusal("invalid_request", errors=(FieldError(field, message),))
