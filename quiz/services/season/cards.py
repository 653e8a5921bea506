"""The season document: contests, rounds and banks as web processes hold them, made from the tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from redis import Redis
from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from quiz import clock
from quiz.errors import FieldError, Refusal
from quiz.intake.draw import BY_LOT
from quiz.intake.season import BankOption, BankQuestion, ContestCard, Notice, RoundCard, write_bank, write_season
from quiz.models import Bank, Contest, Round
from quiz.services import announcements
from scoring.rules import DrawPart, Rules, rules_from

_PUBLISHING = 0x5EA5
"""Advisory lock: of two publications the later one also reads later."""

_Banks = Mapping[tuple[int, int], Bank]


def round_card(made: Round, bank: Bank | None) -> RoundCard:
    """The round as intake knows it; without a bank it takes no papers."""
    rules = rules_from(made.rules)
    opens, closes = clock.to_ms(made.opens_at), clock.to_ms(made.closes_at)
    return RoundCard(
        id=made.id,
        contest_id=made.contest_id,
        number=made.number,
        theme=made.theme,
        opens=opens,
        closes=closes,
        windows=[(_ms(first), _ms(last)) for first, last in made.windows] if made.windows else [(opens, closes)],
        rules=made.rules,
        cap=rules.cap,
        limit=rules.seconds * 1000,
        grace=rules.grace_seconds * 1000,
        late=rules.late.accept_minutes * 60_000,
        bank_version=None if bank is None else bank.version,
        draw_secret=made.draw_secret,
        strata=[] if bank is None else strata_of(rules, bank.content),
        draw_way=BY_LOT if bank is None else bank.draw_way,
        shards=made.shards,
        scheduled=_maybe_ms(made.scheduled_at),
        finalized=_maybe_ms(made.finalized_at),
        published=_maybe_ms(made.published_at),
    )


def strata_of(rules: Rules, content: Sequence[Mapping[str, Any]]) -> list[tuple[list[int], int]]:
    """(places of the bank, how many of them a paper gets) for each part of the rules' draw.

    A question belongs to the first part that fits it, so that no paper has it twice: name the narrow parts first,
    and a last part without topic and difficulty draws from the rest.

    Raises:
        Refusal: invalid_request, if a part draws more questions than the bank has for it.
    """
    if rules.fixed and len(content) != rules.questions:
        message = _l(
            "The bank has %(have)s questions; a fixed set has exactly %(need)s.",
            have=len(content),
            need=rules.questions,
        )
        raise Refusal("invalid_request", errors=(FieldError("bank", message),))
    parts, homes = parts_of(rules), homes_of(rules, content)
    places: list[list[int]] = [[] for _ in parts]
    for place, home in enumerate(homes):
        if home is not None:
            places[home].append(place)
    for number, part in enumerate(parts):
        if len(places[number]) < part.count:
            message = _l(
                "The bank has %(have)s questions for part %(part)s of the draw, which needs %(need)s.",
                have=len(places[number]),
                part=number + 1,
                need=part.count,
            )
            raise Refusal("invalid_request", errors=(FieldError("bank", message),))
    return [(places[number], part.count) for number, part in enumerate(parts)]


def parts_of(rules: Rules) -> tuple[DrawPart, ...]:
    """What a paper is made of; without parts in the rules all of it comes from the whole bank."""
    return rules.draw or (DrawPart(rules.questions),)


def homes_of(rules: Rules, content: Sequence[Mapping[str, Any]]) -> list[int | None]:
    """For each question (its topic and difficulty) the place of the first part that it fits; None if it fits none."""
    parts = parts_of(rules)
    return [next((number for number, part in enumerate(parts) if _fits(part, question)), None) for question in content]


def contest_cards(session: Session) -> list[ContestCard]:
    """All contests with their rounds, drafts left out."""
    contests = _contests(session)
    return _cards(contests, _banks(session), _notices(session, contests))


def publish(session: Session, redis: Redis) -> None:
    """Write banks and then the season document into intake; processes notice within a second.

    Call it after the commit of what changed.
    """
    session.execute(select(func.pg_advisory_xact_lock(_PUBLISHING)))
    contests, banks = _contests(session), _banks(session)
    for (round_id, version), bank in banks.items():
        write_bank(redis, round_id, version, _bank_questions(bank))
    write_season(redis, _cards(contests, banks, _notices(session, contests)))


def _contests(session: Session) -> Sequence[Contest]:
    statement = select(Contest).options(selectinload(Contest.rounds)).order_by(Contest.id)
    return session.scalars(statement.execution_options(populate_existing=True)).all()


def _banks(session: Session) -> _Banks:
    """All banks of scheduled rounds: a paper in somebody's hand may be of an older version than the newest."""
    statement = select(Bank).join(Round, Round.id == Bank.round_id).where(Round.scheduled_at.is_not(None))
    return {(bank.round_id, bank.version): bank for bank in session.scalars(statement)}


def _notices(session: Session, contests: Sequence[Contest]) -> dict[int, list[Notice]]:
    """The newest announcements of each contest."""
    return {
        contest.id: [
            Notice(told.id, told.title, told.body, clock.to_ms(told.at), unit, number)
            for told, unit, number in announcements.newest(session, contest.id)
        ]
        for contest in contests
    }


def _cards(contests: Sequence[Contest], banks: _Banks, notices: Mapping[int, list[Notice]]) -> list[ContestCard]:
    return [
        ContestCard(
            id=contest.id,
            slug=contest.slug,
            title=contest.title,
            current=contest.is_current,
            rounds=[
                round_card(made, banks[made.id, made.bank_version])
                for made in contest.rounds
                if made.scheduled_at is not None and made.bank_version is not None
            ],
            notices=notices[contest.id],
        )
        for contest in contests
    ]


def _bank_questions(bank: Bank) -> list[BankQuestion]:
    """What may leave: texts and their ids, nothing of the tables."""
    return [
        BankQuestion(
            id=question["id"],
            text=question["text"],
            multiple=question["multiple"],
            options=[BankOption(id=option["id"], text=option["text"]) for option in question["options"]],
        )
        for question in bank.content
    ]


def _fits(part: DrawPart, question: Mapping[str, Any]) -> bool:
    return part.topic in (None, question["topic"]) and part.difficulty in (None, question["difficulty"])


def _ms(iso: str) -> int:
    return clock.to_ms(datetime.fromisoformat(iso))


def _maybe_ms(instant: datetime | None) -> int | None:
    return None if instant is None else clock.to_ms(instant)
