"""Questions as rows of a table with headings: what spreadsheets, CSV and tables in Word have in common."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from quiz.services.formats.answers import difficulty_of, join_tags, right_letters, right_places, split_tags, yes_or_no
from quiz.services.formats.drafts import (
    DEFAULT_DIFFICULTY,
    MAX_OPTIONS,
    Fault,
    Findings,
    OptionDraft,
    QuestionDraft,
    Where,
    letter,
)
from quiz.services.formats.lines import split_options
from quiz.services.vietnamese import fold

HEADINGS = {
    "text": "Câu hỏi",
    "right": "Đáp án",
    "multiple": "Nhiều đáp án",
    "explanation": "Giải thích",
    "source": "Nguồn",
    "topic": "Chủ đề",
    "difficulty": "Độ khó",
    "tags": "Nhãn",
}
"""As they are written; many more are understood."""
LEAST_OPTIONS = 4
"""Columns for options that are written though no question has so many."""
HEADING_ROWS = 30
"""Titles and the names of offices may stand above the headings."""

_WORDS = {
    "text": "cau hoi|noi dung|noi dung cau hoi|cau hoi trac nghiem|de bai|question|question text|text",
    "right": "dap an|dap an dung|da|tra loi|tra loi dung|phuong an dung|dap an chinh xac|ket qua|answer|correct"
    "|correct answer|right answer|right|key",
    "multiple": "nhieu dap an|chon nhieu|nhieu lua chon|multiple|multiple answers",
    "explanation": "giai thich|giai thich dap an|loi giai|huong dan tra loi|huong dan|explanation|feedback",
    "source": "nguon|can cu|can cu phap ly|trich dan|nguon trich dan|tai lieu|tai lieu tham khao|source|reference",
    "topic": "chu de|linh vuc|chuyen de|phan|noi dung kien thuc|topic|category|theme",
    "difficulty": "do kho|muc do|muc do kho|muc do nhan thuc|difficulty|level",
    "tags": "nhan|the|tu khoa|tags|keywords",
    "number": "stt|tt|so|so tt|so thu tu|cau so|ma|ma cau hoi|no|number|id",
}
_FIELD_OF = {word: name for name, words in _WORDS.items() for word in words.split("|")}
_OPTION = re.compile(
    r"^(?:phuong an|dap an|lua chon|cau tra loi|tra loi|pa|option|answer|choice)? ?(?:([a-p])|([1-9]|1[0-6]))$"
)
_REMARK = re.compile(r"\([^)]*\)|\[[^\]]*\]")


@dataclass(frozen=True, slots=True)
class Row:
    where: Where
    cells: Sequence[str]
    faults: Sequence[Fault] = ()
    """What the reader of the file saw already: a formula, a picture."""
    merged: bool = False
    """All of the row is one cell: a headline inside the table."""


@dataclass(frozen=True, slots=True)
class Headings:
    fields: dict[str, int]
    """Field → column."""
    options: tuple[int, ...]
    """Columns of the options A, B, C…; empty if they stand in the question's own cell."""
    unknown: tuple[tuple[int, str], ...]

    @property
    def columns(self) -> frozenset[int]:
        return frozenset((*self.fields.values(), *self.options, *(column for column, _ in self.unknown)))


def headings_of(cells: Sequence[str]) -> Headings | None:
    """The meaning of a row's cells if it is the row of headings: it names the question and the right answer."""
    words = [fold(_REMARK.sub(" ", cell)) for cell in cells]
    fields: dict[str, int] = {}
    options: dict[int, int] = {}
    unknown: list[tuple[int, str]] = []
    for column, word in enumerate(words):
        option = _option_of(word)
        name = _field_of(word, words)
        if name and name not in fields:
            fields[name] = column
        elif option is not None and option not in options:
            options[option] = column
        elif cells[column].strip():
            unknown.append((column, cells[column].strip()))
    if not {"text", "right"} <= set(fields) or sorted(options) != list(range(len(options))):
        return None
    return Headings(fields, tuple(options[place] for place in sorted(options)), tuple(unknown))


def _field_of(word: str, words: Sequence[str]) -> str | None:
    """The field of a heading; `Câu` and `Câu hỏi` are the text, or its number if another heading is the text."""
    if word in ("cau", "cau hoi"):
        others = {_FIELD_OF.get(other) for other in words if other not in ("cau", "cau hoi")}
        if "text" in others or (word == "cau" and "cau hoi" in words):
            return "number"
        return "text"
    return _FIELD_OF.get(word)


def _option_of(word: str) -> int | None:
    found = _OPTION.match(word)
    if not found:
        return None
    return ord(found[1]) - ord("a") if found[1] else int(found[2]) - 1


class TableReader:
    """Reads the rows of one table after its row of headings."""

    def __init__(self, headings: Headings, where: Where, findings: Findings) -> None:
        self._headings = headings
        self._columns = headings.columns
        self._findings = findings
        self._topic = ""
        for _, name in headings.unknown:
            findings.bad(where, "unknown_heading", heading=name)

    def read(self, row: Row) -> None:
        if not any(cell.strip() for cell in row.cells) and not row.faults:
            return
        if row.merged:
            self._topic = row.cells[0]
            return
        draft, faults = self._draft(row)
        self._findings.add(row.where, draft, *row.faults, *faults)
        for column, cell in enumerate(row.cells):
            if cell.strip() and column not in self._columns:
                self._findings.bad(row.where, "cell_without_heading", value=cell.strip()[:80])

    def _cell(self, row: Row, name: str) -> str:
        column = self._headings.fields.get(name)
        return row.cells[column] if column is not None and column < len(row.cells) else ""

    def _draft(self, row: Row) -> tuple[QuestionDraft, list[Fault]]:
        faults: list[Fault] = []
        text, options = self._text_and_options(row)
        places = _right(self._cell(row, "right"), options, faults)
        difficulty = _difficulty(self._cell(row, "difficulty"), faults)
        multiple = yes_or_no(self._cell(row, "multiple"))
        if multiple is None:
            faults.append(Fault("multiple_unknown", {"value": self._cell(row, "multiple")[:80]}))
        draft = QuestionDraft(
            text=text,
            options=tuple(OptionDraft(option, place in places) for place, option in enumerate(options)),
            multiple=bool(multiple),
            explanation=self._cell(row, "explanation"),
            source=self._cell(row, "source"),
            topic=self._cell(row, "topic") or self._topic,
            difficulty=difficulty,
            tags=tuple(split_tags(self._cell(row, "tags"))),
        )
        return draft, faults

    def _text_and_options(self, row: Row) -> tuple[str, list[str]]:
        text = self._cell(row, "text")
        if not self._headings.options:
            return split_options(text)
        options = [row.cells[column] if column < len(row.cells) else "" for column in self._headings.options]
        while options and not options[-1].strip():
            options.pop()
        return text, options


def _right(value: str, options: Sequence[str], faults: list[Fault]) -> list[int]:
    if not value.strip():
        return []
    places = right_places(value, options)
    if places is None:
        faults.append(Fault("right_unknown", {"value": value.strip()[:80]}))
    return places or [0]  # the fault is told already; no second one about a missing right option


def _difficulty(value: str, faults: list[Fault]) -> int:
    if not value.strip():
        return DEFAULT_DIFFICULTY
    found = difficulty_of(value)
    if found is None:
        faults.append(Fault("difficulty_unknown", {"value": value.strip()[:80]}))
    return found or DEFAULT_DIFFICULTY


def read_table(rows: Iterable[Row], findings: Findings) -> bool:
    """Read a sheet: find the headings in its first rows, then the questions. False if there are no headings."""
    reader: TableReader | None = None
    for number, row in enumerate(rows):
        if reader is not None:
            reader.read(row)
        elif headings := headings_of(row.cells):
            reader = TableReader(headings, row.where, findings)
        elif number >= HEADING_ROWS:
            return False
    return reader is not None


def rows_of(questions: Sequence[QuestionDraft]) -> Iterator[list[str]]:
    """The row of headings, then a row a question: all that a draft holds."""
    width = min(MAX_OPTIONS, max([LEAST_OPTIONS, *(len(question.options) for question in questions)]))
    yield [HEADINGS["text"], *(letter(place) for place in range(width)), *list(HEADINGS.values())[1:]]
    for question in questions:
        options = [option.text for option in question.options]
        yield [
            question.text,
            *options,
            *[""] * (width - len(options)),
            right_letters(question.rights),
            "x" if question.multiple else "",
            question.explanation,
            question.source,
            question.topic,
            str(question.difficulty),
            join_tags(question.tags),
        ]
