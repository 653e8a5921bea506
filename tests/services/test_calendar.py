"""The calendar is planned and moved in one act; no attempt is lost by it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from quiz import clock
from quiz.errors import Refusal
from quiz.extensions import Platform, db
from quiz.intake import calls, keys
from quiz.intake.signing import SignedPaper
from quiz.models import Announcement, AuditEvent, Contest, Round, User
from quiz.services import season
from tests import seasons

DAY = timedelta(days=1)
BEFORE = seasons.OPENS - 30 * DAY


@pytest.fixture
def contest(platform: Platform) -> Contest:
    """23 scheduled rounds, from the 5th of January 2026 on."""
    made = seasons.contest(db.session())
    for number in range(1, 24):
        seasons.scheduled_round(db.session(), made, number)
    db.session.commit()
    season.prime_all(db.session(), platform.gateway.client, BEFORE)
    return made


def organizer() -> int:
    user = User(person_id=0, full_name="Người tổ chức", role="organizer", created_at=BEFORE)
    db.session.add(user)
    db.session.commit()
    return user.id


def rounds(contest: Contest) -> list[Round]:
    return list(db.session.scalars(select(Round).where(Round.contest_id == contest.id).order_by(Round.number)))


def move(contest: Contest, first: int, by: timedelta, now: datetime, **changes: object) -> list[season.Move]:
    given = {"actor_id": None, "reason": "Lùi lịch", "notice": ("Lịch thi mới", "Các tuần thi lùi lại."), **changes}
    return season.move(db.session(), contest, first, by, now, **given)


def test_the_whole_calendar_moves_by_19_days_in_one_act(contest: Contest, platform: Platform) -> None:
    before = [made.opens_at for made in rounds(contest)]
    actor = organizer()
    moves = move(contest, 1, 19 * DAY, BEFORE, actor_id=actor)
    db.session.commit()
    season.copy_move(db.session(), platform.gateway, moves)

    assert [made.opens_at for made in rounds(contest)] == [opens + 19 * DAY for opens in before]
    assert [told.title for told in db.session.scalars(select(Announcement))] == ["Lịch thi mới"]
    trace = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "calendar.moved")).one()
    assert (trace.actor_id, trace.reason, len(trace.detail["rounds"])) == (actor, "Lùi lịch", 23)
    # Intake takes papers by the new calendar alone.
    cards = list(platform.season.refresh().rounds.values())
    who = calls.Starter(1, 1, 0)
    assert {card.opens for card in cards} == {clock.to_ms(opens + 19 * DAY) for opens in before}
    with pytest.raises(calls.RoundNotOpen):
        start(platform, cards[0], who, clock.to_ms(before[0] + DAY))
    assert start(platform, cards[0], who, clock.to_ms(before[0] + 20 * DAY)).opened


def start(platform: Platform, card: calls.RoundCard, who: calls.Starter, now: int) -> calls.Started:
    return calls.start(platform.gateway, platform.signer, 0, platform.season.get(), card, who, now)


def test_an_open_round_closes_later_and_its_open_attempts_gain_the_time(contest: Contest, platform: Platform) -> None:
    first = rounds(contest)[0]
    now = first.closes_at - timedelta(minutes=4)
    card = platform.season.refresh().rounds[first.id]
    begun = start(platform, card, calls.Starter(1, 1, 0), clock.to_ms(now))
    assert begun.paper.deadline == clock.to_ms(first.closes_at)

    moves = move(contest, 1, 19 * DAY, now)
    db.session.commit()
    assert season.copy_move(db.session(), platform.gateway, moves) == 1
    assert season.copy_move(db.session(), platform.gateway, moves) == 0

    assert [(each.number, each.running) for each in moves[:2]] == [(1, True), (2, False)]
    assert moves[0].after == (moves[0].before[0], moves[0].before[1] + 19 * DAY)
    card = platform.season.refresh().rounds[first.id]
    again = start(platform, card, calls.Starter(1, 1, 0), clock.to_ms(now) + 1_000)
    assert (again.opened, again.paper.attempt, again.paper.deadline) == (False, 1, begun.paper.started + 600_000)
    # The paper in the person's hand, with the old deadline in it, is taken past that.
    signed = platform.signer.verify_paper(begun.token)
    late = begun.paper.deadline + 120_000
    assert calls.hand_in(platform.gateway, platform.signer, card, signed, [0] * 10, None, late).first


def test_no_attempt_is_lost_when_all_of_it_moves_in_the_middle_of_a_round(contest: Contest, platform: Platform) -> None:
    """A minute before round 2 closes: some have handed in, some have a draft, some have just begun."""
    second, third = rounds(contest)[1:3]
    closing, now = clock.to_ms(second.closes_at), second.closes_at - timedelta(minutes=1)
    card = platform.season.refresh().rounds[second.id]
    begun = {person: start(platform, card, calls.Starter(person, 1, 0), closing - 60_000) for person in range(1, 31)}
    signed = {person: platform.signer.verify_paper(each.token) for person, each in begun.items()}
    for person in range(1, 21):
        calls.keep_draft(platform.gateway, card, signed[person], [person] * 10, None, 1, closing - 50_000)
    receipts = {person: hand_in(platform, card, signed[person], person, closing - 40_000) for person in range(1, 11)}

    actor = organizer()
    moves = move(contest, 2, 19 * DAY, now, actor_id=actor)
    db.session.commit()
    assert season.copy_move(db.session(), platform.gateway, moves) == 20  # those that are still open

    assert db.session.scalars(select(Announcement.title)).all() == ["Lịch thi mới"]
    traces = db.session.scalars(select(AuditEvent).where(AuditEvent.action.not_in(("bank.frozen", "round.scheduled"))))
    assert [(each.action, each.actor_id) for each in traces] == [("calendar.moved", actor)]
    card = platform.season.refresh().rounds[second.id]
    later = closing + 120_000  # the old closing has passed by more than the grace
    for person, each in signed.items():
        again = start(platform, card, calls.Starter(person, 1, 0), later)
        if person <= 10:
            # What was handed in stands, with its receipt; the next attempt is the second.
            assert hand_in(platform, card, each, person, later).text == receipts[person].text
            assert (again.opened, again.paper.attempt) == (True, 2)
            continue
        assert (again.opened, again.paper.attempt, again.paper.questions) == (False, 1, each.paper.questions)
        kept = calls.read_draft(platform.gateway, card, person, 1)
        assert kept == (([person] * 10, None) if person <= 20 else None)
        assert hand_in(platform, card, each, person, later).first
    streams = [keys.entries(card.id, shard) for shard in range(card.shards)]
    assert sum(platform.gateway.client.xlen(stream) for stream in streams) == 30
    # No attempt straddles two rounds: one begun at the very end ends with its round, before the next one opens.
    end = card.closes
    last = start(platform, card, calls.Starter(99, 1, 0), end - 5_000)
    assert last.paper.deadline == end <= clock.to_ms(rounds(contest)[2].opens_at)
    assert rounds(contest)[2].opens_at == third.opens_at
    with pytest.raises(calls.RoundNotOpen):
        start(platform, card, calls.Starter(98, 1, 0), end)


def hand_in(platform: Platform, card: calls.RoundCard, signed: SignedPaper, answer: int, now: int) -> calls.Receipt:
    return calls.hand_in(platform.gateway, platform.signer, card, signed, [answer] * 10, None, now)


@pytest.mark.parametrize(
    ("first", "by", "now", "field"),
    [
        (1, timedelta(0), BEFORE, "by"),
        (24, DAY, BEFORE, "first"),
        (1, DAY, seasons.OPENS + 8 * DAY, "first"),  # round 1 is over
        (1, -DAY, seasons.OPENS + DAY, "by"),  # round 1 is open
        (2, -8 * DAY, BEFORE, "by"),  # into round 1
        (1, -40 * DAY, BEFORE, "by"),  # into the past
    ],
)
def test_what_would_break_a_round_is_refused(
    contest: Contest, first: int, by: timedelta, now: datetime, field: str
) -> None:
    with pytest.raises(Refusal) as refused:
        move(contest, first, by, now)
    assert refused.value.errors[0].field == field
    db.session.rollback()
    assert db.session.scalars(select(Announcement)).all() == []


def test_one_round_alone_moves_only_into_free_time(contest: Contest) -> None:
    with pytest.raises(Refusal):
        move(contest, 5, DAY, BEFORE, last=5)
    db.session.rollback()
    assert [each.number for each in move(contest, 23, DAY, BEFORE, last=23)] == [23]


def test_rounds_are_planned_by_weekday_and_hour_of_vietnam() -> None:
    start_at = datetime(2026, 6, 3, 2, 0, tzinfo=UTC)  # a Wednesday
    windows = season.plan(start_at, 0, 10, 3, length=timedelta(days=6, hours=23))
    local = [(opens.isoformat(), closes.isoformat()) for opens, closes in windows]
    assert local[0] == ("2026-06-08T10:00:00+07:00", "2026-06-15T09:00:00+07:00")
    assert local[2][0] == "2026-06-22T10:00:00+07:00"
    same_day = season.plan(datetime(2026, 6, 8, 2, 59, tzinfo=UTC), 0, 10, 1, length=DAY)
    assert same_day[0][0].isoformat() == "2026-06-08T10:00:00+07:00"
    too_late = season.plan(datetime(2026, 6, 8, 3, 1, tzinfo=UTC), 0, 10, 1, length=DAY)
    assert too_late[0][0].isoformat() == "2026-06-15T10:00:00+07:00"
