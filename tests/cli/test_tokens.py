import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from quiz import clock
from quiz.extensions import Platform, db
from quiz.intake import calls
from quiz.models import Round, Unit, User
from quiz.services import bearer, season
from tests import seasons

COUNT = 500


@pytest.fixture
def made(app: Flask, platform: Platform) -> Round:
    """A round that is open by the wall clock: commands read it themselves."""
    session = db.session()
    opens = clock.now() - timedelta(days=1)
    made = season.create_round(session, seasons.contest(session), 3, "Chủ đề", opens, opens + seasons.WEEK, {})
    seasons.questions.add_questions(session, made, seasons.drafts(), opens)
    season.freeze_bank(session, made, opens)
    season.schedule_round(session, made, opens)
    return seasons.published(session, platform.gateway.client, made, clock.now())


@pytest.fixture
def mint(app: Flask, made: Round, tmp_path: Path) -> Any:
    def call(*arguments: str) -> Any:
        out = ["--out", str(tmp_path / "tokens")]
        return app.test_cli_runner().invoke(args=["tokens", "mint", *out, "--count", str(COUNT), *arguments])

    return call


def test_each_line_is_a_person_and_a_paper_that_can_be_handed_in(
    mint: Any, made: Round, platform: Platform, tmp_path: Path
) -> None:
    result = mint("--round", "3")
    assert result.exit_code == 0, result.output
    lines = [json.loads(line) for line in (tmp_path / "tokens").read_text(encoding="ascii").splitlines()]
    assert {frozenset(line) for line in lines} == {frozenset(("token", "paper"))}
    now = clock.to_ms(clock.now())
    card = platform.season.get().rounds[made.id]
    people = set()
    for line in lines:
        claims = bearer.read(platform.signer, line["token"], now)
        signed = platform.signer.verify_paper(line["paper"])
        assert claims is not None
        assert (claims.user, claims.unit) == (signed.paper.participant, signed.paper.unit)
        assert (signed.paper.round_id, signed.paper.attempt) == (made.id, 1)
        people.add(claims.user)
    assert len(people) == COUNT
    assert calls.hand_in(platform.gateway, platform.signer, card, signed, [0] * 10, None, now).first
    rows = db.session.execute(select(func.count(), func.count(User.password_hash)).where(User.synthetic)).one()
    assert tuple(rows) == (COUNT, 0)
    homes = db.session.execute(select(Unit.id, Unit.kind).join(User, User.unit_id == Unit.id).distinct()).all()
    assert len(homes) == COUNT
    assert {kind for _, kind in homes} <= {"commune", "union"}


def test_outside_the_embedded_servers_nobody_is_made(
    mint: Any, app: Flask, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(
        app.extensions, "quiz80", replace(platform, settings=replace(platform.settings, embedded=False))
    )
    result = mint("--round", "3")
    assert (result.exit_code, db.session.scalar(select(func.count()).select_from(User))) == (1, 0)
    assert "embedded" in result.output


def test_a_closed_round_mints_nothing(mint: Any, made: Round, platform: Platform) -> None:
    made.opens_at, made.closes_at = made.opens_at - seasons.WEEK, made.closes_at - seasons.WEEK
    seasons.published(db.session(), platform.gateway.client, made, clock.now())
    result = mint("--round", "3")
    assert (result.exit_code, db.session.scalar(select(func.count()).select_from(User))) == (1, 0)


def test_a_lost_intake_is_told(mint: Any, platform: Platform) -> None:
    platform.cache.flushall()
    result = mint("--round", "3")
    assert result.exit_code == 1
    assert "not primed" in result.output
