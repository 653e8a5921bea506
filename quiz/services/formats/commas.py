"""CSV: the same rows as a spreadsheet's, safe to open in one."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from itertools import islice

from quiz.services.formats.drafts import Findings, QuestionDraft, Where, refuse
from quiz.services.formats.grid import HEADING_ROWS, Row, headings_of, read_table, rows_of
from quiz.services.formats.text import decode

_DELIMITERS = ",;\t"
"""Excel writes ; where the comma stands in numbers, as in Vietnam."""
_RUNS = re.compile(r"'*[=+\-@\t\r＝＋－＠]")
"""What a spreadsheet takes for the beginning of a formula, behind any apostrophes that keep it from doing so."""


def read(content: bytes) -> list[QuestionDraft]:
    """Raises BadFile with every fault of every line."""
    text = decode(content).removeprefix("\ufeff")
    delimiter = _delimiter(text)
    if delimiter is None:
        raise refuse("headings_missing")
    findings = Findings()
    try:
        read_table(_rows(text, delimiter), findings)
    except _Broken as broken:
        findings.bad(Where("line", broken.line), "csv_broken")
    return findings.questions()


class _Broken(Exception):
    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


def _delimiter(text: str) -> str | None:
    for delimiter in _DELIMITERS:
        try:
            if any(headings_of(row.cells) for row in islice(_rows(text, delimiter), HEADING_ROWS)):
                return delimiter
        except _Broken:
            continue
    return None


def _rows(text: str, delimiter: str) -> Iterator[Row]:
    """Rows with the line on which they begin. `strict`, or a forgotten quote would swallow the rest of the file."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise _Broken(line) from error
        if not (line == 1 and cells and cells[0].startswith("sep=")):
            yield Row(Where("line", line), [unguarded(cell) for cell in cells])
        line = reader.line_num + 1


def write(questions: Sequence[QuestionDraft]) -> bytes:
    """UTF-8 with the mark that lets Excel see that it is, and no cell that a spreadsheet would run."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerows([guarded(cell) for cell in row] for row in rows_of(questions))
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def guarded(cell: str) -> str:
    """An apostrophe before what would run as a formula; text that already has apostrophes there gets one more."""
    return f"'{cell}" if _RUNS.match(cell) else cell


def unguarded(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and _RUNS.match(cell) else cell
