"""Partitions of entries and standings: made in the transaction that creates the round, never by default."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.orm import Session

# Standings and tallies are updated in place: room on the page keeps those updates off the indexes (HOT).
_STANDING_FILLFACTOR = 70


def entries(round_id: int) -> str:
    """The partition with the entries of a round."""
    return f"entry_r{int(round_id)}"


def standings(round_id: int) -> str:
    return f"standing_r{int(round_id)}"


def create_for_round(session: Session, round_id: int) -> None:
    """Make the round's partitions; `round_id` is our own integer, so it may stand in the statement."""
    number = int(round_id)
    session.execute(text(f"CREATE TABLE {entries(number)} PARTITION OF entry FOR VALUES IN ({number})"))
    session.execute(
        text(
            f"CREATE TABLE {standings(number)} PARTITION OF standing FOR VALUES IN ({number})"
            f" WITH (fillfactor = {_STANDING_FILLFACTOR})"
        )
    )
