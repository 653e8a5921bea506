"""The cookie is signed again only when it says something new, or is on its way to expire."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from quiz import clock


def test_a_cookie_that_says_the_same_is_left_alone(signed_in: FlaskClient) -> None:
    signed_in.get("/")
    assert "Set-Cookie" not in signed_in.get("/").headers
    assert "Set-Cookie" in signed_in.post("/preferences", data={"language": "en"}).headers


def test_who_keeps_coming_stays_signed_in(signed_in: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    signed_in.get("/")
    for days, is_signed in ((29, False), (31, True)):
        later = clock.now() + timedelta(days=days)
        with monkeypatch.context() as patch:
            patch.setattr(clock, "now", lambda later=later: later)
            cookies = signed_in.get("/account").headers.getlist("Set-Cookie")
        assert any("Expires" in cookie for cookie in cookies) == is_signed


def test_a_cookie_that_was_tampered_with_signs_nobody_in(signed_in: FlaskClient) -> None:
    name = signed_in.application.config["SESSION_COOKIE_NAME"]
    held = signed_in.get_cookie(name)
    assert held is not None
    content, _, signature = held.value.rpartition(".")
    # Its first letter: of the last one two bits say nothing.
    other = ("A" if signature[0] != "A" else "B") + signature[1:]
    signed_in.set_cookie(name, f"{content}.{other}")
    assert signed_in.get("/account").status_code == 302
