"""What a web process holds in memory: as of a second ago, and for as long as Redis is away."""

from __future__ import annotations

import msgspec
import pytest
from redis import Redis
from redis.exceptions import ConnectionError as RedisAway

from quiz.intake.errors import IntakeUnavailable
from quiz.intake.season import ContestCard, SeasonCache, write_bank, write_season
from tests.making import bank, card, open_round


class Clock:
    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


class Cuttable:
    """A client whose line can be cut, and that counts what it is asked."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self.cut = False
        self.asked: list[str] = []

    def get(self, name: str) -> object:
        self.asked.append(name)
        if self.cut:
            raise RedisAway("cut")
        return self._redis.get(name)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def line(intake: Redis) -> Cuttable:
    return Cuttable(intake)


@pytest.fixture
def season(line: Cuttable, clock: Clock) -> SeasonCache:
    return SeasonCache(line, monotonic=clock)  # type: ignore[arg-type]


def test_without_priming_there_is_no_season(season: SeasonCache) -> None:
    with pytest.raises(IntakeUnavailable):
        season.get()


def test_a_process_that_never_read_one_has_none_while_redis_is_away(
    intake: Redis, season: SeasonCache, line: Cuttable
) -> None:
    open_round(intake, card())
    line.cut = True
    with pytest.raises(IntakeUnavailable):
        season.get()
    line.cut = False
    assert season.get().current is not None


def test_what_was_published_is_what_is_read(intake: Redis, season: SeasonCache) -> None:
    published = open_round(intake, card())
    held = season.get()
    assert held.rounds == {7: published}
    assert held.numbers["cuoc-thi", 3] == published
    assert season.bank(published).questions == bank()


def test_within_a_second_redis_is_not_asked_again(
    intake: Redis, season: SeasonCache, line: Cuttable, clock: Clock
) -> None:
    open_round(intake, card())
    first = season.get()
    asked = len(line.asked)
    clock.at += 0.99
    assert season.get() is first
    assert len(line.asked) == asked
    clock.at += 0.02
    assert season.get() is first  # one question, and nothing is newer
    assert len(line.asked) == asked + 1


def test_a_newer_one_is_noticed_after_a_second(intake: Redis, season: SeasonCache, clock: Clock) -> None:
    open_round(intake, card())
    assert season.get().rounds[7].theme == "Chủ đề"
    open_round(intake, card(theme="Chủ đề khác"))
    assert season.get().rounds[7].theme == "Chủ đề"
    clock.at += 1.01
    assert season.get().rounds[7].theme == "Chủ đề khác"


def test_while_redis_is_away_the_last_one_goes_on(
    intake: Redis, season: SeasonCache, line: Cuttable, clock: Clock
) -> None:
    published = open_round(intake, card())
    first = season.get()
    line.cut = True
    clock.at += 5
    assert season.get() is first
    assert season.bank(published).questions == bank()


def test_while_redis_was_emptied_the_last_one_goes_on(intake: Redis, season: SeasonCache, clock: Clock) -> None:
    open_round(intake, card())
    first = season.get()
    intake.flushall()
    clock.at += 5
    assert season.get() is first


def test_what_is_published_after_redis_was_emptied_is_noticed(intake: Redis, season: SeasonCache, clock: Clock) -> None:
    open_round(intake, card())
    season.get()
    intake.flushall()
    open_round(intake, card(theme="Sau khi mất dữ liệu"))
    clock.at += 1.01
    assert season.get().rounds[7].theme == "Sau khi mất dữ liệu"


def test_the_bank_of_a_paper_may_be_older_than_the_rounds(intake: Redis, season: SeasonCache) -> None:
    newer = card(bank_version=2)
    write_bank(intake, 7, 1, bank(3))
    write_bank(intake, 7, 2, bank(4))
    write_season(intake, [ContestCard(1, "cuoc-thi", "Cuộc thi", True, [newer])])
    assert len(season.bank(season.get().rounds[7]).questions) == 4
    assert len(season.bank(newer, 1).questions) == 3
    with pytest.raises(IntakeUnavailable):
        season.bank(newer, 3)
    with pytest.raises(IntakeUnavailable):
        season.bank(msgspec.structs.replace(newer, bank_version=None))


def test_open_and_coming_banks_are_read_before_anybody_asks(intake: Redis, season: SeasonCache, line: Cuttable) -> None:
    published = open_round(intake, card())
    season.get()
    line.cut = True
    assert season.bank(published).option_bits[0][1] == {"1": 2, "2": 4, "3": 8, "4": 1}


def test_a_season_of_a_newer_version_of_the_code_is_read(intake: Redis, season: SeasonCache) -> None:
    """Fields may be added: while processes are replaced, old ones read what new ones publish."""
    open_round(intake, card())
    document = msgspec.msgpack.decode(intake.get("quiz80:season"))
    document[0]["later"] = document[0]["rounds"][0]["later"] = 1
    intake.set("quiz80:season", msgspec.msgpack.encode(document))
    assert season.get().rounds[7].number == 3
