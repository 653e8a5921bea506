"""Rows of a CSV file or an Excel workbook under a row of headings: for lists that officers keep."""

from __future__ import annotations

import csv
import io
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _l
from openpyxl import load_workbook

from quiz.services.formats import BadFile
from quiz.services.formats.commas import unguarded
from quiz.services.formats.safe_zip import MAX_FILE, ZIP, open_package
from quiz.services.formats.sheets import shown
from quiz.services.formats.text import decode
from quiz.services.vietnamese import fold

HEADING_ROWS = 30
"""Titles and the names of offices may stand above the headings."""
MAX_ROWS = 100_000
MAX_COLUMNS = 50
_DELIMITERS = ",;\t"
_BROKEN = (LookupError, ValueError, TypeError, AttributeError, SyntaxError, OSError, zipfile.BadZipFile, zlib.error)
"""What openpyxl raises where a part is missing or says something impossible."""


class UnreadableTable(Exception):
    """The file as a whole can't be read; `message` says why."""

    def __init__(self, message: Any) -> None:
        super().__init__("the table can't be read")
        self.message = message


@dataclass(frozen=True, slots=True)
class Line:
    """One row: its number as the program that made the file shows it, and its cells by field."""

    number: int
    cells: Mapping[str, str]


def read(content: bytes, headings: Mapping[str, str], required: frozenset[str]) -> list[Line]:
    """The rows below the headings; empty ones are left out, columns without a known heading too.

    Args:
        headings: folded heading → field.
        required: fields whose columns must be there.

    Raises:
        UnreadableTable.
    """
    if len(content) > MAX_FILE:
        raise UnreadableTable(_l("The file is larger than %(limit)s MB. Split it into several.", limit=MAX_FILE >> 20))
    try:
        tables = [_sheet(content)] if content.startswith(ZIP) else _comma_tables(content)
    except BadFile as bad:
        raise UnreadableTable(
            _l("The file can't be read. Save it as .xlsx, or as CSV in UTF-8, without a password.")
        ) from bad
    for rows in tables:
        lines = _below_headings(rows, headings, required)
        if lines is not None:
            return lines
    names = ", ".join(sorted(required))
    raise UnreadableTable(_l("No row of headings was found. It must name: %(names)s.", names=names))


_Rows = list[tuple[int, list[str]]]


def _below_headings(rows: _Rows, headings: Mapping[str, str], required: frozenset[str]) -> list[Line] | None:
    for place, (_, cells) in enumerate(rows[:HEADING_ROWS]):
        fields = {column: headings[fold(cell)] for column, cell in enumerate(cells) if fold(cell) in headings}
        if required <= set(fields.values()):
            return [_line(number, cells, fields) for number, cells in rows[place + 1 :] if any(map(str.strip, cells))]
    return None


def _line(number: int, cells: list[str], fields: Mapping[int, str]) -> Line:
    return Line(number, {name: cells[column].strip() for column, name in fields.items() if column < len(cells)})


def _comma_tables(content: bytes) -> list[_Rows]:
    """The file as each delimiter would have it: Excel writes ; where the comma stands in numbers."""
    text = decode(content).removeprefix("\ufeff")
    return [_comma_rows(text, delimiter) for delimiter in _DELIMITERS]


def _comma_rows(text: str, delimiter: str) -> _Rows:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows: _Rows = []
    first = 1
    try:
        for cells in reader:
            rows.append((first, [unguarded(cell) for cell in cells]))
            first = reader.line_num + 1
    except csv.Error as error:
        raise UnreadableTable(_l("Line %(line)s is no CSV.", line=first)) from error
    _check_length(len(rows))
    return rows


def _sheet(content: bytes) -> _Rows:
    """The first visible sheet."""
    open_package(content).close()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl warns of parts it passes over
        try:
            return list(_sheet_rows(content))
        except _BROKEN as error:
            raise UnreadableTable(_l("The file is damaged. Save it again as .xlsx.")) from error


def _sheet_rows(content: bytes) -> Iterator[tuple[int, list[str]]]:
    book = load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
    sheet: Any = next(sheet for sheet in book.worksheets if sheet.sheet_state == "visible")
    # What the file says of its size is not believed.
    sheet.reset_dimensions()
    for number, cells in enumerate(sheet.iter_rows(max_row=MAX_ROWS + HEADING_ROWS + 1, max_col=MAX_COLUMNS), 1):
        _check_length(number)
        yield number, [shown(cell) for cell in cells]
    book.close()


def _check_length(rows: int) -> None:
    if rows > MAX_ROWS + HEADING_ROWS:
        raise UnreadableTable(_l("The file has more than %(limit)s rows. Split it into several.", limit=MAX_ROWS))
