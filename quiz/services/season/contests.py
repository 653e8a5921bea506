"""Making contests and rounds, and scheduling a round once its bank is frozen."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from quiz import clock
from quiz.errors import FieldError, Refusal
from quiz.models import Bank, Contest, Round
from quiz.models.partitions import create_for_round
from quiz.services import audit, rules_problems
from quiz.services.season.cards import strata_of
from scoring.rules import InvalidRules, Rules, rules_document, rules_from

DEFAULT_SHARDS = 16
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")

Window = tuple[datetime, datetime]


def create_contest(session: Session, slug: str, title: str, now: datetime, *, current: bool = False) -> Contest:
    """A contest without rounds; `current` makes it the one that /api/v1 means, instead of the one before.

    Raises:
        Refusal: invalid_request, naming slug or title.
    """
    if not _SLUG.fullmatch(slug):
        raise _invalid("slug", _l("Use small letters, digits and single hyphens."))
    if not title.strip():
        raise _invalid("title", _l("Write a title."))
    if current:
        session.execute(update(Contest).where(Contest.is_current).values(is_current=False))
    contest = Contest(slug=slug, title=title.strip(), is_current=current, created_at=now)
    session.add(contest)
    session.flush()
    return contest


def create_round(
    session: Session,
    contest: Contest,
    number: int,
    theme: str,
    opens_at: datetime,
    closes_at: datetime,
    rules: Mapping[str, Any],
    *,
    windows: Sequence[Window] | None = None,
    shards: int = DEFAULT_SHARDS,
) -> Round:
    """A draft of a round, with its partitions, in one transaction.

    Args:
        windows: when it is open, if not from `opens_at` to `closes_at` all through; in order, half open.

    Raises:
        Refusal: invalid_request, naming the field.
    """
    if not theme.strip():
        raise _invalid("theme", _l("Write a theme."))
    if opens_at >= closes_at:
        raise _invalid("closes_at", _l("A round must close after it opens."))
    made = Round(
        contest_id=contest.id,
        number=number,
        theme=theme.strip(),
        opens_at=opens_at,
        closes_at=closes_at,
        windows=_window_pairs(windows, opens_at, closes_at),
        rules=rules_document(_rules(rules)),
        draw_secret=secrets.token_bytes(32),
        shards=shards,
    )
    session.add(made)
    session.flush()
    create_for_round(session, made.id)
    return made


def schedule_round(session: Session, scheduled: Round, now: datetime, *, actor_id: int | None = None) -> None:
    """From a draft to a round that opens by the clock; scheduling it again changes nothing. Publish afterwards.

    Raises:
        Refusal: invalid_request, if it has no frozen bank or its rules draw more than the bank holds.
    """
    bank = session.scalar(select(Bank).where(Bank.round_id == scheduled.id, Bank.version == scheduled.bank_version))
    if bank is None:
        raise _invalid("bank", _l("Freeze the round's bank first."))
    strata_of(_rules(scheduled.rules), bank.content)
    if scheduled.scheduled_at is None:
        scheduled.scheduled_at = now
        audit.append(session, now, actor_id, "round.scheduled", f"round:{scheduled.id}", {"bank": bank.version})


def _rules(document: Mapping[str, Any]) -> Rules:
    try:
        return rules_from(document)
    except InvalidRules as error:
        raise rules_problems.refusal(error) from error


def _window_pairs(windows: Sequence[Window] | None, opens_at: datetime, closes_at: datetime) -> list[Any] | None:
    if windows is None:
        return None
    before = opens_at
    for opens, closes in windows:
        if not before <= opens < closes <= closes_at:
            raise _invalid("windows", _l("Windows must follow each other inside the round's time."))
        before = closes
    if not windows:
        raise _invalid("windows", _l("Give at least one window, or none at all for the whole time."))
    return [[clock.iso(opens), clock.iso(closes)] for opens, closes in windows]


def _invalid(field: str, message: Any) -> Refusal:
    return Refusal("invalid_request", errors=(FieldError(field, message),))
