"""Prizes on the pages of the staff and of everybody: two organizers, the round's number typed, a worker between."""

from __future__ import annotations

import re

import pytest
from flask import Flask, g
from flask.testing import FlaskClient
from sqlalchemy import text

from quiz import clock
from quiz.extensions import Platform, db
from quiz.intake import work
from quiz.models import Round, User
from quiz.services import invitations, season
from quiz.services.awards import lists
from scoring import jobs
from tests import staffing
from tests.services.awarding import CHECKER, MAKER, final_round, names, person

PATH = "/staff/contests/cuoc-thi/rounds/1/awards"


def signed_in(app: Flask, phone: str, name: str, role: str = "organizer") -> FlaskClient:
    staffing.make(role, phone, name=name)
    g.pop("_login_user", None)
    browser = app.test_client()
    staffing.enter(browser, phone)
    return browser


@pytest.fixture
def maker(app: Flask) -> FlaskClient:
    return signed_in(app, MAKER, "Lê Hoàng Nam")


@pytest.fixture
def checker(app: Flask, maker: FlaskClient) -> FlaskClient:
    return signed_in(app, CHECKER, "Trần Thị Mai")


@pytest.fixture
def people(app: Flask) -> list[int]:
    return [person(f"Nguyễn Văn {letter}") for letter in "ABCDEF"]


@pytest.fixture
def awarded(app: Flask, people: list[int], platform: Platform, monkeypatch: pytest.MonkeyPatch) -> Round:
    monkeypatch.setattr(jobs, "application", lambda: app)
    made = final_round(dict(zip(people, (20, 19, 18, 17), strict=False)))
    season.prime_all(db.session(), platform.gateway.client, clock.now())
    db.session.commit()
    platform.season.refresh()
    return made


def page(browser: FlaskClient, path: str = PATH) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_data(as_text=True)


def run_jobs(platform: Platform) -> list[str]:
    """What a worker would do of what was asked."""
    asked = work.asked(platform.queue)
    db.session.rollback()  # what the pages of a test have read is theirs no more
    for each in asked:
        getattr(jobs, each.name)(each.argument, each.actor_id)
    assert work.asked(platform.queue) == []
    return [each.name for each in asked]


def post(browser: FlaskClient, html: str, ending: str, status: int = 303, **form: str) -> None:
    """Send the first form of a page whose address ends so."""
    found = re.search(rf'action="([^"]*/{ending})"', html)
    assert found, f"no form to {ending}"
    answer = browser.post(found[1], data=form)
    assert answer.status_code == status, answer.get_data(as_text=True)


def test_from_the_button_to_the_winner_s_home_page(
    maker: FlaskClient, checker: FlaskClient, awarded: Round, people: list[int], platform: Platform, app: Flask
) -> None:
    assert maker.post(PATH).status_code == 303
    assert 'data-again="2"' in page(maker)
    assert run_jobs(platform) == ["make_awards"]
    own = page(maker)
    assert "Nguyễn Văn A" in own
    assert "/check" not in own  # who made it can't check it
    post(checker, page(checker), "check")
    post(maker, page(maker), "announce", 422, typed="9")
    assert "Nguyễn" not in page(app.test_client(), "/awards")
    post(maker, page(maker), "announce", typed="1")
    shown = page(app.test_client(), "/awards")
    assert "N. V. A" in shown
    assert "Nguyễn Văn A" not in shown
    g.pop("_login_user", None)
    winner = app.test_client()
    user = db.session.get_one(User, people[0])
    with winner.session_transaction() as kept:
        kept.update({"_user_id": f"{user.id}:{user.unit_id}:0:participant:{user.full_name}", "_fresh": True})
    post(maker, page(maker), "pay", paid_on="2026-02-01", reference="UNC 1", award="1")
    post(maker, page(maker), "pay", 422, paid_on="2999-02-01", reference="UNC 1", award="2")
    csv = maker.get("/staff/awards/lists/1/csv")
    assert "UNC 1" in csv.get_data(as_text=True)
    assert maker.get("/staff/awards/lists/1/exe").status_code == 404


def test_a_disqualified_winner_and_the_entries_apart(
    maker: FlaskClient, checker: FlaskClient, awarded: Round, people: list[int], platform: Platform
) -> None:
    maker.post(PATH)
    run_jobs(platform)
    post(checker, page(checker), "check")
    post(maker, page(maker), "disqualify", 422, reason=" ")
    post(maker, page(maker), "disqualify", reason="Thi hộ")
    assert run_jobs(platform) == []  # the prize alone; the entries stay
    html = page(checker)
    assert "Thi hộ" in html
    post(checker, html, "accept")
    made = lists.in_work(db.session(), awarded.id)
    assert made is not None
    assert names(made, people)[0] == ("first", 3)
    standings = "SELECT count(*) FROM standing WHERE person_id = :id"
    db.session.execute(text("UPDATE round SET key_version = 1"))
    db.session.execute(
        text(
            "INSERT INTO entry (round_id, participant_id, issuer, attempt, unit_id, bank_version, key_version, kind, "
            "score, correct, duration_ms, started_at, received_at, counted, questions, answers, merit) "
            "SELECT round_id, person_id, 0, 1, unit_id, 1, 1, 1, score, correct, duration_ms, received_at, "
            "received_at, true, '', '', merit FROM standing"
        )
    )
    db.session.commit()
    post(maker, page(maker), "entries")
    assert run_jobs(platform) == ["settle_disqualification"]
    assert db.session.scalar(text(standings), {"id": people[0]}) == 0
    offered = next(award for award in lists.living(made) if award.person_id == people[3])
    maker.post(f"/staff/awards/places/{offered.id}/disqualify", data={"reason": "Từ chối nhận"})
    first = next(award for award in made.awards if award.person_id == people[0])
    answer = maker.post(f"/staff/awards/places/{first.id}/reinstate", data={"reason": "Xác minh lại"})
    assert answer.status_code == 303
    assert run_jobs(platform) == ["settle_disqualification"]
    assert db.session.scalar(text(standings), {"id": people[0]}) == 1


def test_the_empty_pages_say_what_to_do(maker: FlaskClient, awarded: Round, app: Flask) -> None:
    assert f'href="{PATH}"' in page(maker, "/staff/contests/cuoc-thi/awards")
    assert maker.get("/staff/awards").headers["Location"].endswith("/contests/cuoc-thi/awards")
    assert "Trang chủ" in page(app.test_client(), "/awards")
    assert app.test_client().get("/awards/lots/1").status_code == 404
    assert page(maker, "/staff/units/members")


def test_the_script_is_there_for_everybody(app: Flask) -> None:
    answer = app.test_client().get("/awards/lot_check.py")
    assert answer.get_data(as_text=True).startswith("#!/usr/bin/env python3")
    assert answer.headers["Content-Disposition"] == "attachment; filename=lot_check.py"


def test_a_lot_s_list_can_be_taken_once_it_is_published(
    maker: FlaskClient, app: Flask, people: list[int], platform: Platform, awarded: Round
) -> None:
    db.session.execute(text("UPDATE standing SET merit = (SELECT min(merit) FROM standing)"))
    db.session.commit()
    maker.post(PATH)
    run_jobs(platform)
    post(maker, page(maker), "publish", 422, seed_source="")
    post(maker, page(maker), "publish", seed_source="Xổ số miền Bắc")
    anybody = app.test_client()
    assert len(anybody.get("/awards/lots/1/list.txt").get_data(as_text=True).split()) == 4
    post(maker, page(maker), "draw", seed="20418")
    assert run_jobs(platform) == ["make_awards"]
    assert "20418" in page(anybody, "/awards/lots/1")
    assert "N. V." not in page(anybody, "/awards/lots/1")  # not before they are announced


# Who brought whom


def test_who_comes_by_a_link_is_brought_by_its_owner_once_and_for_all(
    app: Flask, platform: Platform, awarded: Round, people: list[int]
) -> None:
    code = invitations.code_of(platform.settings.secret_key, people[0])
    browser = app.test_client()
    assert browser.get(f"/moi/{code}").headers["Location"].endswith("/register")
    form = {
        "province": "01", "commune": "unknown", "full_name": "Đỗ Thị Mới", "phone": "0911000111",
        "password": "mùa thu lá bay", "consent": "yes",
    }  # fmt: skip
    assert browser.post("/register", data=form).status_code == 303
    made = db.session.query(User).filter(User.full_name == "Đỗ Thị Mới").one()
    assert made.invited_by == people[0]
    home = browser.get("/").get_data(as_text=True)
    assert f"/moi/{invitations.code_of(platform.settings.secret_key, made.id)}" in home


@pytest.mark.parametrize("code", ["x", "!!!!!!!!", "0" * 8, "ab" * 40])
def test_a_code_of_nobody_brings_nobody(app: Flask, platform: Platform, code: str) -> None:
    assert invitations.inviter(db.session(), platform.settings.secret_key, code) is None
    assert app.test_client().get(f"/moi/{code}").status_code == 302


def test_codes_come_back_to_their_accounts_and_say_nothing() -> None:
    codes = {number: invitations.code_of("secret", number) for number in (*range(1, 500), 2_000_000, 2**39)}
    assert {invitations.account_of("secret", code) for code in codes.values()} == set(codes)
    assert len(set(codes.values())) == len(codes)
    assert all(invitations.account_of("another", code) != number for number, code in codes.items())
