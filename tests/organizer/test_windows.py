"""The hours of a round changed after its creation, and a scheduled round taken back: nobody loses time by either."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from quiz import clock
from quiz.errors import Refusal
from quiz.extensions import Platform, db
from quiz.intake import calls
from quiz.models import Announcement, AuditEvent, Contest, Round
from quiz.services import season
from quiz.services.season import windows

WEEKEND = {"hours_kind": "some", "days": ["5", "6"], "from_hour": "8", "to_hour": "22"}
SAY = {"go": "1", "reason": "Nghỉ lễ", "title": "Giờ thi mới", "body": "Chỉ mở cuối tuần."}


def made(contest: Contest, number: int) -> Round:
    db.session.rollback()
    return db.session.scalars(select(Round).where(Round.contest_id == contest.id, Round.number == number)).one()


def path(contest: Contest, number: int, act: str = "hours") -> str:
    return f"/staff/contests/{contest.slug}/rounds/{number}/{act}"


def acts() -> list[str]:
    return list(db.session.scalars(select(AuditEvent.action).order_by(AuditEvent.id)))


def test_hours_are_shown_before_they_are_changed_and_then_told_once(
    organizer: FlaskClient, contest: Contest, platform: Platform
) -> None:
    where = path(contest, 3)
    preview = organizer.post(where, data=WEEKEND)
    assert preview.status_code == 200
    assert "giờ" in preview.get_data(as_text=True)
    assert made(contest, 3).windows is None
    assert organizer.post(where, data=WEEKEND | SAY | {"reason": " "}).status_code == 422
    assert organizer.post(where, data=WEEKEND | SAY | {"title": ""}).status_code == 422
    assert organizer.post(where, data=WEEKEND | SAY).status_code == 303
    held = windows.windows_of(made(contest, 3))
    local = [each.astimezone(clock.CONTEST_ZONE) for pair in held for each in pair]
    assert {each.weekday() for each in local} == {5, 6}
    assert [told.title for told in db.session.scalars(select(Announcement))] == ["Giờ thi mới"]
    trace = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "round.hours_changed")).one()
    assert (trace.actor_id, trace.reason, len(trace.detail["after"])) == (1, "Nghỉ lễ", len(held))
    # Intake goes by them at once: no paper on the Friday, one on the Saturday.
    card = platform.season.refresh().rounds[made(contest, 3).id]
    first = clock.to_ms(held[0][0])
    with pytest.raises(calls.RoundNotOpen):
        start(platform, card, 1, first - 60_000)
    assert start(platform, card, 1, first).opened
    assert organizer.post(where, data={"hours_kind": "all"} | SAY).status_code == 303
    assert made(contest, 3).windows is None


def start(platform: Platform, card: calls.RoundCard, who: int, now: int) -> calls.Started:
    return calls.start(platform.gateway, platform.signer, 0, platform.season.get(), card, calls.Starter(who, 1, 0), now)


@pytest.mark.parametrize(
    "wrong",
    [{"days": []}, {"from_hour": "22", "to_hour": "8"}, {"from_hour": "x"}, {"hours_kind": "never"}, {"to_hour": "25"}],
)
def test_hours_that_make_no_sense_are_refused(organizer: FlaskClient, contest: Contest, wrong: dict[str, Any]) -> None:
    assert organizer.post(path(contest, 3), data=WEEKEND | SAY | wrong).status_code == 422
    assert made(contest, 3).windows is None


def test_a_round_that_is_over_keeps_its_hours(organizer: FlaskClient, contest: Contest) -> None:
    assert organizer.post(path(contest, 1), data=WEEKEND | SAY).status_code == 422
    assert made(contest, 1).windows is None


# An open round


@pytest.fixture
def halves(contest: Contest, platform: Platform) -> tuple[Round, datetime]:
    """The open round has three windows: one past, one of now that closes in four minutes, one to come; and now."""
    now = clock.now().replace(second=0, microsecond=0)
    held = made(contest, 2)
    edges = [held.opens_at, now - timedelta(hours=3), now - timedelta(hours=1), now + timedelta(minutes=4)]
    edges += [now + timedelta(days=1), held.closes_at]
    held.windows = [[clock.iso(edges[place]), clock.iso(edges[place + 1])] for place in (0, 2, 4)]
    db.session.commit()
    season.prime_all(db.session(), platform.gateway.client, now)
    db.session.commit()
    platform.season.refresh()
    return held, now


def test_in_an_open_round_the_window_of_now_only_grows_and_open_papers_gain_the_time(
    organizer: FlaskClient, halves: tuple[Round, datetime], platform: Platform
) -> None:
    held, now = halves
    before = windows.windows_of(held)
    card = platform.season.refresh().rounds[held.id]
    begun = start(platform, card, 1, clock.to_ms(now))
    assert begun.paper.deadline == clock.to_ms(before[1][1])
    done = windows.change(db.session(), held, None, now, actor_id=1, reason="Nghẽn mạng", notice=("Mở thêm giờ", ""))
    db.session.commit()
    assert done.after[:2] == [before[0], (before[1][0], held.closes_at)]
    assert done.kept == 2
    assert season.copy_times(db.session(), platform.gateway, [held.id]) == 1
    card = platform.season.refresh().rounds[held.id]
    again = start(platform, card, 1, clock.to_ms(now) + 1_000)
    assert (again.opened, again.paper.deadline) == (False, begun.paper.started + 600_000)
    assert again.paper.deadline <= clock.to_ms(held.closes_at)


def test_nobody_is_put_out_of_a_window(halves: tuple[Round, datetime]) -> None:
    held, now = halves
    today = now.astimezone(clock.CONTEST_ZONE).weekday()
    others = frozenset(range(7)) - {today}
    with pytest.raises(Refusal) as refused:
        windows.preview(held, (others, 0, 24), now)
    assert [error.field for error in refused.value.errors] == ["days"]


def test_between_two_windows_only_what_comes_changes(halves: tuple[Round, datetime]) -> None:
    held, now = halves
    later = now + timedelta(minutes=10)
    before = windows.windows_of(held)
    done = windows.preview(held, None, later)
    assert done.after == [*before[:2], (later + timedelta(minutes=1), held.closes_at)]
    assert done.kept == 2


# Back to a draft


def test_a_scheduled_round_goes_back_to_a_draft(organizer: FlaskClient, contest: Contest, platform: Platform) -> None:
    where, form = path(contest, 5, "unschedule"), {"reason": "Chưa đủ câu hỏi", "typed": "5"}
    assert organizer.get(where).status_code == 200
    assert organizer.post(where, data=form | {"typed": "4"}).status_code == 422
    assert organizer.post(where, data=form | {"reason": ""}).status_code == 422
    assert made(contest, 5).scheduled_at is not None
    assert organizer.post(where, data=form).status_code == 303
    assert made(contest, 5).scheduled_at is None
    assert made(contest, 5).id not in platform.season.refresh().rounds
    assert organizer.post(where, data=form).status_code == 303
    assert acts().count("round.unscheduled") == 1
    assert organizer.post(path(contest, 5, "schedule")).status_code == 303
    assert made(contest, 5).id in platform.season.refresh().rounds


@pytest.mark.parametrize("number", [1, 2])
def test_a_round_that_has_opened_stays(organizer: FlaskClient, contest: Contest, number: int) -> None:
    form = {"reason": "x", "typed": str(number)}
    assert organizer.post(path(contest, number, "unschedule"), data=form).status_code == 422
    assert made(contest, number).scheduled_at is not None


def test_nor_is_it_taken_back_in_the_minute_before_it_opens(organizer: FlaskClient, contest: Contest) -> None:
    held = made(contest, 3)
    at = held.opens_at - timedelta(seconds=30)
    with pytest.raises(Refusal):
        windows.unschedule(db.session(), held, "3", at, actor_id=1, reason="x")
    windows.unschedule(db.session(), held, "3", at - timedelta(minutes=1), actor_id=1, reason="x")
    assert held.scheduled_at is None


def test_what_may_still_change_is_said(organizer: FlaskClient, contest: Contest) -> None:
    said = organizer.get(f"/staff/contests/{contest.slug}/rounds/2").get_data(as_text=True)
    assert path(contest, 2) in said
    assert path(contest, 2, "unschedule") not in said
    assert path(contest, 3, "unschedule") in organizer.get(f"/staff/contests/{contest.slug}/rounds/3").get_data(
        as_text=True
    )
