"""Word documents (.docx): a table with a row a question, a table or paragraphs for each question, or both."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence
from itertools import pairwise, zip_longest
from typing import Any

from docx import Document
from docx.document import Document as DocumentObject
from docx.enum.section import WD_ORIENT
from docx.opc.exceptions import OpcError
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, Twips

from quiz.services.formats.drafts import LETTERS, Fault, Findings, QuestionDraft, Where, refuse
from quiz.services.formats.grid import HEADING_ROWS, HEADINGS, Headings, Row, TableReader, headings_of, rows_of
from quiz.services.formats.safe_zip import check_office
from quiz.services.formats.word_lines import LineReader
from quiz.services.formats.word_text import Cell, Line, Reader, Table

_BROKEN = (LookupError, ValueError, TypeError, AttributeError, SyntaxError, OSError, OpcError, zipfile.BadZipFile)
"""What python-docx raises where a part is missing or says something impossible; XML errors are SyntaxErrors."""
_ALWAYS = frozenset([HEADINGS["text"], HEADINGS["right"], "A", "B"])
_SHARES = {
    HEADINGS["text"]: 7,
    HEADINGS["right"]: 1.4,
    HEADINGS["multiple"]: 1.4,
    HEADINGS["explanation"]: 6,
    HEADINGS["source"]: 3,
    HEADINGS["topic"]: 2.5,
    HEADINGS["difficulty"]: 1.2,
    HEADINGS["tags"]: 2,
}
_SHARE_OF_OPTION = 2.6
_PAGE_WIDTH = 15_700
"""Twentieths of a point between the margins of an A4 page that lies on its side."""
_TICKS = frozenset(["x", "v", "✓", "✔", "đ", "đúng", "right", "true"])


def read(content: bytes) -> list[QuestionDraft]:
    """Raises BadFile with every fault of every row and paragraph."""
    check_office(content)
    findings = Findings()
    try:
        _Document(Reader(Document(io.BytesIO(content))), findings).read()
    except _BROKEN as error:
        raise refuse("damaged") from error
    return findings.questions()


class _Document:
    def __init__(self, reader: Reader, findings: Findings) -> None:
        self._reader = reader
        self._findings = findings
        self._lines = LineReader(findings)
        self._last: tuple[Headings, TableReader] | None = None

    def read(self) -> None:
        for block in self._reader.blocks():
            if isinstance(block, Table):
                self._read_table(block)
            else:
                for line in block:
                    self._lines.read(line)
        self._lines.end()

    def _read_table(self, table: Table) -> None:
        rows = [
            Row(Where("table_row", number, str(table.number)), *_row(row)) for number, row in enumerate(table.rows, 1)
        ]
        for number, row in enumerate(rows[:HEADING_ROWS]):
            headings = headings_of(row.cells)
            if headings and not _only_numbers(headings, rows[number + 1 :]):
                reader = TableReader(headings, row.where, self._findings)
                self._last = (headings, reader)
                _read_rows(reader, rows[number + 1 :])
                return
        if self._goes_on(rows):
            return
        if pairs := list(_key(rows)):
            self._lines.read_key(iter(pairs))
            return
        for cells in table.rows:
            for line in _as_lines(cells):
                self._lines.read(line)

    def _goes_on(self, rows: Sequence[Row]) -> bool:
        """A table without headings that has the columns of the one before is its next page."""
        if self._last is None or not rows:
            return False
        headings, reader = self._last
        width = max(headings.columns) + 1
        if any(len(row.cells) < width and not row.merged for row in rows):
            return False
        _read_rows(reader, rows)
        return True


def _only_numbers(headings: Headings, rows: Sequence[Row]) -> bool:
    """`Câu | Đáp án` and below it `1 | B`: the answers of questions that stand elsewhere."""
    column = headings.fields["text"]
    texts = [row.cells[column].strip() for row in rows if column < len(row.cells)]
    return not headings.options and all(text.isdigit() for text in texts if text)


def _read_rows(reader: TableReader, rows: Sequence[Row]) -> None:
    for row in rows:
        reader.read(row)


def _row(cells: Sequence[Cell]) -> tuple[list[str], list[Fault], bool]:
    """Texts by column (a wide cell fills the columns it spans with nothing), faults, and whether it is one cell."""
    texts: list[str] = []
    for cell in cells:
        texts += [cell.text, *[""] * (cell.span - 1)]
    lost = sorted(frozenset().union(*(cell.lost for cell in cells)))
    return texts, [Fault(code) for code in lost], len(cells) == 1 and cells[0].span > 1


def _key(rows: Sequence[Row]) -> Iterator[tuple[str, str]]:
    """Number and letters, from a table of answers: numbers in a row or column, letters in the next."""
    table = [row.cells for row in rows]
    for lines in (table, list(zip_longest(*table, fillvalue=""))):
        pairs = [
            (number.strip(), letters.strip().upper())
            for upper, lower in pairwise(lines)
            for number, letters in zip(upper, lower, strict=False)
            if number.strip().isdigit() and letters.strip() and set(letters.strip().upper()) <= set(f"{LETTERS}, ")
        ]
        if pairs:
            yield from pairs
            return


def _as_lines(cells: Sequence[Cell]) -> Iterator[Line]:
    """`Câu 1 | …`, `A | …`, `Đáp án | B`: rows of two cells as the lines that they stand for."""
    first, *rest = [cell for cell in cells if cell.text or cell.lost] or [Cell(())]
    label = first.text
    if not rest or "\n" in label:
        for cell in (first, *rest):
            yield from cell.lines
        return
    if rest[-1].text.lower() in _TICKS and len(rest) > 1:
        label = f"*{label}"
        rest = rest[:-1]
    mark = "" if label.rstrip().endswith((".", ":", ")")) else "." if len(label.strip("* ")) == 1 else ":"
    lines = [line for cell in rest for line in cell.lines]
    lead = f"{label}{mark} "
    marks = (first.lines[0].marks[:1] or (frozenset(),)) * len(lead)
    lost = first.lost | lines[0].lost
    yield Line(lead + lines[0].text, marks + lines[0].marks, lines[0].number, lost)
    yield from lines[1:]


def write(questions: Sequence[QuestionDraft]) -> bytes:
    """One table on wide pages, with a row a question and its headings on every page."""
    document = Document()
    _wide(document)
    rows = _without_empty_columns(list(rows_of(questions)))
    table = document.add_table(rows=0, cols=len(rows[0]), style="Table Grid")
    table.autofit = False
    widths = _widths(rows[0])
    for column, width in zip(table.columns, widths, strict=True):
        column.width = Twips(width)
    for number, texts in enumerate(rows):
        # The library's own way to add rows takes seconds a hundred.
        table._tbl.append(_row_element(texts, widths, heading=number == 0))
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def _wide(document: DocumentObject) -> None:
    section = document.sections[0]
    section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = Cm(29.7), Cm(21)
    section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = Cm(1)
    document.styles["Normal"].font.size = Pt(9)


def _without_empty_columns(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """A page is narrow: columns that no question fills are left out, but for those without which nothing is read."""
    kept = [
        column for column, heading in enumerate(rows[0]) if heading in _ALWAYS or any(row[column] for row in rows[1:])
    ]
    return [[row[column] for column in kept] for row in rows]


def _widths(headings: Sequence[str]) -> list[int]:
    """In twentieths of a point, by what stands in the columns."""
    shares = [_SHARES.get(heading, _SHARE_OF_OPTION) for heading in headings]
    return [int(_PAGE_WIDTH * share / sum(shares)) for share in shares]


def _row_element(texts: Sequence[str], widths: Sequence[int], *, heading: bool) -> Any:
    row = OxmlElement("w:tr")
    properties = OxmlElement("w:trPr")
    properties.append(OxmlElement("w:cantSplit"))
    if heading:
        properties.append(OxmlElement("w:tblHeader"))
    row.append(properties)
    for text, width in zip(texts, widths, strict=True):
        row.append(_cell_element(text, width, heading=heading))
    return row


def _cell_element(text: str, width: int, *, heading: bool) -> Any:
    cell = OxmlElement("w:tc")
    properties = OxmlElement("w:tcPr")
    size = OxmlElement("w:tcW")
    size.set(qn("w:w"), str(width))
    size.set(qn("w:type"), "dxa")
    properties.append(size)
    cell.append(properties)
    paragraph = OxmlElement("w:p")
    run = OxmlElement("w:r")
    if heading:
        bold = OxmlElement("w:rPr")
        bold.append(OxmlElement("w:b"))
        run.append(bold)
    _put_text(run, text)
    paragraph.append(run)
    cell.append(paragraph)
    return cell


def _put_text(run: Any, text: str) -> None:
    for number, line in enumerate(text.split("\n")):
        if number:
            run.append(OxmlElement("w:br"))
        for place, piece in enumerate(line.split("\t")):
            if place:
                run.append(OxmlElement("w:tab"))
            element = OxmlElement("w:t")
            element.text = piece
            element.set(qn("xml:space"), "preserve")
            run.append(element)
