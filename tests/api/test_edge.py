"""What holds for every call: bodies, refusals, languages."""

from __future__ import annotations

import json

import pytest
from werkzeug.test import EnvironBuilder

from quiz.services import papers
from tests.api.conftest import Caller, refused

CALLS = ["/participants", "/tokens", "/entries", "/papers/draft"]


def send(caller: Caller, path: str, data: bytes, content_type: str = "application/json"):
    method = "PUT" if path == "/papers/draft" else "POST"
    return caller.client.open(
        f"/api/v1{path}", method=method, data=data, content_type=content_type, headers=caller.headers
    )


NO_JSON = [b"", b"{", b"nothing", b"{'a': 1}", b"\xff", b'{"a": NaN}', b'{"x": ' + b"[" * 100_000, b"{} {}", b"5 {"]


@pytest.mark.parametrize("path", CALLS)
def test_what_is_no_json(anybody: Caller, path: str) -> None:
    for data in NO_JSON:
        refused(send(anybody, path, data), 400, "invalid_json")


@pytest.mark.parametrize("path", CALLS)
def test_what_is_no_object(anybody: Caller, path: str) -> None:
    for data in (b"[]", b"null", b"5", b'"text"'):
        refused(send(anybody, path, data), 422, "invalid_request")


@pytest.mark.parametrize("path", CALLS)
def test_what_is_not_sent_as_json(anybody: Caller, path: str) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""):
        refused(send(anybody, path, b"{}", kind), 415, "unsupported_media_type")


def test_what_is_json(anybody: Caller) -> None:
    for kind in ("application/json", "application/json; charset=utf-8", "application/vnd.a+json"):
        refused(send(anybody, "/entries", b"{}", kind), 400, "invalid_paper")


def test_a_body_that_is_too_large(hoa: Caller) -> None:
    data = b'{"paper": "' + b"x" * 10_000_000 + b'"}'
    for path in (*CALLS, "/rounds/2/papers"):
        refused(send(hoa, path, data), 413, "body_too_large")


def test_a_body_in_chunks_is_limited_too(hoa: Caller) -> None:
    def chunked(data: bytes):
        # What gunicorn makes of `Transfer-Encoding: chunked`: no length, and an end of its own.
        builder = EnvironBuilder("/api/v1/entries", method="POST", data=data, content_type="application/json")
        environ = {**builder.get_environ(), "wsgi.input_terminated": True}
        del environ["CONTENT_LENGTH"]
        return hoa.client.open(environ)

    body = json.dumps({"paper": hoa.start()["paper"], "answers": {}}).encode()
    assert chunked(body).status_code == 202
    refused(chunked(body + b" " * 10_000_000), 413, "body_too_large")
    refused(chunked(b"x" * 10_000_000), 413, "body_too_large")


def test_the_start_reads_a_body_if_there_is_one(hoa: Caller) -> None:
    def start(data: bytes, kind: str | None):
        return hoa.client.post("/api/v1/rounds/2/papers", data=data, content_type=kind, headers=hoa.headers)

    refused(start(b"{", "application/json"), 400, "invalid_json")
    refused(start(b"[]", "application/json"), 422, "invalid_request")
    refused(start(b"{}", "text/plain"), 415, "unsupported_media_type")
    assert start(b'{"anything": 1}', "application/json").status_code == 201


def test_unknown_fields_are_ignored(hoa: Caller) -> None:
    assert hoa.hand_in(hoa.start(), anything=[1])["receipt"]


def test_what_is_not_there(anybody: Caller) -> None:
    for path in ("", "/", "/nothing", "/rounds/x/papers", "/rounds/2", "/contests/a/b/c", "/entries/"):
        refused(anybody.get(path), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/entries", "OPTIONS, POST"),
        ("DELETE", "/me", "GET, HEAD, OPTIONS"),
        ("POST", "/papers/draft", "OPTIONS, PUT"),
        ("PATCH", "/contests/cuoc-thi/contest", "GET, HEAD, OPTIONS"),
    ],
)
def test_a_method_that_is_not_allowed_names_those_that_are(
    anybody: Caller, method: str, path: str, allowed: str
) -> None:
    response = anybody.client.open(f"/api/v1{path}", method=method)
    refused(response, 405, "method_not_allowed")
    assert response.headers["Allow"] == allowed


@pytest.mark.parametrize(
    ("header", "language"), [(None, "vi"), ("en", "en"), ("en-GB,en;q=0.9", "en"), ("fr", "vi"), ("vi,en;q=0.5", "vi")]
)
def test_refusals_speak_the_callers_language(anybody: Caller, header: str | None, language: str) -> None:
    response = anybody.get("/nothing", headers={"Accept-Language": header} if header else {})
    title = refused(response, 404, "not_found")["title"]
    assert title == {"en": "Not found", "vi": "Không tìm thấy"}[language]


@pytest.mark.parametrize(("language", "title"), [("vi", "API của cuộc thi"), ("en", "Quiz contest API")])
def test_the_description_speaks_it_too(anybody: Caller, language: str, title: str) -> None:
    response = anybody.get("/openapi.json", headers={"Accept-Language": language})
    assert response.json["info"]["title"] == title
    assert response.headers["Vary"] == "Accept-Language"


def test_a_bug_is_said_without_internals(
    anybody: Caller, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise ValueError("secret internals")

    monkeypatch.setattr(papers, "contest_of", broken)
    response = anybody.get("/contest")
    refused(response, 500, "internal_error")
    assert "secret" not in response.text


def test_no_cookie_is_read_or_set(hoa: Caller) -> None:
    """The form tokens of pages guard nothing here, because there is nothing that a cookie could do."""
    hoa.client.application.config["WTF_CSRF_ENABLED"] = True
    try:
        for path in ("/rounds/2/papers", "/contests/cuoc-thi/rounds/2/papers"):
            response = hoa.post(path)
            assert response.status_code in (200, 201)
            assert "Set-Cookie" not in response.headers
            assert "Vary" not in response.headers
    finally:
        hoa.client.application.config["WTF_CSRF_ENABLED"] = False


def test_the_scheme_may_be_written_in_any_case(hoa: Caller) -> None:
    for scheme in ("bearer", "BEARER", "Bearer  "):
        response = hoa.client.get("/api/v1/me", headers={"Authorization": f"{scheme} {hoa.token}"})
        assert response.status_code == 200


def test_what_is_no_bearer_token(anybody: Caller) -> None:
    for value in ("Basic eDp5", "Bearer", "Bearer ", "Bearer x.y", "", "Bearer \u00ff"):
        refused(anybody.client.get("/api/v1/me", headers={"Authorization": value}), 401, "login_required")
