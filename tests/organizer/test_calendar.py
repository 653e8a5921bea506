"""The calendar through its screens: planned, moved, announced; an open round is safe from every form."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from quiz import clock
from quiz.extensions import Platform, db
from quiz.intake import calls
from quiz.models import Announcement, AuditEvent, Contest, Question, Round
from quiz.services import questions
from tests import seasons

PLAN = {"start": "2027-06-02", "weekday": "0", "hour": "10", "hours": "167", "every": "7", "count": "23"}
MOVE = {"first": "3", "which": "rest", "days": "19", "reason": "Lùi lịch", "title": "Lịch mới", "body": "Xin chú ý."}


def rounds(contest_id: int) -> list[Round]:
    db.session.expire_all()
    return list(db.session.scalars(select(Round).where(Round.contest_id == contest_id).order_by(Round.number)))


def acts() -> list[str]:
    return list(db.session.scalars(select(AuditEvent.action).order_by(AuditEvent.id)))


def page(browser: FlaskClient, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def test_a_contest_begins_from_a_template_and_gets_its_rounds_in_one_act(organizer: FlaskClient) -> None:
    form = {"title": "Cuộc thi mới", "slug": "thi-moi", "template": "weekly", "current": "yes"}
    assert organizer.post("/staff/contests/new", data=form).status_code == 303
    plan = PLAN | {"template": "weekly", "themes": "Quốc hội khóa I\nHiến pháp 1946"}
    preview = organizer.post("/staff/contests/thi-moi/plan", data=plan)
    made = db.session.scalars(select(Contest)).one()
    assert preview.status_code == 200
    assert rounds(made.id) == []
    assert organizer.post("/staff/contests/thi-moi/plan", data=plan | {"create": "1"}).status_code == 303
    planned = rounds(made.id)
    local = [each.opens_at.astimezone(clock.CONTEST_ZONE) for each in planned]
    assert len(planned) == 23
    assert local[0].isoformat() == "2027-06-07T10:00:00+07:00"
    assert {(each.weekday(), each.hour) for each in local} == {(0, 10)}
    assert [each.theme for each in planned[:3]] == ["Quốc hội khóa I", "Hiến pháp 1946", "Tuần 3"]
    assert planned[0].rules["prediction"]["kind"] == "all_correct"
    assert acts()[1:] == ["contest.created", "calendar.planned"]
    # The same form once more would lay rounds over rounds.
    again = organizer.post("/staff/contests/thi-moi/plan", data=plan | {"create": "1"})
    assert again.status_code == 422
    assert len(rounds(made.id)) == 23


def test_rounds_may_be_open_on_some_days_and_hours_only(organizer: FlaskClient) -> None:
    made = seasons.contest(db.session())
    db.session.commit()
    form = PLAN | {"template": "cong-dan-2026", "count": "2", "hours_kind": "some", "from_hour": "8", "to_hour": "22"}
    path = f"/staff/contests/{made.slug}/plan"
    assert organizer.post(path, data=form | {"create": "1"}).status_code == 422  # no day
    assert organizer.post(path, data=form | {"create": "1", "days": "5", "from_hour": "22"}).status_code == 422
    days = {"days": ["0", "5", "6"]}
    assert organizer.post(path, data=form | {"create": "1"} | days).status_code == 303
    first = rounds(made.id)[0]
    assert first.windows is not None
    # Monday 10:00 to Monday 9:00: the first Monday begins with the round, the last one ends with it.
    assert [(opens[:16], closes[:16]) for opens, closes in first.windows] == [
        ("2027-06-07T10:00", "2027-06-07T22:00"),
        ("2027-06-12T08:00", "2027-06-12T22:00"),
        ("2027-06-13T08:00", "2027-06-13T22:00"),
        ("2027-06-14T08:00", "2027-06-14T09:00"),
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"start": "gestern"},
        {"start": "2020-01-01"},
        {"count": "0"},
        {"count": "201"},
        {"count": "9" * 30},
        {"hours": "169"},
        {"hour": "24"},
        {"weekday": "7"},
        {"template": "nothing"},
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(organizer: FlaskClient, wrong: dict[str, str]) -> None:
    made = seasons.contest(db.session())
    db.session.commit()
    data = PLAN | {"template": "weekly", "create": "1"} | wrong
    assert organizer.post(f"/staff/contests/{made.slug}/plan", data=data).status_code == 422
    assert rounds(made.id) == []


def test_a_draft_is_frozen_scheduled_and_takes_papers(organizer: FlaskClient, platform: Platform) -> None:
    made = seasons.contest(db.session())
    draft = seasons.draft_round(db.session(), made, bank=[])
    draft.opens_at, draft.closes_at = clock.now() + seasons.WEEK, clock.now() + 2 * seasons.WEEK
    db.session.commit()
    path = f"/staff/contests/{made.slug}/rounds/1"
    assert organizer.post(f"{path}/schedule").status_code == 422
    questions.add_questions(db.session(), draft, seasons.drafts(), clock.now())
    db.session.commit()
    assert organizer.post(f"{path}/freeze").status_code == 422  # nobody has reviewed them
    db.session.execute(update(Question).values(reviewed_at=clock.now()))
    db.session.commit()
    assert organizer.post(f"{path}/freeze").status_code == 303
    assert organizer.post(f"{path}/schedule").status_code == 303
    card = platform.season.refresh().rounds[draft.id]
    opens = clock.to_ms(rounds(made.id)[0].opens_at)
    started = calls.start(
        platform.gateway, platform.signer, 0, platform.season.get(), card, calls.Starter(1, 1, 0), opens
    )
    assert started.opened
    assert acts()[1:] == ["bank.frozen", "round.scheduled"]


def test_the_rest_of_the_calendar_moves_by_19_days_in_one_act(organizer: FlaskClient, contest: Contest) -> None:
    before = [each.opens_at for each in rounds(contest.id)]
    path = f"/staff/contests/{contest.slug}/move"
    preview = organizer.post(path, data=MOVE)
    assert preview.status_code == 200
    assert [each.opens_at for each in rounds(contest.id)] == before
    assert organizer.post(path, data=MOVE | {"go": "1", "confirm": "something"}).status_code == 422
    assert organizer.post(path, data=MOVE | {"go": "1", "confirm": contest.slug, "reason": " "}).status_code == 422
    assert [each.opens_at for each in rounds(contest.id)] == before
    assert organizer.post(path, data=MOVE | {"go": "1", "confirm": contest.slug}).status_code == 303
    days = timedelta(days=19)
    assert [each.opens_at for each in rounds(contest.id)] == before[:2] + [opens + days for opens in before[2:]]
    assert [told.title for told in db.session.scalars(select(Announcement))] == ["Lịch mới"]
    trace = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "calendar.moved")).one()
    assert (trace.actor_id, trace.reason, len(trace.detail["rounds"])) == (1, "Lùi lịch", 21)


def test_everybody_reads_the_notice_and_nobody_reads_another_provinces(
    organizer: FlaskClient, contest: Contest, platform: Platform
) -> None:
    path = f"/staff/contests/{contest.slug}/announcements"
    for form in (
        {"title": "Cho mọi người", "audience": "all"},
        {"title": "Cho Nghệ An", "audience": "unit", "unit": "40"},
        {"title": "Về tuần này", "audience": "round", "round": "2"},
        {"title": "Về tuần sau", "audience": "round", "round": "3"},
    ):
        assert organizer.post(path, data=form).status_code == 303
    platform.season.refresh()
    stranger = organizer.application.test_client()
    home = page(stranger, "/")
    seen = [title for title in ("Cho mọi người", "Cho Nghệ An", "Về tuần này", "Về tuần sau") if title in home]
    # A round's news is for those who took part in it: tests/organizer/test_announcements.py.
    assert seen == ["Cho mọi người"]
    with stranger.session_transaction() as session:
        session["unit"] = {"code": "17000", "name": "Xã", "province_code": "40", "province_name": "Nghệ An"}
    assert "Cho Nghệ An" in page(stranger, "/")
    assert organizer.post(path, data={"title": " "}).status_code == 422
    assert organizer.post(path, data={"title": "x", "audience": "unit", "unit": "nobody"}).status_code == 404
    assert acts().count("announcement.made") == 4


def test_no_form_breaks_an_open_round(organizer: FlaskClient, contest: Contest) -> None:
    path = f"/staff/contests/{contest.slug}/rounds/2"
    before = rounds(contest.id)[1]
    held = (before.opens_at, before.closes_at, before.bank_version, before.key_version)
    assert "Đề đã được rút theo đó" in page(organizer, path)
    times = {"theme": "Khác", "opens_at": "2030-01-01T10:00", "closes_at": "2030-01-08T10:00"}
    refused = [
        organizer.post(path, data=times),
        organizer.post(f"{path}/freeze"),
        organizer.post(f"{path}/finalize"),
        organizer.post(f"{path}/publish"),
        organizer.post(
            f"/staff/contests/{contest.slug}/move",
            data=MOVE | {"first": "2", "days": "-1", "go": "1", "confirm": contest.slug},
        ),
    ]
    assert [answer.status_code for answer in refused] == [422] * 5
    after = rounds(contest.id)[1]
    assert (after.opens_at, after.closes_at, after.bank_version, after.key_version) == held
    assert after.theme == "Chủ đề 2"
    # Its theme may be put right, and everybody sees it.
    assert organizer.post(path, data={"theme": "Chủ đề đúng"}).status_code == 303
    assert rounds(contest.id)[1].theme == "Chủ đề đúng"


def test_a_round_that_is_over_moves_no_more(organizer: FlaskClient, contest: Contest) -> None:
    form = MOVE | {"first": "1", "go": "1", "confirm": contest.slug}
    assert organizer.post(f"/staff/contests/{contest.slug}/move", data=form).status_code == 422
    assert db.session.scalars(select(Announcement)).all() == []


@pytest.mark.parametrize("number", [0, 24, 40_000, 10**30])
def test_a_round_that_is_not_there_is_not_found(organizer: FlaskClient, contest: Contest, number: int) -> None:
    assert organizer.get(f"/staff/contests/{contest.slug}/rounds/{number}").status_code == 404
    form = MOVE | {"first": str(number), "which": "one", "go": "1", "confirm": contest.slug}
    assert organizer.post(f"/staff/contests/{contest.slug}/move", data=form).status_code == 422
