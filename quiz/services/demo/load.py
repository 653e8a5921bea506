"""Loading the demo: tables first, then its people's past through intake. Interrupted, it goes on where it was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import resources

from redis import Redis
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from quiz import clock
from quiz.intake.gateway import Gateway
from quiz.intake.season import SeasonCache
from quiz.intake.signing import Signer
from quiz.models import Bank, Contest, KeyVersion, Round, Unit, User
from quiz.services import questions, season, synthetic, units
from quiz.services.demo import grid, people, plan, prizes, targets
from quiz.services.demo.logins import SLUG, add_logins
from quiz.services.demo.play import Player, Sheet, Stage, play
from scoring.rules import key_from

TITLE = "Tìm hiểu 80 năm Ngày Tổng tuyển cử đầu tiên bầu Quốc hội Việt Nam"
RULES = {
    "questions": plan.QUESTIONS,
    "cap": plan.CAP,
    "seconds": plan.LIMIT_MS // 1000,
    "prediction": {"kind": "all_correct", "text": f"Bao nhiêu người trả lời đúng cả {plan.QUESTIONS} câu?"},
    "release": {"score": "after_close", "key": "after_close"},
    **prizes.RULES,
}


@dataclass(frozen=True, slots=True)
class Played:
    people: int
    entries: int
    """Handed in by this call; fewer than all after an interruption."""


def ensure_tables(session: Session, now: datetime) -> Contest:
    """The contest with rounds, banks, targets and people, made in one transaction, or found."""
    found = session.scalar(select(Contest).where(Contest.slug == SLUG))
    if found is not None:
        return found
    if not session.scalar(select(exists().where(Unit.kind == "central"))):
        units.load(session)
    contest = season.create_contest(session, SLUG, TITLE, now, current=True)
    rounds = [_make_round(session, contest, number, window, now) for number, window in enumerate(grid.windows(now), 1)]
    targets.add_targets(session, contest, rounds[grid.OPEN_ROUND - 1])
    visits = plan.make_plan(tuple(_ms(made) for made in rounds), clock.to_ms(now), people.PARTICIPANTS)
    synthetic.add_people(session, people.participants(people.homes(session), _first_visits(visits, rounds[0]), now))
    session.commit()
    return contest


def ensure_played(
    session: Session, gateway: Gateway, cache: SeasonCache, signer: Signer, issuer: int, contest: Contest
) -> Played:
    """Play the past of everybody up to the moment the contest was made; what is played already stays."""
    now = contest.created_at
    redis: Redis = gateway.client
    season.prime_all(session, redis, now, issuer=issuer)
    # A final round takes nothing any more; its people were all through when it became final.
    rounds = [made for made in contest.rounds if made.opens_at < now and made.finalized_at is None]
    players = _players(session, contest)
    planned = plan.make_plan(tuple(_ms(made) for made in contest.rounds), clock.to_ms(now), len(players))
    read = cache.refresh()
    stage = Stage(
        gateway=gateway,
        signer=signer,
        issuer=issuer,
        season=read,
        cards={made.number: read.rounds[made.id] for made in rounds},
        sheets={made.number: _sheets(session, made) for made in rounds},
        players=players,
    )
    session.commit()
    return Played(len(players), play(stage, [visit for visit in planned if visit.round in stage.cards]))


def complete(session: Session, contest: Contest, now: datetime) -> None:
    """The logins and the prizes of the past, last of all: with them the demo is loaded. Commits."""
    add_logins(session, _players(session, contest)[0].user_id, now)
    session.flush()
    prizes.award_past(session, contest, now)
    session.commit()


def _make_round(
    session: Session, contest: Contest, number: int, window: tuple[datetime, datetime], now: datetime
) -> Round:
    bank = questions.read_bank_file(_bank_file(number))
    opens, closes = window
    planned = min(opens - timedelta(days=14), now)
    made = season.create_round(session, contest, number, bank.theme or f"Tuần {number}", opens, closes, RULES)
    questions.add_questions(session, made, bank.questions, planned)
    season.freeze_bank(session, made, planned)
    season.schedule_round(session, made, planned)
    return made


def _bank_file(number: int) -> bytes:
    return (resources.files("quiz") / "data" / "bank" / f"{number:02}.json").read_bytes()


def _first_visits(visits: Sequence[plan.Visit], first_round: Round) -> list[datetime]:
    """For each person the first moment seen; those who came too late for their only round: the contest's first."""
    moments = [first_round.opens_at] * people.PARTICIPANTS
    for visit in reversed(visits):
        moments[visit.person] = clock.from_ms(visit.attempts[0].started)
    return moments


def _players(session: Session, contest: Contest) -> list[Player]:
    """The demo's people in the order of the plan; a benchmark's came after the contest was made."""
    rows = session.execute(
        select(User.id, User.unit_id)
        .where(User.synthetic, User.role == "participant", User.created_at < contest.created_at)
        .order_by(User.id)
    )
    return [Player(user_id, unit_id) for user_id, unit_id in rows if unit_id is not None]


def _sheets(session: Session, made: Round) -> list[Sheet]:
    content = session.scalars(select(Bank.content).where(Bank.round_id == made.id, Bank.version == made.bank_version))
    key = session.scalars(
        select(KeyVersion.key).where(KeyVersion.round_id == made.id, KeyVersion.version == made.key_version)
    )
    return [
        Sheet(
            right=min(item.accept),
            wrong=tuple(1 << bit for bit in range(len(question["options"])) if 1 << bit not in item.accept),
        )
        for question, item in zip(content.one(), key_from(key.one()), strict=True)
    ]


def _ms(made: Round) -> tuple[int, int]:
    return clock.to_ms(made.opens_at), clock.to_ms(made.closes_at)
