"""What is the caller's own: profile, entries, receipts."""

from __future__ import annotations

from typing import Any

import msgspec

from quiz.application import Finished
from quiz.blueprints.api import blueprint, contest_slug, edge
from quiz.blueprints.api.accounts import UnitOut, unit_out
from quiz.clock import iso
from quiz.extensions import db
from quiz.services import accounts, entries, papers
from quiz.services.entries import EntryView


class MeOut(msgspec.Struct):
    id: str
    full_name: str
    phone: str | None
    birth_year: int | None
    member_kind: str | None
    role: str
    unit: UnitOut | None
    created_at: str


class EntryOut(msgspec.Struct, omit_defaults=True):
    """What is not known or not released is left out."""

    receipt: str
    state: str
    round: int
    attempt: int
    received_at: str
    duration_ms: int | None
    score: int | None = None
    correct: int | None = None
    rank: int | None = None
    counted: bool = True
    answers: dict[str, list[str]] | None = None
    questions: list[Any] | None = None


@blueprint.get("/me")
def me() -> Finished:
    claims = edge.signed_in_still(edge.now_ms())
    profile = accounts.profile(db.session(), claims.user)
    return edge.answer(
        MeOut(
            str(profile.id),
            profile.full_name,
            profile.phone,
            profile.birth_year,
            profile.member_kind,
            profile.role,
            unit_out(profile.home) if profile.home else None,
            iso(profile.created_at),
        )
    )


@blueprint.get("/me/entries")
def my_entries() -> Finished:
    now = edge.now_ms()
    claims = edge.signed_in_still(now)
    desk = edge.desk()
    contest = papers.contest_of(desk.seasons.get(), contest_slug())
    views = entries.history(db.session(), desk, claims.user, contest, now)
    return edge.answer({"entries": [_entry_out(view) for view in views]})


@blueprint.get("/entries/<receipt>")
def entry(receipt: str) -> Finished:
    now = edge.now_ms()
    claims = edge.signed_in_still(now)
    return edge.answer(_entry_out(entries.find(db.session(), edge.desk(), claims.user, receipt, now)))


def _entry_out(view: EntryView) -> EntryOut:
    return EntryOut(
        view.receipt,
        view.state,
        view.card.number,
        view.attempt,
        iso(view.received_at),
        view.duration_ms,
        view.score,
        view.correct,
        view.rank,
        view.counted,
        view.answers,
        view.questions,
    )
