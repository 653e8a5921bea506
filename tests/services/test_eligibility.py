"""Who may start, with the tables that say so; what the words mean stands in docs/rules.md and its tests."""

from __future__ import annotations

import random
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from redis import Redis
from sqlalchemy import text
from sqlalchemy.orm import Session

from quiz import clock
from quiz.errors import NOT_ELIGIBLE, Refusal
from quiz.extensions import Platform, db
from quiz.intake.calls import Starter
from quiz.intake.errors import NotEligible
from quiz.intake.primer import read_contest_bars
from quiz.models import Contest, ContestBar, Round, User
from quiz.services import accounts, contest_bars, eligibility, papers, people, season, units
from quiz.services.papers import Desk
from quiz.services.staff import Staff
from scoring.rules import MEMBER_KINDS, Person, bracket_of, bracket_sql, rules_from
from tests import seasons, staffing

OPEN = seasons.OPENS


@pytest.fixture
def session(platform: Platform) -> Session:
    return db.session()


def participant(session: Session, unit: str = "00004", born: int | None = 2000, kind: str | None = None) -> User:
    made = accounts.add_user(
        session, OPEN, full_name="Lê An", phone=None, unit_id=units.get(session, unit).id, birth_year=born,
        member_kind=kind,
    )  # fmt: skip
    session.commit()
    return made


def open_round(session: Session, redis: Redis, rules: dict[str, Any]) -> Round:
    return seasons.published(session, redis, seasons.scheduled_round(session, seasons.contest(session), rules=rules))


def start(platform: Platform, who: User, now: datetime = OPEN) -> int:
    platform.season.forget()
    desk = Desk(platform.gateway, platform.signer, 0, platform.season)
    card = papers.round_of(platform.season.get(), None, 1)
    starter = Starter(who.id, who.unit_id or 0, who.auth_epoch)
    return papers.start(desk, card, starter, clock.to_ms(now), db.session).paper.attempt


def why_not(platform: Platform, who: User) -> str:
    with pytest.raises(NotEligible) as refused:
        start(platform, who)
    return refused.value.reason


def test_kinds_and_units_are_asked_at_the_start(session: Session, redis: Redis, platform: Platform) -> None:
    rules = {"eligible_kinds": ["pupil", "student"], "eligible_units": ["01"], "min_age": 16}
    open_round(session, redis, rules)
    assert start(platform, participant(session, kind="student")) == 1
    assert why_not(platform, participant(session)) == "kind_unknown"
    assert why_not(platform, participant(session, kind="worker")) == "kind_not_eligible"
    assert why_not(platform, participant(session, unit="79", kind="pupil")) == "unit_not_eligible"
    assert why_not(platform, participant(session, born=2012, kind="pupil")) == "too_young"
    assert why_not(platform, participant(session, born=None, kind="pupil")) == "age_unknown"


def test_who_says_the_kind_may_start_then(session: Session, redis: Redis, platform: Platform) -> None:
    open_round(session, redis, {"eligible_kinds": ["student"], "barred_kinds": ["soldier"]})
    who = participant(session)
    assert why_not(platform, who) == "kind_unknown"
    accounts.change_member_kind(session, who.id, "student")
    assert start(platform, who) == 1
    with pytest.raises(Refusal):
        accounts.change_member_kind(session, who.id, "king")


def test_most_rounds_ask_no_table(platform: Platform) -> None:
    def none() -> Session:
        raise AssertionError("a table was asked")

    assert (
        eligibility.refused({"barred_kinds": ["committee"], "brackets": [{"units": ["79"]}]}, 1, 1, OPEN, none) is None
    )


def test_a_unit_of_before_stands_for_the_one_it_went_to(session: Session) -> None:
    row = session.execute(
        text(
            "SELECT c.from_unit_id, n.code, p.code FROM unit_change c JOIN unit n ON n.id = c.to_unit_id "
            "JOIN unit p ON p.id = n.parent_id WHERE c.part = 'whole' AND n.kind = 'commune' AND NOT EXISTS "
            "(SELECT FROM unit_change o WHERE o.from_unit_id = c.from_unit_id AND o.to_unit_id <> c.to_unit_id) LIMIT 1"
        )
    ).one()
    assert {row[1], row[2], "TW"} == eligibility.line_of(session, row[0])


def test_every_reason_has_its_sentence() -> None:
    words = {"age_unknown", "too_young", "too_old", "kind_unknown", "kind_not_eligible", "kind_barred"}
    assert NOT_ELIGIBLE.keys() == words | {"unit_not_eligible", "barred", "barred_from_contest", "no_unit"}


# Functions in a contest


def write_down(session: Session, platform: Platform, who: User, function: str | None) -> None:
    contest = session.query(Contest).one()
    contest_bars.add(session, contest, [who.id], function, "Ban Tổ chức", OPEN, staffing_id(session))
    session.commit()
    platform.season.forget()
    contest_bars.spread(session, platform.gateway.client, platform.season.get(), contest.id)


def staffing_id(session: Session) -> int:
    held = session.query(User).where(User.role == "organizer").first()
    return held.id if held else staffing.make("organizer").id


def test_a_function_bars_where_the_rules_say_so(session: Session, redis: Redis, platform: Platform) -> None:
    open_round(session, redis, {"barred_kinds": ["committee", "secretary"]})
    member, expert, other = (participant(session) for _ in range(3))
    assert start(platform, member) == 1
    write_down(session, platform, member, "committee")
    write_down(session, platform, expert, "expert")
    write_down(session, platform, other, None)
    assert why_not(platform, member) == "barred_from_contest"
    assert start(platform, expert) == 1
    assert why_not(platform, other) == "barred_from_contest"
    contest_bars.remove(session, session.query(Contest).one(), member.id, OPEN, staffing_id(session))
    session.commit()
    contest_bars.spread(session, platform.gateway.client, platform.season.get(), session.query(Contest).one().id)
    # The paper that was open goes on.
    assert start(platform, member) == 1


def test_signing_out_everywhere_lets_nobody_in_again(session: Session, redis: Redis, platform: Platform) -> None:
    """The account's own bar and the contest's are two things; neither undoes the other."""
    open_round(session, redis, {"barred_kinds": ["expert"]})
    who = participant(session)
    write_down(session, platform, who, "expert")
    intake, held = platform.gateway.client, platform.season.get()
    accounts.sign_out_everywhere(session, intake, held, who.id)
    assert why_not(platform, who) == "barred_from_contest"
    asker = Staff(staffing_id(session), "Nam", "organizer", None, None, None)
    people.bar(session, intake, held, asker, who.id, "lý do", OPEN)
    people.unbar(session, intake, held, asker, who.id, "lý do", OPEN)
    assert why_not(platform, who) == "barred_from_contest"


def test_priming_copies_and_clears(session: Session, redis: Redis, platform: Platform) -> None:
    open_round(session, redis, {"barred_kinds": ["expert"]})
    one, two = participant(session), participant(session)
    write_down(session, platform, one, "expert")
    session.add(ContestBar(contest_id=session.query(Contest).one().id, user_id=two.id, reason="vắng", at=OPEN))
    session.execute(text("DELETE FROM contest_bar WHERE user_id = :id"), {"id": one.id})
    session.commit()
    season.prime_all(session, redis, OPEN)
    card = papers.round_of(platform.season.get(), None, 1)
    assert read_contest_bars(redis, card) == {two.id}
    redis.flushdb()
    season.prime_all(session, redis, OPEN)
    assert read_contest_bars(redis, card) == {two.id}


def test_pasted_numbers(app: Flask, session: Session) -> None:
    made = accounts.add_user(
        session, OPEN, full_name="Lê An", phone="+84912345678", unit_id=units.get(session, "01").id
    )
    session.commit()
    assert contest_bars.users_of(session, "0912 345 678\n\n+84912345678\n") == [made.id]
    with pytest.raises(Refusal) as refused:
        contest_bars.users_of(session, "0912345678\n0912345679\nxyz")
    assert refused.value.errors[0].field == "phones"
    assert "2, 3" in str(refused.value.errors[0].message)
    with pytest.raises(Refusal):
        contest_bars.users_of(session, " \n")


# Brackets in SQL


BRACKETS = rules_from(
    {
        "brackets": [
            {"key": "a", "name": "A", "kinds": ["pupil", "student"], "max_age": 22},
            {"key": "b", "name": "B", "units": ["01", "26740"]},
            {"key": "c", "name": "C", "units": ["01", "79"], "outside": True, "min_age": 16, "max_age": 40},
            {"key": "d", "name": "D", "min_age": 60},
        ]
    }
)


def test_brackets_in_sql_are_those_of_the_rules(session: Session) -> None:
    chance = random.Random(80)
    ids = list(session.scalars(text("SELECT id FROM unit WHERE kind <> 'central' ORDER BY id")))
    wanted = [units.get(session, code).id for code in ("01", "79", "26740", "00004")]
    rows = [
        (
            chance.choice(wanted) if chance.random() < 0.5 else chance.choice(ids),
            chance.choice([None, *range(1940, 2015)]),
            chance.choice([None, *MEMBER_KINDS]),
        )
        for _ in range(400)
    ]
    expression, values = bracket_sql(BRACKETS, 2026, "v.unit", "v.born", "v.kind")
    table = (
        "unnest(CAST(:u AS int[]), CAST(:b AS int[]), CAST(:k AS text[])) WITH ORDINALITY AS v(unit, born, kind, nth)"
    )
    columns = {name: [row[place] for row in rows] for place, name in enumerate("ubk")}
    found = session.scalars(text(f"SELECT {expression} FROM {table} ORDER BY nth"), {**values, **columns}).all()
    lines = {unit: eligibility.line_of(session, unit) for unit, _, _ in rows}
    expected = [
        bracket_of(BRACKETS, Person(None if born is None else 2026 - born, kind, lines[unit]))
        for unit, born, kind in rows
    ]
    assert list(found) == [bracket.key if bracket else None for bracket in expected]
    assert set(found) == {"a", "b", "c", "d", None}


def test_rules_without_brackets_put_nobody_in_one(session: Session) -> None:
    expression, values = bracket_sql(rules_from({}), 2026, "1", "2", "'x'")
    assert session.scalar(text(f"SELECT {expression}"), dict(values)) is None
