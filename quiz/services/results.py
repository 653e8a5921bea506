"""The rounds that are over, each with where its result stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from quiz.models import Contest, KeyProposal, Round, Tally


@dataclass(frozen=True, slots=True)
class Over:
    round: Round
    phase: str
    participants: int
    entries: int
    proposal: str | None
    """State of a correction that is on its way."""


def rounds(session: Session, now: datetime) -> list[Over]:
    """Of the current contest, the newest first."""
    over = session.scalars(
        select(Round)
        .join(Contest, Contest.id == Round.contest_id)
        .options(joinedload(Round.contest))
        .where(Contest.is_current, Round.scheduled_at.is_not(None), Round.closes_at <= now)
        .order_by(Round.number.desc())
    ).all()
    ids = [made.id for made in over]
    sums = _by_round(
        session.execute(
            select(Tally.round_id, func.sum(Tally.participants), func.sum(Tally.entries))
            .where(Tally.round_id.in_(ids))
            .group_by(Tally.round_id)
        ).all()
    )
    proposals = _by_round(
        session.execute(
            select(KeyProposal.round_id, KeyProposal.state).where(
                KeyProposal.round_id.in_(ids), KeyProposal.state != "done"
            )
        ).all()
    )
    found = []
    for made in over:
        participants, entries = sums.get(made.id, (0, 0))
        (proposal,) = proposals.get(made.id, (None,))
        found.append(Over(made, made.phase(now).value, int(participants), int(entries), proposal))
    return found


def _by_round(rows: Sequence[Any]) -> dict[int, tuple[Any, ...]]:
    return {row[0]: tuple(row[1:]) for row in rows}
