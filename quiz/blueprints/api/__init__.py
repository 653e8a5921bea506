"""The JSON API. The same calls below /api/v1 for the current contest and below /api/v1/contests/SLUG for any."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask, g

from quiz.extensions import csrf

blueprint = Blueprint("api", __name__)
# Whoever calls carries a token or a signed paper; there is no cookie that a foreign page could make use of.
csrf.exempt(blueprint)

BASE = "/api/v1"


@blueprint.url_value_preprocessor
def _take_slug(_endpoint: str | None, values: dict[str, Any] | None) -> None:
    g.contest_slug = values.pop("slug", None) if values else None


def contest_slug() -> str | None:
    """The contest that the address names; None: the current one."""
    slug: str | None = g.contest_slug
    return slug


def register(app: Flask) -> None:
    # Each module hangs its views on the blueprint above, which so has to be there first.
    from quiz.blueprints.api import accounts, boards, contest, docs, mine, stepping, taking  # noqa: F401

    app.register_blueprint(blueprint, url_prefix=BASE)
    app.register_blueprint(blueprint, url_prefix=f"{BASE}/contests/<slug>", name="contest_api")
    app.register_blueprint(docs.blueprint)
