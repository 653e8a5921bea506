"""The demo's parts: when its rounds are, who its people are, what they do and what is asked of their units."""

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from quiz import clock
from quiz.extensions import db
from quiz.models import Target, Unit
from quiz.services.demo import grid, people, plan, targets
from quiz.services.demo.chance import allocate
from tests import seasons

NOW = datetime(2026, 11, 21, 12, 30, tzinfo=clock.CONTEST_ZONE)
WINDOWS = tuple((clock.to_ms(opens), clock.to_ms(closes)) for opens, closes in grid.windows(NOW))


@pytest.fixture
def session(app: Flask) -> Session:
    return db.session()


@pytest.fixture(scope="module")
def visits() -> list[plan.Visit]:
    return plan.make_plan(WINDOWS, clock.to_ms(NOW), people.PARTICIPANTS)


@pytest.mark.parametrize("day", range(7))
@pytest.mark.parametrize("time", [timedelta(), timedelta(hours=9), timedelta(hours=23, minutes=59, seconds=59)])
def test_the_twelfth_round_is_open_for_days_and_stays_so(day: int, time: timedelta) -> None:
    now = datetime(2026, 11, 16, tzinfo=clock.CONTEST_ZONE) + timedelta(days=day) + time
    windows = grid.windows(now)
    assert len(windows) == 23
    assert all(closes - opens == timedelta(days=7) for opens, closes in windows)
    assert all(before[1] == after[0] for before, after in pairwise(windows))
    opens, closes = windows[11]
    assert opens <= now - timedelta(days=2)
    assert now + timedelta(days=2) <= closes


def test_a_plan_is_the_same_each_time() -> None:
    first = plan.make_plan(WINDOWS, clock.to_ms(NOW), 50)
    plan.make_plan.cache_clear()
    assert plan.make_plan(WINDOWS, clock.to_ms(NOW), 50) == first


def test_more_people_do_not_change_what_the_others_do() -> None:
    fifty, sixty = (plan.make_plan(WINDOWS, clock.to_ms(NOW), count) for count in (50, 60))
    assert [visit for visit in sixty if visit.person < 50] == fifty


def test_about_20_000_entries_by_6_000_people(visits: list[plan.Visit]) -> None:
    assert 18_500 < sum(len(visit.attempts) for visit in visits) < 21_500
    assert len({visit.person for visit in visits}) > 0.99 * people.PARTICIPANTS
    rounds = Counter(visit.round for visit in visits)
    assert set(rounds) == set(range(1, 13))
    assert min(rounds.values()) > 300
    assert len({(visit.person, visit.round) for visit in visits}) == len(visits)


def test_every_attempt_could_have_happened(visits: list[plan.Visit]) -> None:
    for visit in visits:
        opens, closes = WINDOWS[visit.round - 1]
        free = opens
        assert 1 <= len(visit.attempts) <= plan.CAP
        for attempt in visit.attempts:
            assert attempt.started >= free
            assert 60_000 <= attempt.duration <= plan.LIMIT_MS
            free = attempt.started + attempt.duration
        assert free < min(closes, clock.to_ms(NOW))


def test_scores_times_and_predictions_spread_as_in_life(visits: list[plan.Visit]) -> None:
    attempts = [attempt for visit in visits for attempt in visit.attempts]
    scores = Counter(sum(right is True for right in attempt.right) for attempt in attempts)
    assert min(scores[score] for score in range(2, 11)) > 20
    assert 0.1 < scores[10] / len(attempts) < 0.4
    hours = Counter(clock.from_ms(attempt.started).astimezone(clock.CONTEST_ZONE).hour for attempt in attempts)
    assert hours[20] + hours[21] > 3 * (hours[2] + hours[3] + hours[4]) > 0
    predictions = [attempt.prediction for attempt in attempts]
    assert 0 < predictions.count(None) < len(predictions) / 10
    assert len(set(predictions)) > 200


def test_who_can_be_signed_in_as_has_a_history_and_all_attempts_left(visits: list[plan.Visit]) -> None:
    assert [visit.round for visit in visits if visit.person == 0] == [6, 8, 9, 10, 11]


def test_people_have_names_of_their_own_and_uneven_homes(session: Session) -> None:
    homes = people.homes(session)
    assert len(homes) == 3321 + 6
    made = people.participants(homes, [NOW] * people.PARTICIPANTS, NOW)
    assert len({person.full_name for person in made}) > 5_000
    for person in made:
        words = person.full_name.split()
        assert 3 <= len(words) <= 4
        assert len(set(words)) == len(words)
        assert person.birth_year is not None
        assert 15 <= NOW.year - person.birth_year <= 60
        assert person.created_at < NOW
    at_home = Counter(person.unit_id for person in made)
    assert 800 < len(at_home) < 2_500
    province = {home.unit_id: home.province or home.code for home in homes}
    by_province = Counter(province[person.unit_id] for person in made)
    assert len(by_province) == 40
    assert max(by_province.values()) > 20 * min(by_province.values())


def test_targets_add_up_and_leave_nobody_out(session: Session) -> None:
    contest = seasons.contest(session)
    made = seasons.draft_round(session, contest)
    assert targets.add_targets(session, contest, made) == 2 * 3362
    for round_id, total in ((None, (10_000, 30_000)), (made.id, (4_200, 9_000))):
        rows = session.execute(
            select(Unit.id, Unit.kind, Unit.parent_id, Target.participants, Target.entries)
            .join(Target, Target.unit_id == Unit.id)
            .where(Target.round_id.is_(None) if round_id is None else Target.round_id == round_id)
        ).all()
        assert all(1 <= row.participants <= row.entries for row in rows)
        own = {row.id: (row.participants, row.entries) for row in rows}
        below: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for row in rows:
            if row.parent_id is not None:
                below[row.parent_id].append(own[row.id])
        (central,) = [row.id for row in rows if row.kind == "central"]
        assert own[central] == total
        assert len(below) == 35
        for unit_id, parts in below.items():
            assert own[unit_id] == (sum(some for some, _ in parts), sum(more for _, more in parts))


def test_an_allocation_gives_all_of_it_and_nobody_too_little() -> None:
    assert allocate(10, [1.0, 1.0, 1.0], [1, 1, 1]) == [4, 3, 3]
    assert allocate(6, [100.0, 1.0, 0.0], [1, 1, 1]) == [4, 1, 1]
    given = allocate(997, [n % 7 + 0.5 for n in range(50)], [2] * 50)
    assert sum(given) == 997
    assert min(given) >= 2
    with pytest.raises(ValueError, match="floors"):
        allocate(2, [1.0, 1.0, 1.0], [1, 1, 1])
