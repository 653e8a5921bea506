"""What Flask does around a view is left out for the API: it must be nothing that the API needs."""

from __future__ import annotations

import pytest
from flask import Flask, Request
from flask.testing import FlaskClient
from werkzeug.test import create_environ

from quiz.application import ApiRequest
from tests.api.conftest import Caller, World


def test_the_hooks_that_the_api_passes_by_are_those_of_pages(app: Flask) -> None:
    before = {hook.__name__ for hook in app.before_request_funcs.get(None, ())}
    after = {hook.__name__ for hook in app.after_request_funcs.get(None, ())}
    # Room for uploads, forms from foreign pages, who may open a page; the remember-me cookie, headers of HTML.
    assert before == {"make_room", "csrf_protect", "guard"}
    assert after == {"_update_remember_cookie", "guard"}
    assert not app.url_value_preprocessors.get(None)
    assert not any(app.teardown_request_funcs.values())


def test_an_address_leads_to_the_same_place_when_it_is_asked_for_again(world: World, client: FlaskClient) -> None:
    for _ in range(3):
        assert client.get("/api/v1/contest").status_code == 200
        assert client.head("/api/v1/contest").status_code == 200
        assert client.post("/api/v1/contest").status_code == 405
        assert client.get("/api/v1/nowhere").status_code == 404


def test_a_head_has_the_headers_of_the_answer_and_no_body(world: World, client: FlaskClient) -> None:
    whole, head = client.get("/api/v1/contest"), client.head("/api/v1/contest")
    assert head.data == b""
    assert head.headers["Content-Type"] == whole.headers["Content-Type"] == "application/json"
    assert int(head.headers["Content-Length"]) > 0


def test_a_call_is_taken_apart_when_somebody_asks(app: Flask) -> None:
    environ = create_environ("/api/v1/entries", query_string="a=1", method="POST", headers={"Accept": "text/plain"})
    call, plain = app.request_context(environ).request, Request(dict(environ), populate_request=False)
    assert environ["werkzeug.request"] is call
    assert not {"method", "headers"} & vars(call).keys()
    assert call.headers["Accept"] == "text/plain"
    read = vars(plain).keys() - {"environ", "shallow"}
    assert len(read) == 8
    assert {name: str(getattr(call, name)) for name in read} == {name: str(getattr(plain, name)) for name in read}
    assert call.args == plain.args
    assert not hasattr(call, "nothing_of_the_kind")


def test_nobody_takes_the_call_apart_to_hand_a_sheet_in(hoa: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    paper = hoa.start()
    asked: list[str] = []
    monkeypatch.setattr(ApiRequest, "__getattr__", lambda _call, name: asked.append(name))
    assert hoa.hand_in(paper)["receipt"]
    assert not asked
