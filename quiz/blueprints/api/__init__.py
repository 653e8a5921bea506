"""The JSON API. The same calls below /api/v1 for the current contest and below /api/v1/contests/SLUG for any."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask, request

from quiz.extensions import csrf

blueprint = Blueprint("api", __name__)
# Whoever calls carries a token or a signed paper; there is no cookie that a foreign page could make use of.
csrf.exempt(blueprint)

BASE = "/api/v1"
OF_A_CONTEST = "contest_api"
"""The name of the blueprint where the address says which contest is meant."""
_SLUG = "quiz80.contest"


def _take_slug(_endpoint: str | None, values: dict[str, Any] | None) -> None:
    if values:
        request.environ[_SLUG] = values.pop("slug", None)


def contest_slug() -> str | None:
    """The contest that the address names; None: the current one."""
    slug: str | None = request.environ.get(_SLUG)
    return slug


def register(app: Flask) -> None:
    # Each module hangs its views on the blueprint above, which so has to be there first.
    from quiz.blueprints.api import accounts, boards, contest, docs, mine, stepping, taking  # noqa: F401

    app.register_blueprint(blueprint, url_prefix=BASE)
    app.register_blueprint(blueprint, url_prefix=f"{BASE}/contests/<slug>", name=OF_A_CONTEST)
    app.url_value_preprocessors[OF_A_CONTEST].append(_take_slug)
    app.register_blueprint(docs.blueprint)
