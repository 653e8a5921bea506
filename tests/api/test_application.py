"""What Flask does around a view is left out for the API: it must be nothing that the API needs."""

from __future__ import annotations

from flask import Flask
from flask.testing import FlaskClient

from tests.api.conftest import World


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
