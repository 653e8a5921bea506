"""Whatever is in a file: it is read, or refused with reasons; nothing else ever happens."""

from __future__ import annotations

import io
import random
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quiz.services import question_files
from quiz.services.formats import FORMATS, BadFile, QuestionDraft, read
from tests.formats import documents
from tests.formats.making import NASTY, five_hundred

_PIECES = [
    *NASTY, "\n", "\n\n", "{", "}", "=", "~", "#", "####", "::", '"', ",", ";", "%50%", "\\", "A. a", "B) b", "*C.",
    "ANSWER: A", "Câu 1: ", "Đáp án: ", "Giải thích:", "1. ", "1.A 2.B", "Chủ đề 2: x", "Câu hỏi,A,B,Đáp án\n",
    '<question type="multichoice">', "</question>", '<answer fraction="100">', "<text>", "</text>", "<quiz>", "</quiz>",
    '{"questions":[', "]}", "\t", "  ",
]  # fmt: skip
GARBAGE = st.lists(st.sampled_from(_PIECES), max_size=40).map("".join)


def outcome(form: str, content: bytes) -> list[QuestionDraft] | BadFile:
    try:
        return FORMATS[form].read(content)
    except BadFile as bad:
        return bad


def read_or_refused(form: str, content: bytes) -> None:
    found = outcome(form, content)
    told = [question_files.line(line) for line in found.lines] if isinstance(found, BadFile) else found
    assert told


@pytest.mark.parametrize("form", ["csv", "gift", "aiken", "moodle", "json", "qti"])
@settings(max_examples=150, deadline=None)
@given(text=GARBAGE)
def test_any_text(form: str, text: str) -> None:
    read_or_refused(form, text.encode())


@settings(max_examples=40, deadline=None)
@given(text=GARBAGE)
def test_any_paragraphs(text: str) -> None:
    read_or_refused("docx", documents.of_lines(text))


@given(st.binary(max_size=200))
def test_any_bytes(content: bytes) -> None:
    with pytest.raises(BadFile):
        read("tệp", b"\x01" + content)


@pytest.mark.parametrize("form", ["xlsx", "docx", "qti"])
def test_packages_with_damaged_parts(form: str) -> None:
    chance = random.Random(80)
    content = FORMATS[form].write(five_hundred()[:8])
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    written = [name for name in parts if name.endswith((".xml", ".rels"))]
    for _ in range(40):
        name = chance.choice(written)
        read_or_refused(form, _packed({**parts, name: _damaged(parts[name], chance)}))


def _damaged(part: bytes, chance: random.Random) -> bytes:
    for _ in range(chance.randint(1, 5)):
        place = chance.randrange(len(part) + 1)
        cut = chance.randint(0, 40)
        part = part[:place] + chance.choice(_PIECES).encode() * chance.randint(0, 1) + part[place + cut :]
    return part


def _packed(parts: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        for name, part in parts.items():
            package.writestr(name, part)
    return out.getvalue()
