"""What a correction changes about prizes: shown before it, said of a list afterwards, never done to the list."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from quiz.models import AwardList, Round
from quiz.models.award import IN_WORK, PUBLIC
from quiz.services import audit
from quiz.services.awards import lists, lots
from quiz.services.awards.choosing import Outcome, choose
from quiz.services.awards.prizes import caps_of, of_rules, prizes_of
from quiz.services.awards.sources import CORRECTED, NOW, Sources, Tables, held_elsewhere

Places = dict[tuple[str, int], tuple[str, int] | None]
"""(prize, place) → ("person" or "unit", who), or None where a lot would decide."""
MOST = 200


def of_correction(session: Session, round_id: int) -> dict[str, Any] | None:
    """Which prizes another key would give to others; None if the rules name no prizes.

    In the transaction in which scoring.regrade has laid what would be. Compared with the round's list, or, while there
    is none, with what would be given as it stands.

    Returns:
        `{count, lots, list, places: [{prize, place, of, before, after}]}`, ready to be kept as JSON; `list` is the
        state of the list that the places were compared with.
    """
    corrected = session.get_one(Round, round_id)
    rules = of_rules(corrected.rules)
    if not prizes_of(rules):
        return None
    newest = _newest(session, round_id)
    before = _places_of(newest) if newest is not None else _chosen(session, corrected, rules, None, NOW)[0]
    after, ties = _chosen(session, corrected, rules, newest, CORRECTED)
    return _difference(before, after, ties, newest.state if newest is not None else None)


def doubt(session: Session, round_id: int, cause: str, now: datetime, *, actor_id: int | None, reason: str) -> None:
    """Flag the lists of a round whose places would be others' by now. The caller commits.

    In the transaction of what was changed. A list in work goes back to be made anew by hand; one that is announced
    stays as it is until somebody decides.

    Args:
        cause: key, exclusion.
    """
    changed = session.get_one(Round, round_id)
    for made in session.scalars(
        select(AwardList).where(AwardList.round_id == round_id, AwardList.state.in_((*IN_WORK, *PUBLIC)))
    ):
        if made.state == "making":
            continue
        after, ties = _chosen(session, changed, made.rules, made, NOW)
        found = _difference(_places_of(made), after, ties, made.state)
        if found["count"]:
            made.doubt = {**found, "cause": cause, "reason": reason, "at": now.isoformat()}
            detail = {"cause": cause, "places": found["count"]}
            audit.append(session, now, actor_id, "awards.doubted", f"award_list:{made.id}", detail, reason)
    session.flush()


def _newest(session: Session, round_id: int) -> AwardList | None:
    return next((made for made in lists.versions(session, round_id) if made.state not in ("making", "replaced")), None)


def _chosen(
    session: Session, of: Round, rules: dict[str, Any], made: AwardList | None, tables: Tables
) -> tuple[Places, int]:
    outcome = choose(
        Sources(session, of, rules, tables).lines(),
        caps_of(rules),
        held_elsewhere(session, of),
        out=lists.disqualified(session, of.id),
        orders=lots.orders(made) if made is not None else None,
        spare=0,
    )
    return _places(outcome), len(outcome.ties)


def _places(outcome: Outcome) -> Places:
    found: Places = {(each.slot.prize, each.slot.place): (each.line.of, each.candidate.id) for each in outcome.given}
    for tie in outcome.ties:
        found |= dict.fromkeys((slot.prize, slot.place) for slot in tie.slots)
    return found


def _places_of(made: AwardList) -> Places:
    found: Places = {
        (award.prize, award.place): (
            ("person", award.person_id) if award.person_id is not None else ("unit", award.unit_id or 0)
        )
        for award in lists.living(made)
    }
    for lot in made.lots:
        if lot.state in ("waiting", "published"):
            found |= dict.fromkeys((prize, place) for prize, place in lot.places)
    return found


def _difference(before: Places, after: Places, ties: int, state: str | None) -> dict[str, Any]:
    """Prize by prize: who loses it and who gets it. Places of one prize are worth the same, so moving between them
    is no change."""
    lost: dict[str, list[Any]] = {}
    won: dict[str, list[Any]] = {}
    for prize in dict.fromkeys(name for name, _ in (*before, *after)):
        old = [who for (name, _), who in before.items() if name == prize]
        new = [who for (name, _), who in after.items() if name == prize]
        lost[prize] = [who for who in old if who not in new]
        won[prize] = [who for who in new if who not in old]
    places = [
        {"prize": prize, "before": list(old) if old else None, "after": list(new) if new else None}
        for prize in lost
        for old, new in _pairs(lost[prize], won[prize])
    ]
    return {"count": len(places), "lots": ties, "list": state, "places": places[:MOST]}


def _pairs(lost: list[Any], won: list[Any]) -> list[tuple[Any, Any]]:
    size = max(len(lost), len(won))
    return list(zip(lost + [None] * (size - len(lost)), won + [None] * (size - len(won)), strict=True))
