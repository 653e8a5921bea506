"""The pages of the quiz: no query, no key, little weight, and nothing typed is lost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import Environment
from sqlalchemy import event
from werkzeug.test import TestResponse

from deploy.embedded import Servers
from quiz import pages
from quiz.extensions import db
from quiz.intake import keys
from tests.browser import stage as staging
from tests.browser.stage import OPEN, Stage

LIMIT = 60 * 1024
ROUND = f"/rounds/{OPEN}/start"


@pytest.fixture
def queries() -> Iterator[list[str]]:
    """Statements that were sent to PostgreSQL."""
    sent: list[str] = []

    def hear(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        sent.append(statement)

    event.listen(db.engine, "before_cursor_execute", hear)
    yield sent
    event.remove(db.engine, "before_cursor_execute", hear)


def text_of(answer: TestResponse) -> str:
    return answer.get_data(as_text=True)


def sheet_of(page: str) -> tuple[str, dict[str, list[str]]]:
    """(token, field → values) of a paper's page."""
    token = re.search(r'name="paper" value="([^"]+)"', page)
    assert token
    fields: dict[str, list[str]] = {}
    for name, value in re.findall(r'type="radio" name="(q\d+)" value="(\d+)"', page):
        fields.setdefault(name, []).append(value)
    return token[1], fields


def start(client: FlaskClient) -> tuple[str, dict[str, list[str]]]:
    answer = client.post(ROUND, follow_redirects=True)
    assert answer.status_code == 200
    return sheet_of(text_of(answer))


def test_from_home_to_the_hand_in_no_table_is_asked(signed_in: FlaskClient, queries: list[str]) -> None:
    db.session.rollback()
    del queries[:]
    assert signed_in.get("/").status_code == 200
    token, fields = start(signed_in)
    first = {name: values[0] for name, values in fields.items()}
    assert signed_in.post("/paper", data={"paper": token, "keep": "1", **first}).status_code == 303
    assert signed_in.get("/paper").status_code == 200
    assert signed_in.post("/paper", data={"paper": token, "hand_in": "1", **first}).status_code == 303
    assert signed_in.get("/paper").status_code == 302
    assert queries == []


def test_home_stands_while_the_database_is_down(signed_in: FlaskClient, servers: Servers) -> None:
    servers.postgres.kill9()
    try:
        db.engine.dispose()
        page = text_of(signed_in.get("/"))
        assert "Vào thi" in page
        assert "Bạn còn 7/7 lượt" in page
        token, fields = start(signed_in)
        data = {"paper": token, "hand_in": "1", **{name: values[1] for name, values in fields.items()}}
        assert signed_in.post("/paper", data=data).status_code == 303
        assert signed_in.get("/boards").status_code in (200, 503)
        assert signed_in.get("/entries").status_code == 503
    finally:
        servers.postgres.start()
        db.engine.dispose()


def test_home_stands_while_redis_is_down(signed_in: FlaskClient, stage: Stage, servers: Servers) -> None:
    signed_in.get("/")
    servers.redis.kill9()
    stage.platform.boards.forget()
    try:
        page = text_of(signed_in.get("/"))
        assert "Vào thi" in page
        assert "Lúc này chưa xem được bảng xếp hạng" in page
        answer = signed_in.post(ROUND)
        assert answer.status_code == 503
        assert "Retry-After" in answer.headers
    finally:
        servers.redis.start()


def test_the_paper_is_light(signed_in: FlaskClient) -> None:
    """All that a phone fetches for it, nothing in its cache, as it goes over the line."""
    signed_in.post(ROUND)
    page = signed_in.get("/paper")
    names = set(re.findall(r'(?:href|src)="(/assets/[^"]+)"', text_of(page)))
    weights = {name: len(signed_in.get(name, headers={"Accept-Encoding": "gzip"}).data) for name in names}
    assert len(page.data) + sum(weights.values()) < LIMIT, weights
    assert len(page.data) < LIMIT / 3


def test_assets_are_compressed_and_kept(client: FlaskClient, stage: Stage) -> None:
    name = re.findall(r'href="(/assets/[^"]+\.css)"', text_of(client.get("/")))[0]
    plain, squeezed = client.get(name), client.get(name, headers={"Accept-Encoding": "gzip"})
    assert squeezed.headers["Content-Encoding"] == "gzip"
    assert len(squeezed.data) < len(plain.data) / 3
    assert plain.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    other = client.get(re.sub(r"/assets/\w+/", "/assets/0000/", name))
    assert other.status_code == 200
    assert "immutable" not in other.headers["Cache-Control"]
    assert client.get("/assets/0000/../config.py").status_code == 404


@pytest.mark.parametrize("path", ["/", "/sign-in", "/register", "/boards", "/rounds", f"/rounds/{OPEN}", "/privacy"])
def test_pages_are_guarded_and_carry_no_code(client: FlaskClient, stage: Stage, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    policy = answer.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "script-src 'self'" in policy
    assert answer.headers["Cache-Control"] == "no-store"
    page = text_of(answer)
    assert not re.search(r"<script(?![^>]*\bsrc=)", page)
    assert not re.search(r"<[^>]+\s(style|on\w+)=", page)


def test_a_theme_that_somebody_typed_stays_text(
    signed_in: FlaskClient, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    from quiz.sessions import HomeUnit

    with signed_in.session_transaction() as session:
        session["unit"] = {
            "code": stage.home,
            "name": "<script>x</script>",
            "province_code": None,
            "province_name": None,
        }
    assert HomeUnit
    assert "<script>x" not in text_of(signed_in.get("/boards/people"))


def test_a_second_start_gives_the_same_paper(signed_in: FlaskClient) -> None:
    assert start(signed_in) == start(signed_in)


def test_a_sheet_survives_a_dead_redis_in_its_form(signed_in: FlaskClient, servers: Servers) -> None:
    token, fields = start(signed_in)
    ticked = {name: values[2] for name, values in fields.items()}
    servers.redis.kill9()
    try:
        answer = signed_in.post("/paper", data={"paper": token, "hand_in": "1", "prediction": "77", **ticked})
    finally:
        servers.redis.start()
    page = text_of(answer)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    assert len(re.findall(r'value="\d+" checked', page)) == 10
    assert 'value="77"' in page
    assert sheet_of(page)[0] == token


@pytest.mark.parametrize("prediction", ["rất nhiều", "-5", "1.5e9", "9" * 12, "2000000"])
def test_a_prediction_that_is_none_is_named_and_the_sheet_stays(signed_in: FlaskClient, prediction: str) -> None:
    token, fields = start(signed_in)
    ticked = {name: values[0] for name, values in fields.items()}
    answer = signed_in.post("/paper", data={"paper": token, "hand_in": "1", "prediction": prediction, **ticked})
    assert answer.status_code == 422
    assert len(re.findall(r'value="\d+" checked', text_of(answer))) == 10
    assert 'id="prediction-error"' in text_of(answer)


def test_an_option_of_another_question_is_refused(signed_in: FlaskClient) -> None:
    token, fields = start(signed_in)
    name = next(iter(fields))
    answer = signed_in.post("/paper", data={"paper": token, "hand_in": "1", name: "99"})
    assert answer.status_code == 422


@pytest.mark.parametrize("token", ["", "1.k1.abc", "x" * 5000])
def test_no_paper_and_a_forged_one(signed_in: FlaskClient, token: str) -> None:
    assert signed_in.post("/paper", data={"paper": token, "hand_in": "1"}).status_code == 400


def test_another_persons_paper(signed_in: FlaskClient, stage: Stage) -> None:
    token, _ = start(signed_in)
    staging.person(stage, "0987654321", "Trần Văn Hai")
    signed_in.post("/sign-out")
    signed_in.post("/sign-in", data={"phone": "0987654321", "password": staging.PASSWORD})
    assert signed_in.post("/paper", data={"paper": token, "hand_in": "1"}).status_code == 400
    assert signed_in.get("/paper").status_code == 302


def test_a_paper_can_be_handed_in_after_the_session_ended(signed_in: FlaskClient, stage: Stage) -> None:
    token, fields = start(signed_in)
    signed_in.post("/sign-out")
    ticked = {name: values[0] for name, values in fields.items()}
    assert signed_in.post("/paper", data={"paper": token, "hand_in": "1", **ticked}).status_code == 303
    assert stage.count() == 1


def test_start_needs_somebody(client: FlaskClient, stage: Stage) -> None:
    answer = client.post(ROUND)
    assert answer.status_code == 302
    assert "/sign-in" in answer.headers["Location"]


@pytest.mark.parametrize(("path", "status"), [("/rounds/99/start", 404), ("/rounds/12/start", 403)])
def test_rounds_that_cannot_be_started(signed_in: FlaskClient, path: str, status: int) -> None:
    answer = signed_in.post(path)
    assert answer.status_code == status
    assert "Về trang chủ" in text_of(answer)


def test_the_cap_is_said_on_the_page(signed_in: FlaskClient) -> None:
    for _ in range(7):
        token, _ = start(signed_in)
        assert signed_in.post("/paper", data={"paper": token, "hand_in": "1"}).status_code == 303
    assert "Bạn đã dùng hết lượt của tuần này" in text_of(signed_in.get("/"))
    assert signed_in.post(ROUND).status_code == 409


def test_no_page_of_an_open_round_depends_on_the_key(
    signed_in: FlaskClient, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The receipt, the history and the boards read the tables: turn the key round, and they must not change."""
    from sqlalchemy import text

    token, fields = start(signed_in)
    data = {"paper": token, "hand_in": "1", **{name: values[0] for name, values in fields.items()}}
    receipt = signed_in.post("/paper", data=data).headers["Location"]
    stage.count()
    paths = [receipt, "/entries", "/entries/last", "/boards/people", f"/boards/people?round={OPEN}", "/"]
    monkeypatch.setattr("quiz.clock.now", lambda: stage.now)

    def look() -> list[str]:
        # The forms' token says when it was made, to the second.
        return [re.sub(r'name="csrf_token" value="[^"]+"', "", text_of(signed_in.get(path))) for path in paths]

    before = look()
    for score, correct in ((0, 0), (10, 10)):
        db.session.execute(text("UPDATE entry SET score = :s, correct = :c"), {"s": score, "c": correct})
        db.session.execute(text("UPDATE standing SET score = :s, correct = :c"), {"s": score, "c": correct})
        db.session.commit()
        assert look() == before


def test_a_flushed_board_leaves_home_standing(signed_in: FlaskClient, stage: Stage) -> None:
    cache = stage.platform.cache
    cache.delete(*cache.keys("quiz80:boards:*"))
    stage.platform.boards.forget()
    assert "Lúc này chưa xem được bảng xếp hạng" in text_of(signed_in.get("/"))
    assert signed_in.get("/boards").status_code == 503


def test_a_stale_session_is_asked_to_sign_in(signed_in: FlaskClient, stage: Stage) -> None:
    card = stage.card(OPEN)
    bars = keys.bars(card.id, keys.shard_of(1, card.shards))
    stage.platform.gateway.client.hset(bars, "1", "5")
    answer = signed_in.post(ROUND, follow_redirects=True)
    assert "Hãy đăng nhập lại" in text_of(answer)


def test_the_papers_page_names_every_module_it_needs(signed_in: FlaskClient) -> None:
    """Otherwise a slow line fetches them one after the other, and a reload without a line lacks one."""
    signed_in.post(ROUND)
    page = text_of(signed_in.get("/paper"))
    named = set(re.findall(r'/js/(\w+)\.js"', page))
    wanted, seen = {"play"}, set[str]()
    while wanted - seen:
        module = (wanted - seen).pop()
        seen.add(module)
        path = re.search(r'"(/assets/[^"]+/js/)play\.js"', page)
        assert path
        code = text_of(signed_in.get(f"{path[1]}{module}.js"))
        wanted |= set(re.findall(r'^import [^"]*"\./(\w+)\.js"', code, flags=re.MULTILINE))
    assert named == wanted


def test_the_worker_is_served_at_the_root_and_never_kept(client: FlaskClient, stage: Stage) -> None:
    answer = client.get("/sw.js")
    assert answer.mimetype == "text/javascript"
    assert "max-age=0" in answer.headers["Cache-Control"]


def test_a_receipt_that_is_only_half_there_says_so(signed_in: FlaskClient, stage: Stage) -> None:
    """Of a round that has left Redis the proof is not known any more, unless its owner brings it."""
    token, fields = start(signed_in)
    data = {"paper": token, "hand_in": "1", **{name: values[0] for name, values in fields.items()}}
    whole = signed_in.post("/paper", data=data).headers["Location"]
    stage.count()
    card = stage.card(OPEN)
    for shard in range(card.shards):
        stage.platform.gateway.client.delete(keys.attempts(card.id, shard))
    (link,) = re.findall(r'href="(/entries/[A-Z2-7]{24})"', text_of(signed_in.get("/entries")))
    assert whole.startswith(f"{link}-")
    assert "mã rút gọn" in text_of(signed_in.get(link))
    assert "mã rút gọn" not in text_of(signed_in.get(whole))


def test_nobody_waits_for_a_page_to_be_compiled(
    app: Flask, signed_in: FlaskClient, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled: list[str | None] = []
    compile_template = Environment.compile

    def hear(held: Environment, source: Any, name: str | None = None, *rest: Any, **named: Any) -> Any:
        compiled.append(name)
        return compile_template(held, source, name, *rest, **named)

    monkeypatch.setattr(Environment, "compile", hear)
    assert app.jinja_env.cache is not None
    app.jinja_env.cache.clear()
    pages.prepare(app)
    assert "boards/units.html" in compiled
    compiled.clear()
    signed_in.post(ROUND)
    for path in (
        "/",
        "/rounds",
        "/paper",
        "/entries",
        "/boards",
        "/boards/people",
        "/register",
        "/account",
        "/nowhere",
    ):
        assert signed_in.get(path).status_code in {200, 302, 404}, path
    assert compiled == []
