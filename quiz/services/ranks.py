"""The rank of a standing while its round is not final: one more than there are standings with a greater merit.

Counting them through the index takes milliseconds for every ten thousand. So `scoring.ranks` keeps a ladder for each
large round: merits at even distances, each with the number of standings above it. A rank is then the nearest rung
above, and a count of the few standings in between.

Exact whenever the ladder was written after the last change of the round, that is at rest; while entries pour in it
is as old as the ladder for those above the rung. A round without a ladder is counted plainly.
"""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.orm import Session

_RANK = text(
    """
    WITH rung AS (
        SELECT merit, above FROM rank_step WHERE round_id = :round AND merit > :merit ORDER BY merit LIMIT 1
    )
    SELECT 1 + coalesce((SELECT above FROM rung), 0) + (
        SELECT count(*) FROM standing
        WHERE round_id = :round AND merit > :merit AND merit <= coalesce((SELECT merit FROM rung), :top)
    )
    """
)
_TOP = b"\xff" * 64
"""Above every merit: none is half as long."""


def rank_of(session: Session, round_id: int, merit: bytes) -> int:
    """The rank of this merit among the round's standings; equal merits share a rank."""
    return int(session.execute(_RANK, {"round": round_id, "merit": merit, "top": _TOP}).scalar_one())
