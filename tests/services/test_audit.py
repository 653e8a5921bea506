"""The audit log can only grow, and whoever gets around that is found."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from quiz import clock
from quiz.extensions import db
from quiz.services import audit


@pytest.fixture
def three_rows(app: Flask) -> None:
    for number in range(1, 4):
        audit.append(db.session(), clock.now(), None, "round.moved", f"round:{number}", {"days": 19, "tên": "Tuần"})
    db.session.commit()


def tamper(statement: str) -> None:
    db.session.execute(text("ALTER TABLE audit_event DISABLE TRIGGER ALL"))
    db.session.execute(text(statement))
    db.session.execute(text("ALTER TABLE audit_event ENABLE TRIGGER ALL"))
    db.session.commit()
    db.session.expire_all()


def test_an_untouched_log_is_unbroken(three_rows: None) -> None:
    assert audit.verify(db.session()) is None
    assert audit.head(db.session()) is not None


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("UPDATE audit_event SET reason = 'other' WHERE id = 2", audit.Broken(2, "changed")),
        ("UPDATE audit_event SET detail = '{}' WHERE id = 1", audit.Broken(1, "changed")),
        ("UPDATE audit_event SET at = at + interval '1 second' WHERE id = 3", audit.Broken(3, "changed")),
        ("DELETE FROM audit_event WHERE id = 2", audit.Broken(2, "missing")),
        ("UPDATE audit_event SET previous_hash = hash WHERE id = 3", audit.Broken(3, "moved")),
    ],
)
def test_a_changed_row_is_found(three_rows: None, statement: str, found: audit.Broken) -> None:
    tamper(statement)
    assert audit.verify(db.session()) == found


@pytest.mark.parametrize("statement", ["UPDATE audit_event SET reason = ''", "DELETE FROM audit_event"])
def test_the_database_refuses_to_change_a_row(three_rows: None, statement: str) -> None:
    with pytest.raises(DBAPIError, match="append-only"):
        db.session.execute(text(statement))
    db.session.rollback()
