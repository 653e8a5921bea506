"""What every web process holds in memory: the contests, their rounds, and the frozen banks without their keys.

Scoring's priming and the organizer's acts write the documents into Redis; web processes read them there, so that
papers are drawn and taken while PostgreSQL is down, by processes started after it went down too.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from redis import Redis
from redis.exceptions import RedisError

from quiz.intake import keys
from quiz.intake.draw import BY_LOT, Plan, Stratum
from quiz.intake.errors import IntakeUnavailable
from quiz.intake.events import turned_bits


class RoundCard(msgspec.Struct, frozen=True):
    """A round as the web needs it. Times in ms since 1970."""

    id: int
    contest_id: int
    number: int
    theme: str
    opens: int
    closes: int
    windows: list[tuple[int, int]]
    rules: dict[str, Any]
    cap: int | None
    limit: int
    grace: int
    late: int
    bank_version: int | None
    draw_secret: bytes
    strata: list[tuple[list[int], int]]
    shards: int
    scheduled: int | None
    finalized: int | None
    published: int | None

    draw_way: int = BY_LOT
    """How papers are drawn from this bank; a season document that does not say it is older than the other ways."""

    def draw_plan(self) -> Plan:
        fixed = bool(self.rules.get("fixed"))
        strata = tuple(Stratum(tuple(places), count, fixed) for places, count in self.strata)
        return Plan(BY_LOT if fixed else self.draw_way, strata)


class Notice(msgspec.Struct, frozen=True):
    """An announcement as pages show it; it travels with the season, so that showing it asks no table."""

    id: int
    title: str
    body: str
    at: int
    unit: str | None = None
    """Code of the unit it is for, with everybody below it; None: for all."""
    round: int | None = None
    """Number of the round it is about."""


class ContestCard(msgspec.Struct, frozen=True):
    id: int
    slug: str
    title: str
    current: bool
    rounds: list[RoundCard]
    notices: list[Notice] = []
    """The newest announcements, newest first."""


class BankOption(msgspec.Struct, frozen=True):
    id: str
    text: str


class BankQuestion(msgspec.Struct, frozen=True):
    id: str
    text: str
    multiple: bool
    options: list[BankOption]


class FrozenBank:
    """The questions of a frozen bank, with look-ups made once."""

    def __init__(self, questions: Sequence[BankQuestion]) -> None:
        self.questions = list(questions)
        self.names = [str(place) for place in range(1, len(self.questions) + 1)]
        self.option_bits = [turned_bits(len(question.options)) for question in questions]
        self.multiple = [question.multiple for question in questions]


class Season:
    """One reading of the season document; immutable, replaced as a whole."""

    def __init__(self, version: int, contests: Sequence[ContestCard]) -> None:
        self.version = version
        self.contests = {contest.slug: contest for contest in contests}
        self.current = next((contest for contest in contests if contest.current), None)
        self.rounds = {card.id: card for contest in contests for card in contest.rounds}
        self.draw_plans = {card.id: card.draw_plan() for card in self.rounds.values()}
        self.numbers = {(contest.slug, card.number): card for contest in contests for card in contest.rounds}


_season_encoder = msgspec.msgpack.Encoder()
_season_decoder = msgspec.msgpack.Decoder(list[ContestCard])
_bank_decoder = msgspec.msgpack.Decoder(list[BankQuestion])


def write_bank(redis: Redis, round_id: int, version: int, questions: Sequence[BankQuestion]) -> None:
    redis.set(keys.bank(round_id, version), _season_encoder.encode(list(questions)))


def write_season(redis: Redis, contests: Sequence[ContestCard]) -> None:
    """Publish the document; processes notice by its version within a second. Banks must be written before."""
    pipeline = redis.pipeline(transaction=True)
    pipeline.set(keys.SEASON, _season_encoder.encode(list(contests)))
    # Not counted up: after a lost Redis a count would come by the numbers that processes hold already.
    pipeline.set(keys.SEASON_VERSION, 1 + secrets.randbits(48))
    pipeline.execute()


class SeasonCache:
    """The season and banks of one process, checked for a newer version at most once a second.

    While Redis is away the last reading goes on serving pages; only a process that never read one has none.
    """

    def __init__(self, redis: Redis, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._redis = redis
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._season: Season | None = None
        self._banks: dict[tuple[int, int], FrozenBank] = {}
        self._check_at = 0.0

    def get(self) -> Season:
        """The season as of at most a second ago.

        Raises:
            IntakeUnavailable: no reading yet, and Redis gives none.
        """
        season = self._season
        if season is not None and self._monotonic() < self._check_at:
            return season
        return self._refresh(season)

    def refresh(self) -> Season:
        """Read it now, for commands and jobs that just wrote it."""
        self.forget()
        return self.get()

    def forget(self) -> None:
        """Drop what is held; the next reading comes from Redis."""
        self._check_at = 0.0
        self._season = None
        self._banks.clear()

    def bank(self, card: RoundCard, version: int | None = None) -> FrozenBank:
        """The frozen bank of a round; the version of a paper may be older than the round's newest."""
        wanted = card.bank_version if version is None else version
        if wanted is None:
            raise IntakeUnavailable(f"round {card.id} has no frozen bank")
        held = self._banks.get((card.id, wanted))
        return held if held is not None else self._load_bank(card.id, wanted)

    def _refresh(self, held: Season | None) -> Season:
        # One greenlet asks; the others go on with what is held.
        if not self._lock.acquire(blocking=held is None) and held is not None:
            return held
        try:
            if held is None and self._season is not None:
                return self._season
            fresh = self._read(held)
            self._season = fresh
            self._check_at = self._monotonic() + 1.0
            return fresh
        except (RedisError, OSError) as error:
            if held is None:
                raise IntakeUnavailable(f"season: {error}") from error
            self._check_at = self._monotonic() + 1.0
            return held
        finally:
            self._lock.release()

    def _read(self, held: Season | None) -> Season:
        version = int(self._redis.get(keys.SEASON_VERSION) or 0)
        if held is not None and version in (held.version, 0):
            return held
        document: Any = self._redis.get(keys.SEASON)
        if document is None:
            raise IntakeUnavailable("season: not primed")
        season = Season(version, _season_decoder.decode(document))
        for card in season.rounds.values():
            # The banks of open and scheduled rounds are read before anybody asks: nothing is cold at the start.
            if card.scheduled is not None and card.finalized is None and card.bank_version is not None:
                self.bank(card)
        return season

    def _load_bank(self, round_id: int, version: int) -> FrozenBank:
        try:
            document: Any = self._redis.get(keys.bank(round_id, version))
        except (RedisError, OSError) as error:
            raise IntakeUnavailable(f"bank: {error}") from error
        if document is None:
            raise IntakeUnavailable(f"bank {round_id}/{version}: not primed")
        bank = FrozenBank(_bank_decoder.decode(document))
        self._banks[round_id, version] = bank
        return bank
