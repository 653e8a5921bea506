"""Excel workbooks (.xlsx): a row a question under a row of headings, and the template to fill in."""

from __future__ import annotations

import io
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from quiz.services.formats.drafts import Fault, Findings, QuestionDraft, Where, refuse
from quiz.services.formats.grid import HEADINGS, Row, read_table, rows_of
from quiz.services.formats.safe_zip import check_office

SHEET = "Câu hỏi"
GUIDE = "Hướng dẫn"
MAX_ROWS = 1_048_576
"""Excel's own; a file may claim any."""
MAX_COLUMNS = 200
_BROKEN = (LookupError, ValueError, TypeError, AttributeError, SyntaxError, OSError, zipfile.BadZipFile, zlib.error)
"""What openpyxl raises where a part is missing or says something impossible; XML errors are SyntaxErrors."""
_CARRIAGE_RETURN = re.compile(r"_x000[dD]_\n?")
_WIDTHS = {
    HEADINGS["text"]: 60,
    HEADINGS["right"]: 10,
    HEADINGS["multiple"]: 15,
    HEADINGS["explanation"]: 50,
    HEADINGS["source"]: 30,
    HEADINGS["topic"]: 24,
    HEADINGS["difficulty"]: 9,
}
"""In characters."""
_WIDTH_OF_OPTION = 20
_LINE = 15
_MOST_LINES = 26
"""Excel's rows are at most 409 points high."""


def read(content: bytes) -> list[QuestionDraft]:
    """The questions of all visible sheets that have a row of headings.

    Raises:
        BadFile: with every fault of every row.
    """
    check_office(content)
    findings = Findings()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl warns of parts it passes over: charts, extensions
        try:
            book = load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
            sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
            found = [read_table(_rows(sheet, len(sheets) > 1), findings) for sheet in sheets]
            book.close()
        except _BROKEN as error:
            raise refuse("damaged") from error
    if not any(found):
        raise refuse("headings_missing")
    return findings.questions()


def _rows(sheet: Any, several: bool) -> Iterator[Row]:
    sheet.reset_dimensions()
    inside = sheet.title if several else ""
    empty: Any = None
    for number, cells in enumerate(sheet.iter_rows(max_row=MAX_ROWS, max_col=MAX_COLUMNS), 1):
        if cells is empty:
            continue  # openpyxl gives one and the same row for each that is not in the file: there may be a million
        if all(cell.value is None for cell in cells):
            empty = cells
        else:
            texts = [shown(cell) for cell in cells]
            faults = [
                Fault("excel_error" if cell.data_type == "e" else "formula_cell", {"cell": cell.coordinate})
                for cell in cells
                if cell.data_type in ("e", "f")
            ]
            yield Row(Where("row", number, inside), texts, faults)


def shown(cell: Any) -> str:
    """A cell's text as Excel shows it in Vietnam: Excel makes numbers and dates of what people type."""
    value = cell.value
    if value is None or cell.data_type in ("e", "f"):
        return ""
    if isinstance(value, str):
        return _CARRIAGE_RETURN.sub("\n", value)
    if isinstance(value, bool):
        return str(value).upper()
    return _shown(value, cell.number_format or "General")


def _shown(value: Any, form: str) -> str:
    if isinstance(value, date):
        return _date(value, form)
    if isinstance(value, time):
        return f"{value:%H:%M:%S}" if value.second else f"{value:%H:%M}"
    return _number(value, form) if isinstance(value, (int, float)) else str(value)


def _date(value: date, form: str) -> str:
    day = f"{value.day:02}/{value.month:02}" if "dd" in form.lower() else f"{value.day}/{value.month}"
    text = f"{day}/{value.year}"
    if isinstance(value, datetime) and (value.hour or value.minute):
        text += f" {value:%H:%M}"
    return text


def _number(value: float, form: str) -> str:
    places = re.search(r"\.(0+)", form)
    decimals = len(places[1]) if places else None
    percent = "%" in form
    if percent:
        value *= 100
    if decimals is not None:
        text = f"{value:,.{decimals}f}"
    elif float(value).is_integer():
        text = f"{int(value):,}"
    else:
        text = f"{round(value, 10):,}"
    if "#,##" not in form:
        text = text.replace(",", "")
    text = text.replace(",", " ").replace(".", ",").replace(" ", ".")
    return f"{text}%" if percent else text


def write(questions: Sequence[QuestionDraft]) -> bytes:
    book, sheet = _book()
    _put_rows(sheet, rows_of(questions))
    _dress(sheet)
    return _saved(book)


def template(guide: Sequence[tuple[str, str]]) -> bytes:
    """An empty workbook to fill in; `guide` is what its second sheet explains, heading by heading."""
    book, sheet = _book()
    _put_rows(sheet, rows_of(()))
    _dress(sheet)
    validation = DataValidation(type="whole", operator="between", formula1="1", formula2="5", allow_blank=True)
    column = get_column_letter(list(next(rows_of(()))).index(HEADINGS["difficulty"]) + 1)
    validation.add(f"{column}2:{column}2000")
    sheet.add_data_validation(validation)
    notes = book.create_sheet(GUIDE)
    _put_rows(notes, guide)
    notes.column_dimensions["A"].width, notes.column_dimensions["B"].width = 24, 90
    _size_rows(notes)
    return _saved(book)


def _book() -> tuple[Workbook, Worksheet]:
    book = Workbook()
    sheet = book.active
    if not isinstance(sheet, Worksheet):
        raise TypeError("a new workbook has a worksheet")
    sheet.title = SHEET
    return book, sheet


def _put_rows(sheet: Worksheet, rows: Iterable[Sequence[str]]) -> None:
    for number, texts in enumerate(rows, 1):
        for column, text in enumerate(texts, 1):
            if text:
                _put(sheet, number, column, text)


def _put(sheet: Worksheet, row: int, column: int, text: str) -> None:
    """Set a cell to text and nothing but text: `=1+1` is no formula, neither now nor after someone edits the cell."""
    cell = sheet.cell(row, column)
    cell.value = text
    cell.data_type = "s"
    cell.number_format = "@"
    cell.quotePrefix = text.startswith(("=", "+", "-", "@", "'"))
    cell.alignment = Alignment(wrap_text=True, vertical="top")


def _dress(sheet: Worksheet) -> None:
    """The row of headings stays in sight; columns and rows are as large as their texts want."""
    for column in range(1, sheet.max_column + 1):
        cell = sheet.cell(1, column)
        cell.font = Font(bold=True, color="FFFFFF")
        cell.fill = PatternFill("solid", fgColor="1F4E79")
        width = _WIDTHS.get(str(cell.value), _WIDTH_OF_OPTION)
        sheet.column_dimensions[get_column_letter(column)].width = width
    sheet.freeze_panes = "A2"
    sheet.print_title_rows = "1:1"
    _size_rows(sheet)


def _size_rows(sheet: Worksheet) -> None:
    """Excel would see to the height of rows itself, LibreOffice doesn't."""
    columns = range(1, sheet.max_column + 1)
    widths = [sheet.column_dimensions[get_column_letter(column)].width for column in columns]
    for number, row in enumerate(sheet.iter_rows(values_only=True), 1):
        lines = [_lines(str(text or ""), width) for text, width in zip(row, widths, strict=True)]
        sheet.row_dimensions[number].height = _LINE * min(max(lines), _MOST_LINES)
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)


def _lines(text: str, width: float) -> int:
    return sum(1 + int(len(line) / width) for line in text.split("\n"))


def _saved(book: Workbook) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
