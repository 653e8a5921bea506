"""Home page, papers and boards are rendered once a second: nobody may see what is another's, or what is over."""

from __future__ import annotations

import gc
import random
import re
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from quiz import clock, shells
from quiz.blueprints.site import views
from quiz.clock import to_ms
from quiz.extensions import db
from quiz.services import accounts, board_pages, units
from quiz.services.accounts import Registration
from tests.browser import stage as staging
from tests.browser.stage import Stage


@pytest.fixture(autouse=True)
def standing(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """All within one second, so that what is kept is used."""
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now)


def token_in(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found
    return found[1]


def sign_in(app: Flask, stage: Stage, phone: str, name: str) -> FlaskClient:
    form = Registration(phone, staging.PASSWORD, name, stage.home, consent=True)
    accounts.register(db.session(), form, clock.now())
    browser = app.test_client()
    assert browser.post("/sign-in", data={"phone": phone, "password": staging.PASSWORD}).status_code == 303
    return browser


def test_each_reader_sees_their_own(client: FlaskClient, app: Flask, stage: Stage) -> None:
    lan = sign_in(app, stage, "0912345611", "Nguyễn Thị Lan")
    an = sign_in(app, stage, "0912345612", "Trần Văn An&Hà")
    lan.get("/"), an.get("/")  # what is said once was said
    pages = [browser.get("/").get_data(as_text=True) for browser in (lan, an, client)]
    assert "<span>Lan</span>" in pages[0]
    assert "<span>An&amp;Hà</span>" in pages[1]
    ids = [re.search(r'data-me="(\d+)"', page) for page in pages]
    assert ids[0]
    assert ids[1]
    assert ids[0][1] != ids[1][1]
    assert ids[2] is None
    assert token_in(pages[0]) != token_in(pages[1])
    assert "/sign-in" in pages[2]
    assert "csrf_token" not in pages[2]


def test_it_is_the_page_that_the_template_makes(client: FlaskClient, app: Flask, stage: Stage) -> None:
    """An address with a query takes the long way round."""

    def settled(page: str) -> str:
        page = page.replace('value="/?x=1"', 'value="/?"')
        return re.sub(r'(data-now="|csrf_token" value=")[^"]*', r"\1", page)

    lan = sign_in(app, stage, "0912345611", "Nguyễn Thị Lan")
    lan.get("/")
    for browser in (client, lan):
        kept, made = (browser.get(path).get_data(as_text=True) for path in ("/", "/?x=1"))
        assert settled(kept) == settled(made)


def test_marks_never_reach_a_reader(client: FlaskClient, app: Flask, stage: Stage) -> None:
    lan = sign_in(app, stage, "0912345611", "Nguyễn Thị Lan")
    for browser in (client, lan, lan):
        assert shells._MARK not in browser.get("/").get_data(as_text=True)


def test_language_and_colours_are_the_readers(client: FlaskClient, stage: Stage) -> None:
    assert '<html lang="vi">' in client.get("/").get_data(as_text=True)
    client.set_cookie("theme", "dark")
    english = client.get("/", headers={"Accept-Language": "en"}).get_data(as_text=True)
    assert '<html lang="en" data-theme="dark">' in english


def test_an_attempt_shows_at_once(app: Flask, stage: Stage) -> None:
    lan = sign_in(app, stage, "0912345611", "Nguyễn Thị Lan")
    lan.get("/")
    before = lan.get("/").get_data(as_text=True)
    lan.post(f"/rounds/{staging.OPEN}/start")
    after = lan.get("/").get_data(as_text=True)
    assert "Làm tiếp" not in before
    assert "Làm tiếp" in after


def test_the_next_second_is_rendered_anew(client: FlaskClient, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    client.get("/")
    later = clock.now() + timedelta(days=30)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert f'data-now="{to_ms(later)}"' in client.get("/").get_data(as_text=True)
    assert views._shells._second == to_ms(later) // 1000


def paper_of(browser: FlaskClient) -> str:
    page = browser.get("/paper")
    assert page.status_code == 200
    return page.get_data(as_text=True)


def own_of(page: str) -> list[str]:
    """What of a paper's page is its holder's: sheet, token, order of questions and of options."""
    return re.findall(
        r'(?:data-(?:me|sheet|participant|question)|name="paper" value|letter">\w</span><span)[=">]+([^"<]+)', page
    )


def test_each_reader_sees_their_own_paper(client: FlaskClient, app: Flask, stage: Stage) -> None:
    lan = sign_in(app, stage, "0912345611", "Nguyễn Thị Lan")
    an = sign_in(app, stage, "0912345612", "Trần Văn An")
    for browser in (lan, an):
        browser.post(f"/rounds/{staging.OPEN}/start")
    seen = [own_of(paper_of(browser)) for browser in (lan, an, lan, an)]
    assert seen[0] == seen[2]
    assert seen[1] == seen[3]
    assert len(seen[0]) == len(seen[1]) > 40
    assert seen[0][:3] != seen[1][:3]
    assert seen[0][4:] != seen[1][4:]


def test_the_paper_is_the_page_that_the_template_makes(client: FlaskClient, app: Flask, stage: Stage) -> None:
    """The page with a message is rendered for its reader; the one after it is filled in."""
    lan = sign_in(app, stage, "0912345611", "Nguyễn Thị Lan")
    lan.post(f"/rounds/{staging.OPEN}/start")
    first = paper_of(lan)
    token = re.search(r'name="paper" value="([^"]+)"', first)
    ticked = re.findall(r'name="(q\d+)" value="(2)"', first)
    assert token
    lan.post("/paper", data={"paper": token[1], "keep": "1", **dict(ticked)})
    made, kept = paper_of(lan), paper_of(lan)
    note = re.compile(r'  <div class="note green" role="status">.*?</div></div>\n', re.DOTALL)
    assert note.search(made)
    assert note.sub("", made) == kept
    assert kept.count(" checked>") == len(ticked) == 10
    assert " checked>" not in first


def test_the_papers_texts_are_in_the_readers_language(client: FlaskClient, app: Flask, stage: Stage) -> None:
    lan = sign_in(app, stage, "0912345611", "Nguyễn Thị Lan")
    lan.post(f"/rounds/{staging.OPEN}/start")
    pages = [lan.get("/paper", headers={"Accept-Language": code}).get_data(as_text=True) for code in ("vi", "en", "vi")]
    assert ["Question 1 of 10" in page for page in pages] == [False, True, False]
    assert ["Câu 1/10" in page for page in pages] == [True, False, True]
    assert own_of(pages[0]) == own_of(pages[1]) == own_of(pages[2])
    assert not any(shells._MARK in page for page in pages)


def rows_of_mine(page: str) -> list[str]:
    return re.findall(r'class="mine-row".*?<strong>([^<]+)', page, flags=re.DOTALL)


def test_each_reader_finds_their_own_row_below_the_same_board(client: FlaskClient, app: Flask, stage: Stage) -> None:
    readers = {
        name: sign_in(app, stage, f"091234561{at}", name) for at, name in enumerate(("Nguyễn Thị Lan", "Trần An"))
    }
    for browser in readers.values():
        browser.get("/")  # what is said once was said
    people = dict(db.session().execute(text("SELECT full_name, id FROM users WHERE role = 'participant'")).all())
    unit = units.get(db.session(), stage.home)
    for name in readers:
        who = accounts.Account(people[name], name, "participant", 0, unit.id)
        stage.take(staging.CLOSED, who, stage.now - timedelta(days=8), 1.0, random.Random(people[name]))
    stage.count()
    path = f"/boards/people?round={staging.CLOSED}"
    pages = {name: browser.get(path).get_data(as_text=True) for name, browser in readers.items()}
    for name, page in pages.items():
        assert rows_of_mine(page) == [name]
        assert shells._MARK not in page
    nobody = client.get(path).get_data(as_text=True)
    assert rows_of_mine(nobody) == []
    assert not any(name in nobody for name in readers)
    # All three read one board.
    boards = {page.partition("<tbody>")[2].partition("</tbody>")[0] for page in (*pages.values(), nobody)}
    assert len(boards) == 1


def test_a_boards_page_is_made_once_a_second_for_each_address(
    client: FlaskClient, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []
    page_of = board_pages.page_of
    monkeypatch.setattr(board_pages, "page_of", lambda *given: made.append(1) or page_of(*given))
    first, again = (client.get("/boards").get_data(as_text=True) for _ in range(2))
    assert first == again
    assert len(made) == 1
    other = client.get("/boards?page=2").get_data(as_text=True)
    assert len(made) == 2
    assert "Trang 2/2" in other
    later = clock.now() + timedelta(seconds=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    client.get("/boards")
    assert len(made) == 3


def test_a_board_that_changed_is_seen_in_the_same_second(
    client: FlaskClient, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def seen() -> list[str]:
        stage.platform.boards.forget()
        return re.findall(r"\d+ bài", client.get(f"/boards?round={staging.OPEN}&q=ha+tinh").get_data(as_text=True))

    now = clock.now().replace(microsecond=0)
    monkeypatch.setattr(clock, "now", lambda: now)
    before = seen()
    stage.take(staging.OPEN, staging.person(stage), stage.now, 1.0, random.Random(1))
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(milliseconds=1))
    stage.count()
    assert before == ["0 bài"]
    assert seen() == ["1 bài"]


@pytest.mark.parametrize("path", ["/boards", "/boards/people"])
def test_a_rendered_page_leaves_next_to_nothing_to_the_garbage_collector(
    client: FlaskClient, stage: Stage, path: str
) -> None:
    """A macro imported with context is made for each page anew, in cycles: to collect them held up one in ninety."""

    def left_by(address: str) -> int:
        gc.collect()
        client.get(address)
        return gc.collect()

    left_by(f"{path}?x=1")  # templates and statements are compiled
    gc.disable()
    try:
        assert left_by(f"{path}?x=2") < 50
    finally:
        gc.enable()
