from __future__ import annotations

from typing import Any

import pytest
from flask import Flask, g
from flask.testing import FlaskClient

from tests.browser import stage as staging
from tests.browser.stage import Stage


class Browser(FlaskClient):
    """Each request on its own: the tests' application context would hand the one who asked on to the next request."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        for kept in ("_login_user", "csrf_token", "_flask_babel"):
            g.pop(kept, None)
        return super().open(*args, **kwargs)


@pytest.fixture
def stage(app: Flask) -> Stage:
    return staging.build(app)


@pytest.fixture
def client(app: Flask, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    monkeypatch.setattr(app, "test_client_class", Browser)
    return app.test_client()


@pytest.fixture
def signed_in(client: FlaskClient, stage: Stage) -> FlaskClient:
    """A browser without scripts in which Nguyễn Thị Lan is signed in."""
    staging.person(stage)
    answer = client.post("/sign-in", data={"phone": staging.PHONE, "password": staging.PASSWORD})
    assert answer.status_code == 303
    return client
