"""One ordering: in Python tuples, in bytes, and in PostgreSQL."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import make_url

from deploy import embedded
from scoring.ordering import Decision, Facts, better, better_sql, decide, first_in_sql, merit_maker
from scoring.rules import RANKING_KEYS, WHICH
from tests.making import rules
from tests.scoring.test_rules import table

# Few values, so that ties are frequent; and the greatest that the tables take.
small = st.integers(0, 3)
facts = st.builds(
    Facts,
    score=small | st.integers(0, 200_000),
    correct=small | st.integers(0, 200),
    received=small | st.integers(0, 2**47),
    duration=small | st.integers(0, 2**31 - 1),
    attempt=small | st.integers(1, 32_767),
    participant=small | st.integers(0, 2**63 - 1),
    prediction_gap=st.none() | small | st.integers(0, 2**62),
)
rankings = st.lists(st.sampled_from(RANKING_KEYS), min_size=1, unique=True).map(tuple)
SECRET = b"\x05" * 32


def plain(ranking: tuple[str, ...], entry: Facts) -> tuple[Any, ...]:
    """The ranking said once more, as a tuple: the greater, the better."""
    gap = float("inf") if entry.prediction_gap is None else entry.prediction_gap
    words = {
        "score": entry.score,
        "correct": entry.correct,
        "prediction_gap": -gap,
        "received_at": -entry.received,
        "received_second": -(entry.received // 1000),
        "duration": -entry.duration,
        "attempts": -entry.attempt,
        "lot": merit_maker(rules(ranking=("lot",)), SECRET)(entry),
    }
    return tuple(words[name] for name in ranking)


@given(rankings, facts, facts)
def test_bytes_rank_as_the_rules_say(ranking: tuple[str, ...], one: Facts, other: Facts) -> None:
    merit = merit_maker(rules(ranking=ranking), SECRET)
    left, right = merit(one), merit(other)
    assert (left > right, left == right) == (
        plain(ranking, one) > plain(ranking, other),
        plain(ranking, one) == plain(ranking, other),
    )
    assert len(left) == len(right)


# Why one is above the other

VALUES = {
    "score": "score",
    "correct": "correct",
    "prediction_gap": "prediction_gap",
    "received_at": "received",
    "duration": "duration",
    "attempts": "attempt",
}


@given(rankings, facts, facts)
def test_the_key_that_decides_is_named_with_its_values(ranking: tuple[str, ...], one: Facts, other: Facts) -> None:
    made = rules(ranking=ranking)
    merit = merit_maker(made, SECRET)
    said = decide(made, merit(one), merit(other))
    mine, theirs = plain(ranking, one), plain(ranking, other)
    place = next((place for place in range(len(ranking)) if mine[place] != theirs[place]), None)
    if place is None:
        assert said is None
        return
    assert said is not None
    assert (said.key, said.left_first) == (ranking[place], mine[place] > theirs[place])
    if said.key in VALUES:
        assert (said.left, said.right) == (getattr(one, VALUES[said.key]), getattr(other, VALUES[said.key]))
    # The other way round the same is said.
    assert decide(made, merit(other), merit(one)) == Decision(said.key, not said.left_first, said.right, said.left)


def test_seconds_are_shown_whole() -> None:
    made = rules(ranking=("received_second",))
    merit = merit_maker(made)
    early, same, late = (
        merit(Facts(score=0, correct=0, received=received, duration=0, attempt=1, participant=1))
        for received in (5_000, 5_999, 6_000)
    )
    assert decide(made, early, same) is None
    assert decide(made, same, late) == Decision("received_second", True, 5_000, 6_000)


def test_a_lot_is_fixed_fair_and_the_rounds_own() -> None:
    merit = merit_maker(rules(ranking=("lot",)), SECRET)
    base = Facts(score=1, correct=1, received=5, duration=5, attempt=1, participant=1)
    assert merit(base) == merit(replace(base, score=9, attempt=2))
    lots = [merit(replace(base, participant=participant)) for participant in range(1_000)]
    assert len(set(lots)) == 1_000
    # Not a matter of registering early or late, and another one in each round.
    assert 400 < sum(a > b for a, b in itertools.pairwise(lots)) < 600
    other = [merit_maker(rules(ranking=("lot",)), b"\x06" * 32)(replace(base, participant=p)) for p in range(1_000)]
    assert 400 < sum((a > b) == (c > d) for a, b, c, d in zip(lots, lots[1:], other, other[1:], strict=False)) < 600


# The worked numbers of docs/rules.md


def ms(clock: str) -> int:
    hours, minutes, seconds = clock.split(":")
    return (int(hours) * 60 + int(minutes)) * 60_000 + round(float(seconds) * 1_000)


def test_the_ranks_of_the_page() -> None:
    true_number = 1_000
    merit = merit_maker(rules(ranking=("score", "prediction_gap", "received_at")))
    rows = table("Who is before whom")
    merits = [
        merit(
            Facts(
                score=int(points),
                correct=int(points),
                received=ms(handed_in),
                duration=0,
                attempt=1,
                participant=number,
                prediction_gap=None if prediction == "-" else abs(int(prediction) - true_number),
            )
        )
        for number, (_, points, prediction, handed_in, _) in enumerate(rows)
    ]
    ranks = {row[0]: 1 + sum(other > merits[place] for other in merits) for place, row in enumerate(rows)}
    assert ranks == {row[0]: int(row[-1]) for row in rows}


@pytest.mark.parametrize("which", WHICH)
def test_the_counting_entry_of_the_page(which: str) -> None:
    merit = merit_maker(rules(ranking=("score", "received_at")))
    entries = {}
    for attempt, points, handed_in, counts_as in table("Which entry of a person counts"):
        made = Facts(int(points), int(points), ms(handed_in), 0, int(attempt), participant=1)
        entries[merit(made), int(attempt), 0] = counts_as
    standing = None
    for entry in entries:
        if standing is None or better(which, entry, standing):
            standing = entry
    assert standing is not None
    assert entries[standing] == which


# Python and PostgreSQL

entry = st.tuples(st.binary(min_size=2, max_size=2), st.integers(1, 4) | st.integers(1, 32_767), st.integers(0, 255))


@pytest.fixture(scope="module")
def cursor(servers: embedded.Servers) -> Iterator[psycopg.Cursor[Any]]:
    url = make_url(servers.database_url).set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as connection:
        yield connection.cursor()


# The query has no state that one example could leave to the next.
shared_cursor = hypothesis_settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
ROW = "(SELECT %s::bytea AS merit, %s::smallint AS attempt, %s::smallint AS issuer)"


@pytest.mark.parametrize("which", WHICH)
@shared_cursor
@given(entry, entry)
def test_postgresql_prefers_what_python_prefers(
    cursor: psycopg.Cursor[Any], which: str, one: tuple[bytes, int, int], other: tuple[bytes, int, int]
) -> None:
    said = cursor.execute(f"SELECT {better_sql(which, 'a', 'b')} FROM {ROW} a, {ROW} b", (*one, *other)).fetchone()
    assert said == (better(which, one, other),)
    if one[1:] != other[1:]:
        # Of two different entries exactly one is the standing.
        assert better(which, one, other) != better(which, other, one)


@pytest.mark.parametrize("which", WHICH)
@shared_cursor
@given(st.lists(entry, min_size=1, max_size=6, unique_by=lambda made: made[1:]))
def test_sorting_puts_the_standing_first(
    cursor: psycopg.Cursor[Any], which: str, entries: list[tuple[bytes, int, int]]
) -> None:
    rows = " UNION ALL ".join(f"SELECT * FROM {ROW}" for _ in entries)
    first = cursor.execute(
        f"SELECT merit, attempt, issuer FROM ({rows}) ORDER BY {first_in_sql(which)} LIMIT 1",
        [value for made in entries for value in made],
    ).fetchone()
    standing = entries[0]
    for made in entries[1:]:
        if better(which, made, standing):
            standing = made
    assert first == standing
