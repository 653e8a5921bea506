"""Every fault has a sentence, and every sentence gets what it asks for."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from quiz.services import question_files
from quiz.services.formats import BadLine, Fault, Loss, Where
from quiz.services.formats.drafts import CAN_GO, FIELDS

FORMATS = Path(question_files.__file__).parent / "formats"
_RAISERS: dict[str, int] = {"refuse": 0, "Fault": 0, "bad": 1, "_Unread": 0}
"""Calls that name a fault, and which of their arguments does."""


def codes_in_the_code() -> set[str]:
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in FORMATS.glob("*.py")]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    found = set()
    for call in calls:
        place = _RAISERS.get(getattr(call.func, "id", getattr(call.func, "attr", "")), len(call.args))
        for argument in call.args[place : place + 1]:
            found |= {part.value for part in ast.walk(argument) if isinstance(part, ast.Constant)}
    # A code has three letters at least; "e" is what a condition beside one compares with.
    return {code for code in found if isinstance(code, str) and len(code) > 2}


# Named in other ways: kept in a set while HTML is read, or chosen by a variable.
FOUND_ELSEWHERE = {"picture", "formula"}


def test_every_code_has_a_sentence_and_every_sentence_a_code() -> None:
    assert codes_in_the_code() | FOUND_ELSEWHERE == set(question_files.SENTENCES)
    assert set(question_files.SENTENCES) >= CAN_GO


def test_the_search_for_codes_finds_them() -> None:
    assert {"text_missing", "xml_broken", "gift_braces", "unsupported_type", "excel_error"} <= codes_in_the_code()


@pytest.mark.parametrize("code", question_files.SENTENCES)
def test_a_sentence_is_one(code: str) -> None:
    names = re.findall(r"%\((\w+)\)s", str(question_files.SENTENCES[code]))
    fault = Fault(code, {name: "text" if name == "field" else 5 for name in names})
    told = question_files.line(BadLine(Where("row", 7), fault))
    assert told.startswith("Row 7: ")
    assert "%(" not in told
    assert len(told) > 15


@pytest.mark.parametrize("name", ["question", *FIELDS])
@pytest.mark.parametrize("changed", [True, False])
def test_losses_are_told(name: str, changed: bool) -> None:
    told = question_files.loss(Loss(name, 12, changed=changed, first=3))
    assert "12" in told
    assert "3" in told


@pytest.mark.parametrize(
    ("where", "told"),
    [
        (Where(), "File"),
        (Where("file", inside="items/a.xml"), "items/a.xml, File"),
        (Where("line", 3, "items/a.xml"), "items/a.xml, Line 3"),
        (Where("table_row", 3, "2"), "Table 2, row 3"),
    ],
)
def test_places_are_told(where: Where, told: str) -> None:
    assert question_files.place(where) == told
