"""A rank by the ladder is the rank by a plain count: at every height, among equals, with rungs on equal merits."""

from __future__ import annotations

import random

import pytest
from sqlalchemy import func, select

from quiz import clock
from quiz.extensions import Platform, db
from quiz.intake.season import RoundCard
from quiz.models import RankStep, Standing
from quiz.services.ranks import rank_of
from scoring import boards, finalize, ranks
from scoring.rules import Release, Rules
from tests.scoring.conftest import drain, hand_in, open_round

PEOPLE = 60


@pytest.fixture(params=[("score",), ("score", "received_at")], ids=["many share a merit", "nearly none does"])
def played(request: pytest.FixtureRequest, platform: Platform, monkeypatch: pytest.MonkeyPatch) -> RoundCard:
    """A round with scores at once, and rungs at every seventh standing."""
    monkeypatch.setattr(ranks, "STEP", 7)
    card = open_round(platform, Rules(questions=4, ranking=request.param, release=Release(score="at_once")))
    chance = random.Random(1)
    for person in range(1, PEOPLE + 1):
        hand_in(platform, card, person, 1, chance.randrange(5), after=chance.randrange(20))
    drain(platform, card)
    return card


def write(platform: Platform, card: RoundCard) -> list[int]:
    """What the boards' writer does."""
    boards.mark_dirty(platform.cache, [card.id])
    boards.refresh_dirty(db.session(), platform.cache, boards.load_tree(db.session()), clock.now())
    return ranks.refresh_dirty(db.session(), platform.cache)


def counted(card: RoundCard, merit: bytes) -> int:
    better = select(func.count()).where(Standing.round_id == card.id, Standing.merit > merit)
    return 1 + db.session.execute(better).scalar_one()


def rungs(card: RoundCard) -> list[tuple[bytes, int]]:
    statement = select(RankStep.merit, RankStep.above).where(RankStep.round_id == card.id).order_by(RankStep.above)
    return [tuple(row) for row in db.session.execute(statement)]


def ranks_are_right(card: RoundCard) -> bool:
    merits = db.session.scalars(select(Standing.merit).where(Standing.round_id == card.id)).all()
    assert len(merits) >= PEOPLE
    return all(rank_of(db.session(), card.id, merit) == counted(card, merit) for merit in merits)


def test_at_rest_every_rank_is_the_plain_count(platform: Platform, played: RoundCard) -> None:
    assert write(platform, played) == [played.id]
    assert rungs(played), "no ladder to prove anything about"
    assert ranks_are_right(played)
    for merit in (b"", b"\xff" * 20):
        assert rank_of(db.session(), played.id, merit) == counted(played, merit)


def test_without_a_ladder_the_rank_is_counted(platform: Platform, played: RoundCard) -> None:
    assert rungs(played) == []
    assert ranks_are_right(played)


def test_a_ladder_that_fell_behind_is_right_again_once_it_is_written(platform: Platform, played: RoundCard) -> None:
    write(platform, played)
    before = rungs(played)
    for person in range(PEOPLE + 1, PEOPLE + 20):
        hand_in(platform, played, person, 1, 4, after=-1_000)
    drain(platform, played)
    assert not ranks_are_right(played), "the ladder is not used"
    platform.cache.delete(ranks._resting(played.id))
    write(platform, played)
    assert rungs(played) != before
    assert ranks_are_right(played)


def test_the_ladder_says_how_many_are_above_its_rungs(platform: Platform, played: RoundCard) -> None:
    write(platform, played)
    assert all(above + 1 == counted(played, merit) for merit, above in rungs(played))


def test_a_ladder_rests_after_it_was_written_and_is_not_forgotten(platform: Platform, played: RoundCard) -> None:
    write(platform, played)
    platform.cache.set(ranks._resting(played.id), "1")
    assert write(platform, played) == []
    assert not ranks.is_due(platform.cache)
    platform.cache.delete(ranks._resting(played.id))
    assert ranks.is_due(platform.cache)
    assert ranks.refresh_dirty(db.session(), platform.cache) == [played.id]
    assert not platform.cache.exists(ranks.DIRTY)


def test_a_ladder_that_could_not_be_written_stays_due(
    platform: Platform, played: RoundCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("the database is gone")

    ranks.mark_dirty(platform.cache, played.id)
    with monkeypatch.context() as broken:
        broken.setattr(ranks, "write_ladder", fail)
        with pytest.raises(RuntimeError):
            ranks.refresh_dirty(db.session(), platform.cache)
    assert ranks.refresh_dirty(db.session(), platform.cache) == [played.id]


def test_no_ladder_is_written_before_scores_are_out(platform: Platform, card: RoundCard) -> None:
    hand_in(platform, card, 1, 1, 2)
    drain(platform, card)
    write(platform, card)
    assert not platform.cache.exists(ranks.DIRTY)


def test_a_final_round_has_its_ranks_in_its_rows(platform: Platform, played: RoundCard) -> None:
    write(platform, played)
    assert finalize.finalize_round(db.session(), played.id, clock.now())
    db.session.commit()
    assert rungs(played) == []
    standings = db.session.scalars(select(Standing).where(Standing.round_id == played.id)).all()
    assert all(standing.rank == counted(played, standing.merit) for standing in standings)
    write(platform, played)
    assert not platform.cache.exists(ranks.DIRTY)
