"""A real PostgreSQL made by the migrations and a real Redis with the production settings, one of each a run."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import flask_migrate
import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis
from sqlalchemy import text

from deploy import embedded
from quiz import create_app
from quiz.config import Settings, SigningKey
from quiz.extensions import Platform, db
from quiz.services import units

# Loaded once a run and never changed by a test.
KEPT = {"alembic_version", "unit", "unit_change"}


@pytest.fixture(scope="session")
def servers() -> Iterator[embedded.Servers]:
    with tempfile.TemporaryDirectory(prefix="quiz80-test-") as folder:
        Path(folder).chmod(0o755)
        with embedded.servers(Path(folder), durable=False) as running:
            yield running


@pytest.fixture(scope="session")
def settings(servers: embedded.Servers) -> Settings:
    return Settings(
        database_url=servers.database_url,
        intake_redis_url=servers.redis_url,
        queue_redis_url=servers.redis_url,
        cache_redis_url=servers.redis_url,
        secret_key="test-secret-" + "0" * 32,
        signing_keys=(SigningKey("k1", b"\x01" * 32),),
        embedded=True,
        issuer=0,
        drain_lanes=1,
        log_level="INFO",
        secure_cookies=False,
    )


@pytest.fixture(scope="session")
def made_app(settings: Settings) -> Iterator[Flask]:
    """The application on a migrated database with the units of the contest."""
    app = create_app(settings)
    app.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    # TESTING lets exceptions through; what users see of a bug is tested too.
    app.config["PROPAGATE_EXCEPTIONS"] = False
    with app.app_context():
        flask_migrate.upgrade()
        units.load(db.session())
        db.session.commit()
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def app(made_app: Flask) -> Iterator[Flask]:
    """The application inside its context, on empty tables (units excepted) and an empty Redis."""
    with made_app.app_context():
        _empty(made_app)
        yield made_app
        db.session.rollback()


def _empty(app: Flask) -> None:
    held: Platform = app.extensions["quiz80"]
    held.cache.flushall()
    held.season.forget()
    held.boards.forget()
    names = db.session.scalars(
        text("SELECT relname FROM pg_class WHERE relkind IN ('r','p') AND relnamespace = 'public'::regnamespace")
    ).all()
    for name in names:
        if name.startswith(("entry_r", "standing_r")):
            db.session.execute(text(f"DROP TABLE {name}"))
    rest = [name for name in names if name not in KEPT and not name.startswith(("entry_r", "standing_r"))]
    db.session.execute(text(f"TRUNCATE {', '.join(f'public.{name}' for name in rest)} RESTART IDENTITY CASCADE"))
    db.session.commit()


@pytest.fixture
def platform(app: Flask) -> Platform:
    held: Platform = app.extensions["quiz80"]
    return held


@pytest.fixture
def redis(platform: Platform) -> Redis:
    return platform.cache


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()
