"""The description says what the API does: valid, complete, readable, and held against the running application."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openapi_spec_validator import OpenAPIV31SpecValidator

from quiz.errors import PROBLEMS

# Reserved for later or not part of the API's rooms.
_METHODS = {"GET", "POST", "PUT"}


@pytest.fixture
def document(client: FlaskClient) -> dict:
    response = client.get("/api/v1/openapi.json")
    assert response.status_code == 200
    assert response.content_type == "application/json"
    return response.json


def test_a_validator_accepts_it(document: dict) -> None:
    assert document["openapi"] == "3.1.0"
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []


def test_every_call_is_described_and_every_description_is_a_call(app: Flask, document: dict) -> None:
    routes = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule).removeprefix("/api/v1"), method)
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("api.")
        for method in rule.methods & _METHODS
    }
    described = {
        (path, method.upper())
        for path, item in document["paths"].items()
        if not path.startswith("/contests/")
        for method in item
        if method != "parameters"
    }
    assert described == routes
    assert {path for path in document["paths"] if path.startswith("/contests/{slug}")} == {
        "/contests/{slug}/contest",
        "/contests/{slug}/rounds/{number}/papers",
        "/contests/{slug}/me/entries",
        "/contests/{slug}/boards/units",
        "/contests/{slug}/boards/participants",
    }


def test_every_operation_has_its_own_name(document: dict) -> None:
    names = [
        operation["operationId"]
        for item in document["paths"].values()
        for method, operation in item.items()
        if method != "parameters"
    ]
    assert len(names) == len(set(names)) == 18


def test_refusals_carry_known_codes(document: dict) -> None:
    for item in document["paths"].values():
        for method, operation in item.items():
            if method == "parameters":
                continue
            for status, response in operation["responses"].items():
                if status[0] in "45":
                    assert {PROBLEMS[code].status for code in response["description"].split(", ")} == {int(status)}


def test_the_page_is_readable_without_anything_from_elsewhere(client: FlaskClient, document: dict) -> None:
    response = client.get("/api/docs", headers={"Accept-Language": "en"})
    assert response.status_code == 200
    assert response.mimetype == "text/html"
    page = response.text
    for path in document["paths"]:
        if not path.startswith("/contests/"):
            assert path in page
    for name in document["components"]["schemas"]:
        assert f'id="schema-{name}"' in page
    assert "<script" not in page
    assert "style=" not in page
    assert re.findall(r'(?:src|href)="(?:https?:)?//', page) == []
    css = re.search(r'href="([^"]+\.css[^"]*)"', page)
    assert css is not None
    with client.get(css[1]) as sheet:
        assert sheet.status_code == 200
