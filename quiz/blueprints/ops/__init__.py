"""For those who run the house: alive, ready, figures. No sign-in, no database unless asked for."""

from __future__ import annotations

import functools
from pathlib import Path

from alembic.script import ScriptDirectory
from flask import Blueprint, Response, current_app, jsonify, request
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from quiz import clock, metrics
from quiz.extensions import db, platform
from quiz.intake.errors import IntakeUnavailable
from quiz.logs import process_name
from quiz.services import operations
from quiz.services.operations import Readiness

blueprint = Blueprint("ops", __name__)


@blueprint.get("/healthz")
def alive() -> Response:
    """This process answers; nothing else is asked, so that a lost Redis restarts nobody."""
    return _plain("ok\n")


@blueprint.get("/readyz")
def ready() -> Response:
    """This process can take answers; with ?full=1 also what they can wait for."""
    held = platform()
    checks = operations.check_intake(held.gateway.client, held.season, clock.now)
    if request.args.get("full") == "1":
        checks |= operations.check_rest(db.session(), held.queue, migrations_head(), clock.now())
    readiness = Readiness(checks)
    response = jsonify({"ready": readiness.ready, "checks": readiness.checks})
    response.status_code = 200 if readiness.ready else 503
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/metrics")
def figures() -> Response:
    """The figures of all processes that are alive, this one's as of now."""
    held = platform()
    now = clock.now()
    try:
        season = held.season.get()
    except IntakeUnavailable:
        season = None
    own = metrics.snapshot(process_name())
    others = [other for other in metrics.published_or_none(held.cache) if other.process != own.process]
    gauges = operations.gauges(held.gateway.client, held.queue, held.cache, season, now)
    response = Response(metrics.page([own, *others], gauges), content_type=CONTENT_TYPE_LATEST)
    response.headers["Cache-Control"] = "no-store"
    return response


@functools.cache
def migrations_head() -> str | None:
    """The newest revision that the code brings; read once."""
    root = Path(current_app.root_path).parent
    return ScriptDirectory(str(root / "migrations")).get_current_head()


def _plain(text: str) -> Response:
    response = Response(text, content_type="text/plain; charset=utf-8")
    response.headers["Cache-Control"] = "no-store"
    return response
