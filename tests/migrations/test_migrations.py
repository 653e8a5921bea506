"""The schema that the migrations make is the one of the models, and each step is safe with data and with old code.

A revision with tables of its own brings a file in data/ named after it, written as its code writes; from then on that
file is run on every later schema.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import flask_migrate
import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import make_url, text
from sqlalchemy.exc import OperationalError

from quiz import create_app
from quiz.config import Settings
from quiz.extensions import db
from quiz.models import Base

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(__file__).parent / "data"

Schema = dict[str, list[tuple[Any, ...]]]


def revisions() -> list[str]:
    """All revisions, the first one first. Raises if the line has forked."""
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    script = ScriptDirectory.from_config(config)
    head = script.get_current_head()
    return [step.revision for step in script.walk_revisions("base", head or "head")][::-1]


REVISIONS = revisions()


@pytest.fixture
def empty(settings: Settings) -> Iterator[Flask]:
    """An application on a database of its own without any table."""
    url = make_url(settings.database_url)
    with psycopg.connect(plain(settings.database_url), autocommit=True) as admin:
        admin.execute("DROP DATABASE IF EXISTS migrated")
        admin.execute("CREATE DATABASE migrated")
        app = create_app(_with_url(settings, url.set(database="migrated").render_as_string(hide_password=False)))
        with app.app_context():
            yield app
            db.session.remove()
            db.engine.dispose()
        admin.execute("DROP DATABASE migrated")


def _with_url(settings: Settings, url: str) -> Settings:
    return replace(settings, database_url=url)


def plain(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def migrate_to(revision: str) -> None:
    here = current()
    going_down = revision == "base" or (here is not None and REVISIONS.index(revision) < REVISIONS.index(here))
    (flask_migrate.downgrade if going_down else flask_migrate.upgrade)(revision=revision)


def current() -> str | None:
    with db.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def load_data(up_to: str) -> None:
    """What the code of each revision up to this one writes."""
    with db.engine.begin() as connection:
        for revision in REVISIONS[: REVISIONS.index(up_to) + 1]:
            file = DATA / f"{revision}.sql"
            if file.exists():
                connection.exec_driver_sql(file.read_text(encoding="utf-8").replace("%", "%%"))


def rows() -> dict[str, int]:
    """How many rows each table has, partitions under their parents."""
    with db.engine.connect() as connection:
        names = connection.scalars(
            text(
                "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition "
                "AND relnamespace = 'public'::regnamespace AND relname <> 'alembic_version'"
            )
        ).all()
        return {name: connection.scalar(text(f'SELECT count(*) FROM "{name}"')) or 0 for name in names}


CATALOG = {
    "columns": (
        "SELECT table_name, column_name, data_type, udt_name, is_nullable, column_default, is_identity "
        "FROM information_schema.columns WHERE table_schema = 'public'"
    ),
    "constraints": (
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), condeferrable, condeferred "
        "FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 't'"  # triggers: below
    ),
    "indexes": "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "sequences": "SELECT sequencename, data_type FROM pg_sequences WHERE schemaname = 'public'",
}
BESIDE_THE_MODELS = {
    "triggers": "SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
    "functions": "SELECT proname, pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
    "types": (
        "SELECT t.typname, t.typtype FROM pg_type t WHERE t.typnamespace = 'public'::regnamespace "
        "AND t.typtype IN ('e', 'd')"
    ),
}


def schema(queries: dict[str, str]) -> Schema:
    with db.engine.connect() as connection:
        return {
            kind: sorted(
                (tuple(row) for row in connection.execute(text(query)) if "alembic_version" not in row[0]), key=repr
            )
            for kind, query in queries.items()
        }


def whole_schema() -> Schema:
    return schema(CATALOG | BESIDE_THE_MODELS)


def test_there_is_one_line_of_revisions() -> None:
    assert REVISIONS
    assert [f"{number:04}" for number in range(1, len(REVISIONS) + 1)] == REVISIONS


def test_the_models_are_the_head(empty: Flask) -> None:
    migrate_to(REVISIONS[-1])
    migrated = schema(CATALOG)
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []
    with db.engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
        Base.metadata.create_all(connection)
    # The comparison above knows nothing of checks and exclusions.
    assert migrated == schema(CATALOG)


def test_every_step_up_and_down_gives_the_same_schema_again(empty: Flask) -> None:
    seen: dict[str, Schema] = {}
    for revision in REVISIONS:
        migrate_to(revision)
        seen[revision] = whole_schema()
    for revision in reversed(REVISIONS):
        assert whole_schema() == seen[revision], f"the schema of {revision} came back otherwise"
        migrate_to(previous(revision) or "base")
    assert all(not found for found in whole_schema().values()), "base leaves something behind"
    migrate_to(REVISIONS[-1])
    assert whole_schema() == seen[REVISIONS[-1]]


def previous(revision: str) -> str | None:
    place = REVISIONS.index(revision)
    return REVISIONS[place - 1] if place else None


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_step_keeps_the_data_of_the_schema_before_it(empty: Flask, revision: str) -> None:
    before = previous(revision)
    if before is None:
        # The first step has nothing before it: its data goes with its tables.
        migrate_to(revision)
        load_data(revision)
        migrate_to("base")
        assert rows() == {}
        return
    migrate_to(before)
    load_data(before)
    counted = rows()
    assert all(counted.values()), f"data/ has no row for {[name for name, n in counted.items() if not n]}"
    migrate_to(revision)
    assert {name: rows()[name] for name in counted if name in rows()} == counted
    migrate_to(before)
    assert rows() == counted


@pytest.mark.parametrize("revision", REVISIONS)
def test_the_code_of_an_earlier_step_can_go_on_writing(empty: Flask, revision: str) -> None:
    """During a deployment old processes meet the new schema: whatever they insert must still fit."""
    migrate_to(REVISIONS[-1])
    load_data(revision)
    counted = rows()
    assert counted["entry"] == 2
    assert counted["users"] == 3


def test_a_migration_gives_up_rather_than_queue_the_drain_behind_its_lock(empty: Flask) -> None:
    migrate_to(REVISIONS[-1])
    with db.engine.connect() as busy:
        busy.execute(text("LOCK TABLE entry IN ROW EXCLUSIVE MODE"))
        with pytest.raises(OperationalError, match="lock timeout"):
            flask_migrate.downgrade(revision="base")
        busy.rollback()
    assert current() == REVISIONS[-1]


def test_a_step_that_fails_leaves_nothing_half_done(empty: Flask) -> None:
    migrate_to(REVISIONS[-1])
    with db.engine.begin() as connection:
        connection.execute(text("CREATE VIEW leans_on_it AS SELECT id FROM contest"))
    schema_before = whole_schema()
    with pytest.raises(Exception, match="leans_on_it"):
        flask_migrate.downgrade(revision="base")
    assert whole_schema() == schema_before
    assert current() == REVISIONS[-1]
