import json
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from quiz.extensions import db
from quiz.models import Question
from tests import seasons

GOOD: dict[str, Any] = {
    "text": "Ngày Tổng tuyển cử đầu tiên?",
    "options": [{"text": "6/1/1946", "right": True}, {"text": "2/9/1945", "right": False}],
}


@pytest.fixture
def questions_import(app: Flask, tmp_path: Path) -> Any:
    def call(document: Any, number: int = 1) -> Any:
        file = tmp_path / "bank.json"
        file.write_text(json.dumps(document), encoding="utf-8")
        return app.test_cli_runner().invoke(args=["questions", "import", str(file), "--round", str(number)])

    return call


def count() -> int | None:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(Question))


def test_questions_come_in_from_a_file(questions_import: Any) -> None:
    session = db.session()
    seasons.draft_round(session, seasons.contest(session), bank=[])
    session.commit()
    result = questions_import({"round": 1, "theme": "A", "questions": [GOOD]})
    assert (result.exit_code, count()) == (0, 1), result.output
    assert "1 questions added to round 1" in result.output


def test_a_frozen_bank_is_pointed_out(questions_import: Any) -> None:
    session = db.session()
    seasons.scheduled_round(session, seasons.contest(session))
    session.commit()
    assert "frozen" in questions_import({"questions": [GOOD]}).output


def test_a_bad_file_adds_nothing_and_says_where(questions_import: Any) -> None:
    session = db.session()
    seasons.draft_round(session, seasons.contest(session), bank=[])
    session.commit()
    result = questions_import({"questions": [GOOD, {**GOOD, "text": ""}]})
    assert (result.exit_code, count()) == (1, 0)
    assert "2: The question has no text." in result.output


def test_an_unknown_round_is_named(questions_import: Any) -> None:
    result = questions_import({"questions": [GOOD]}, 9)
    assert result.exit_code == 1
    assert "no round 9" in result.output
