"""A device's random name: given once, kept with the entry, and worth nothing when somebody makes one up."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from quiz.extensions import db
from quiz.models import Entry
from tests.browser.stage import OPEN, Stage

START = f"/rounds/{OPEN}/start"


def given(browser: FlaskClient) -> str | None:
    held = browser.get_cookie("device")
    return held.value if held else None


def test_it_is_given_at_the_start_and_stored_with_the_entry(signed_in: FlaskClient, stage: Stage) -> None:
    assert given(signed_in) is None
    answer = signed_in.post(START)
    assert answer.status_code == 303
    (cookie,) = (each for each in answer.headers.getlist("Set-Cookie") if each.startswith("device="))
    assert {"HttpOnly", "SameSite=Lax"} <= set(cookie.split("; "))
    name = given(signed_in)
    assert name is not None
    assert re.fullmatch(r"[\w-]{12}", name)
    paper = re.search(r'name="paper" value="([^"]+)"', signed_in.get("/paper").get_data(as_text=True))
    assert paper
    assert signed_in.post("/paper", data={"paper": paper[1]}).status_code == 303
    stage.count()
    assert db.session.scalars(select(Entry.device)).all() == [name]
    again = signed_in.post(START)
    assert not any(each.startswith("device=") for each in again.headers.getlist("Set-Cookie"))
    assert given(signed_in) == name


@pytest.mark.parametrize("made_up", ["", "x", "a" * 13, "<script>---", "a" * 4_000])
def test_a_made_up_one_is_replaced(signed_in: FlaskClient, stage: Stage, made_up: str) -> None:
    signed_in.set_cookie("device", made_up)
    assert signed_in.post(START).status_code == 303
    assert re.fullmatch(r"[\w-]{12}", given(signed_in) or "")
