"""What home fetches apart, what a closed round shows, and the doors beside them."""

from __future__ import annotations

from datetime import timedelta

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from quiz.extensions import db
from quiz.services import accounts, units
from quiz.services.passwords import hash_password
from tests.browser import stage as staging
from tests.browser.stage import Stage


def text_of(answer: TestResponse) -> str:
    return answer.get_data(as_text=True)


def test_the_last_result_waits_for_its_release(signed_in: FlaskClient, stage: Stage) -> None:
    assert "Chưa có bài nào" in text_of(signed_in.get("/entries/last"))
    signed_in.post(f"/rounds/{staging.OPEN}/start")
    with signed_in.session_transaction() as session:
        token = session["paper"]
    signed_in.post("/paper", data={"paper": token, "hand_in": "1"})
    with signed_in.session_transaction() as session:
        session["paper"] = token
    assert "đang ghi nhận" in text_of(signed_in.get("/entries/last"))
    receipt = signed_in.get("/paper").headers["Location"]
    state = signed_in.get(f"{receipt}/state")
    assert (state.json, state.headers["Cache-Control"]) == ({"state": "accepted"}, "no-store")
    assert signed_in.get("/entries/AAAA/state").status_code == 404
    stage.count()
    page = text_of(signed_in.get("/entries/last"))
    assert "Công bố điểm lúc" in page
    assert "0 điểm" not in page


def test_the_last_result_of_nobody_is_no_page(client: FlaskClient, stage: Stage) -> None:
    assert client.get("/entries/last").status_code == 302


def test_a_round_that_closed_shows_score_and_key(signed_in: FlaskClient, stage: Stage) -> None:
    import random

    me = accounts.Account(1, "Nguyễn Thị Lan", "participant", 0, units.get(db.session(), stage.home).id)
    opens = stage.now - timedelta(days=8)
    receipt = stage.take(staging.CLOSED, me, opens, 1.0, random.Random(3))
    stage.count()
    page = text_of(signed_in.get(f"/entries/{receipt}"))
    assert "10/10" in page
    assert page.count("bạn chọn") == 10
    assert page.count('class="option right"') == 10
    assert "Nguồn:" in page
    # Nobody else's.
    staging.person(stage, "0987654321", "Trần Văn Hai")
    signed_in.post("/sign-out")
    signed_in.post("/sign-in", data={"phone": "0987654321", "password": staging.PASSWORD})
    assert signed_in.get(f"/entries/{receipt}").status_code == 404


def test_staff_are_led_to_their_own_door(client: FlaskClient, stage: Stage) -> None:
    session = db.session()
    accounts.add_user(
        session,
        stage.now,
        full_name="Lê Hoàng Nam",
        phone="+84900000003",
        unit_id=None,
        role="organizer",
        password_hash=hash_password(staging.PASSWORD),
    )
    session.commit()
    answer = client.post("/sign-in", data={"phone": "0900000003", "password": staging.PASSWORD})
    assert answer.headers["Location"].endswith("/sign-in")
    assert answer.headers["Location"] != "/sign-in"
    assert client.get("/account").status_code == 302


def test_after_a_form_one_is_not_sent_to_its_address(client: FlaskClient, stage: Stage) -> None:
    assert "next" not in client.post(f"/rounds/{staging.OPEN}/start").headers["Location"]
    assert "next=/entries" in client.get("/entries").headers["Location"].replace("%2F", "/")


def test_a_paper_whose_time_is_long_over_leads_home(signed_in: FlaskClient, stage: Stage) -> None:
    from quiz import clock
    from quiz.intake.calls import Starter
    from quiz.services import papers

    card = stage.card(staging.OPEN)
    hour_ago = clock.to_ms(stage.now - timedelta(hours=1))
    started = papers.start(stage.desk, card, Starter(1, 1, 0), hour_ago, db.session)
    papers.start(stage.desk, card, Starter(1, 1, 0), clock.to_ms(clock.now()), db.session)
    with signed_in.session_transaction() as session:
        session["paper"] = started.token
    answer = signed_in.get("/paper", follow_redirects=True)
    assert answer.request.path == "/"
    assert "Đề này không nộp được nữa" in text_of(answer)


def test_the_icon_is_where_browsers_look(client: FlaskClient, stage: Stage) -> None:
    assert client.get("/favicon.ico").mimetype == "image/svg+xml"


def test_the_time_of_now_is_in_its_head(client: FlaskClient, stage: Stage) -> None:
    answer = client.get("/now")
    assert answer.status_code == 204
    assert answer.headers["Cache-Control"] == "no-store"
