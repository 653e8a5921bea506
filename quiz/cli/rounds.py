"""What several commands ask: a round by its number."""

from __future__ import annotations

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from quiz.models import Contest, Round


def of_current_contest(session: Session, number: int) -> Round:
    found = session.scalar(select(Round).join(Contest).where(Contest.is_current, Round.number == number))
    if found is None:
        raise click.ClickException(f"The current contest has no round {number}.")
    return found
