import json
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from quiz.extensions import db
from quiz.models import Question
from quiz.services.formats import detect, read
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


@pytest.fixture
def run(app: Flask, tmp_path: Path) -> Any:
    """Run `flask questions …` in an empty folder, on a round without questions."""
    session = db.session()
    seasons.draft_round(session, seasons.contest(session), bank=[])
    session.commit()

    def call(*args: str | Path) -> Any:
        return app.test_cli_runner().invoke(args=["questions", *map(str, args)])

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
    assert "Câu 2: " in result.output


def test_an_unknown_round_is_named(questions_import: Any) -> None:
    result = questions_import({"questions": [GOOD]}, 9)
    assert result.exit_code == 1
    assert "no round 9" in result.output


TABLE = "Câu hỏi,A,B,Đáp án\nMột?,a,b,A\n{}"


def test_any_format_comes_in(run: Any, tmp_path: Path) -> None:
    file = tmp_path / "câu hỏi.csv"
    file.write_text(TABLE.format("Hai?,a,b,B\n"), encoding="utf-8")
    result = run("import", file, "--round", 1)
    assert (result.exit_code, count()) == (0, 2), result.output


def test_every_bad_line_is_told_and_none_comes_in(run: Any, tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text(TABLE.format("Hai?,a,b,C\nBa?,a,,A\n"), encoding="utf-8")
    result = run("import", file, "--round", 1, "--go-without")
    assert (result.exit_code, count()) == (1, 0)
    assert "Dòng 3: “C”" in result.output
    assert "Dòng 4: " in result.output


def test_what_the_bank_has_no_place_for_is_left_out_only_when_asked_to(run: Any, tmp_path: Path) -> None:
    file = tmp_path / "x.gift"
    file.write_text("Một?{=a ~b}\n\nTự luận?{}\n", encoding="utf-8")
    result = run("import", file, "--round", 1)
    assert (result.exit_code, count()) == (1, 0)
    assert "Dòng 3: " in result.output
    assert "--go-without" in result.output
    result = run("import", file, "--round", 1, "--go-without")
    assert (result.exit_code, count()) == (0, 1), result.output


def test_a_round_goes_out_and_comes_back_the_same(run: Any, tmp_path: Path) -> None:
    first = {**GOOD, "explanation": "Vì thế.", "topic": "A", "difficulty": 5, "tags": ["x", "y"], "multiple": True}
    (tmp_path / "bank.json").write_text(json.dumps({"questions": [first]}), encoding="utf-8")
    assert run("import", tmp_path / "bank.json", "--round", 1).exit_code == 0
    assert run("export", tmp_path / "out.xlsx", "--round", 1, "--format", "xlsx").exit_code == 0
    assert read("x", (tmp_path / "out.xlsx").read_bytes()) == read("x", (tmp_path / "bank.json").read_bytes())


def test_what_an_export_would_lose_is_told_before_it_is_written(run: Any, tmp_path: Path) -> None:
    (tmp_path / "bank.json").write_text(json.dumps({"questions": [{**GOOD, "source": "Sách"}]}), encoding="utf-8")
    run("import", tmp_path / "bank.json", "--round", 1)
    out = tmp_path / "out.gift"
    result = run("export", out, "--round", 1, "--format", "gift")
    assert result.exit_code == 1
    assert "Nguồn: " in result.output
    assert not out.exists()
    assert run("export", out, "--round", 1, "--format", "gift", "--lossy").exit_code == 0
    assert [question.text for question in read("x", out.read_bytes())] == [GOOD["text"]]


def test_the_template_is_written(run: Any, tmp_path: Path) -> None:
    assert run("template", tmp_path / "t.xlsx").exit_code == 0
    assert detect("t", (tmp_path / "t.xlsx").read_bytes()) == "xlsx"
