"""Lots that anyone can check: a list of ids and its hash are published, a public seed comes after, the order follows.

The ids are pseudonyms, made with a secret of the award list: the page says nothing about anybody, and the organizers
can't choose ids after they know the seed. docs/lot_check.py does the same outside of the project.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from quiz.errors import FieldError, Refusal
from quiz.models import AwardList, Lot, Round
from quiz.models.award import PUBLIC
from quiz.services import audit
from quiz.services.awards.choosing import Tie

SCRIPT = Path(__file__).resolve().parents[3] / "docs" / "lot_check.py"
MAX_SEED = 200


def pseudonym(secret: bytes, line: str, member: int) -> str:
    return hmac.new(secret, f"{line}:{member}".encode(), hashlib.sha256).hexdigest()[:16]


def drawn_order(ids: Iterable[str], seed: str) -> list[str]:
    """The ids in the order of SHA-256(seed + id); the same as docs/lot_check.py."""
    return sorted(ids, key=lambda one: hashlib.sha256((seed + one).encode()).hexdigest())


def order_of(lot: Lot) -> list[int]:
    """The members of a drawn lot, the first one first."""
    ids = lot.ids.split()
    members = dict(zip(ids, lot.members, strict=True))
    return [members[one] for one in drawn_order(ids, lot.seed or "")]


def orders(of: AwardList) -> dict[str, list[list[int]]]:
    """What was drawn for a list, by line, the newest last."""
    found: dict[str, list[list[int]]] = {}
    for lot in of.lots:
        if lot.state == "drawn":
            found.setdefault(lot.line, []).append(order_of(lot))
    return found


def prepare(session: Session, of: AwardList, ties: Sequence[Tie], now: datetime) -> None:
    """Have a lot for each tie: one that stands for the same people stays, one that nobody needs any more is void."""
    open_lots = [lot for lot in of.lots if lot.state in ("waiting", "published")]
    wanted = [waiting(of, tie, now) for tie in ties]
    for lot in open_lots:
        if not any(_same(lot, new) for new in wanted):
            lot.state = "void"
    for new in wanted:
        if not any(_same(lot, new) for lot in open_lots):
            of.lots.append(new)
    session.flush()


def waiting(of: AwardList, tie: Tie, now: datetime) -> Lot:
    """A lot for a tie, not published yet."""
    named = sorted((pseudonym(of.secret, tie.line.key, member.id), member.id) for member in tie.members)
    ids = "".join(f"{one}\n" for one, _ in named)
    return Lot(
        line=tie.line.key,
        places=[[slot.prize, slot.place] for slot in tie.slots],
        ids=ids,
        members=[member for _, member in named],
        sha256=hashlib.sha256(ids.encode()).hexdigest(),
        state="waiting",
        made_at=now,
    )


def _same(lot: Lot, other: Lot) -> bool:
    return (lot.line, lot.places, lot.sha256) == (other.line, other.places, other.sha256)


def publish(session: Session, lot_id: int, source: str, now: datetime, *, actor_id: int) -> Lot:
    """Put list and hash on the public page, and name where the seed will come from. The caller commits.

    Doing it again changes nothing.

    Raises:
        Refusal: not_found; invalid_request.
    """
    lot = _locked(session, lot_id)
    if lot.state in ("published", "drawn"):
        return lot
    if lot.state == "void":
        raise _invalid("lot", _l("This lot is void: the list was made anew without it."))
    if not source.strip():
        raise _invalid("seed_source", _l("Name the public number that will be the seed, and its day."))
    lot.state, lot.seed_source = "published", source.strip()
    lot.published_at, lot.published_by = now, actor_id
    detail = {"lot": lot.id, "sha256": lot.sha256, "source": lot.seed_source, "people": len(lot.members)}
    audit.append(session, now, actor_id, "award_lot.published", f"award_list:{lot.list_id}", detail)
    return lot


def draw(session: Session, lot_id: int, seed: str, now: datetime, *, actor_id: int) -> Lot:
    """Enter the seed, once and for all. The caller commits, and gives the places.

    Raises:
        Refusal: not_found; invalid_request.
    """
    lot = _locked(session, lot_id)
    tidy = seed.strip()
    if lot.state == "drawn" and lot.seed == tidy:
        return lot
    if lot.state != "published":
        raise _invalid("lot", _l("Publish the list of this lot first; the seed comes after."))
    if not tidy or len(tidy) > MAX_SEED:
        raise _invalid("seed", _l("Write the number as it was published."))
    lot.state, lot.seed, lot.drawn_at, lot.drawn_by = "drawn", tidy, now, actor_id
    detail = {"lot": lot.id, "sha256": lot.sha256, "seed": tidy}
    audit.append(session, now, actor_id, "award_lot.drawn", f"award_list:{lot.list_id}", detail)
    return lot


def public(session: Session, lot_id: int) -> Lot:
    """A lot as anybody may see it.

    Raises:
        Refusal: not_found, also before it is published.
    """
    lot = session.get(Lot, lot_id)
    if lot is None or lot.published_at is None:
        raise Refusal("not_found")
    return lot


def of_contest(session: Session, contest_id: int) -> Sequence[Lot]:
    """All published lots, the newest first."""
    return session.scalars(
        select(Lot)
        .join(AwardList, AwardList.id == Lot.list_id)
        .join(Round, Round.id == AwardList.round_id)
        .where(Round.contest_id == contest_id, Lot.published_at.is_not(None))
        .order_by(Lot.id.desc())
    ).all()


def named(lot: Lot, places: Iterable[Any]) -> Iterable[tuple[str, Any]]:
    """(pseudonym, place) of the announced winners of a drawn lot."""
    members = {member: one for one, member in zip(lot.ids.split(), lot.members, strict=True)}
    for place in places:
        one = members.get(place.award.person_id or place.award.unit_id)
        if one is not None and [place.award.prize, place.award.place] in lot.places:
            yield one, place


def winners_are_public(lot: Lot) -> bool:
    return lot.state == "drawn" and lot.award_list.state in PUBLIC


def _locked(session: Session, lot_id: int) -> Lot:
    lot = session.get(Lot, lot_id, with_for_update=True, populate_existing=True)
    if lot is None:
        raise Refusal("not_found")
    return lot


def _invalid(field: str, message: object) -> Refusal:
    return Refusal("invalid_request", errors=(FieldError(field, message),))
