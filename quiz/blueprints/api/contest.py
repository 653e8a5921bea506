"""What is run, when, and by whom: contest and units."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from flask import request

from quiz import clock
from quiz.application import Finished
from quiz.blueprints.api import blueprint, contest_slug, edge
from quiz.clock import from_ms, iso, to_ms
from quiz.extensions import db, platform
from quiz.intake.season import RoundCard
from quiz.phases import Phase, phase_of
from quiz.services import papers, units


class RoundOut(msgspec.Struct):
    number: int
    theme: str
    opens_at: str
    closes_at: str
    state: str
    rules: dict[str, Any]


class ContestOut(msgspec.Struct):
    slug: str
    title: str
    server_time: str
    current_round: int | None
    rounds: list[RoundOut]


class UnitOut(msgspec.Struct):
    code: str
    name: str
    kind: str
    parent_code: str | None


@blueprint.get("/contest")
def show() -> Finished:
    now = clock.now()
    contest = papers.contest_of(platform().season.get(), contest_slug())
    current = papers.current_round(contest, to_ms(now))
    return edge.answer(
        ContestOut(
            contest.slug,
            contest.title,
            iso(now),
            current.number if current else None,
            [_round_out(card, now) for card in contest.rounds if card.scheduled is not None],
        )
    )


def _round_out(card: RoundCard, now: datetime) -> RoundOut:
    return RoundOut(
        card.number,
        card.theme,
        iso(from_ms(card.opens)),
        iso(from_ms(card.closes)),
        _phase(card, now).value,
        card.rules,
    )


def _phase(card: RoundCard, now: datetime) -> Phase:
    return phase_of(
        opens_at=from_ms(card.opens),
        closes_at=from_ms(card.closes),
        scheduled_at=_at(card.scheduled),
        finalized_at=_at(card.finalized),
        published_at=_at(card.published),
        now=now,
    )


def _at(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else from_ms(milliseconds)


@blueprint.get("/units")
def list_units() -> Finished:
    found = units.children(db.session(), request.args.get("parent"), request.args.get("q", ""))
    out = [UnitOut(unit.code, unit.name, unit.kind, unit.parent_code) for unit in found]
    return edge.answer({"units": out})
