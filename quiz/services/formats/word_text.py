"""The paragraphs and tables of a Word document, in order, as a reader sees them.

python-docx's own `text` leaves out what was inserted with "track changes" on and what stands in form fields;
organizers' files are full of both, so the elements are walked here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from docx.document import Document
from docx.oxml.ns import qn

from quiz.services.formats.word_numbers import Numbering

_MARKUP = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_MATH = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_SKIPPED = frozenset([qn("w:del"), qn("w:moveFrom"), qn("w:pPr"), qn("w:rPr"), qn("w:instrText"), f"{_MARKUP}Fallback"])
_BREAKS = {qn("w:tab"): "\t", qn("w:br"): "\n", qn("w:cr"): "\n", qn("w:noBreakHyphen"): "-"}
_PICTURES = frozenset([qn("w:drawing"), qn("w:pict"), qn("w:object")])
_FORMULAS = frozenset([f"{_MATH}oMath"])
_OFF = frozenset(["0", "false", "none", "off"])
_PLAIN_COLOURS = frozenset(["", "auto", "000000"])

Marks = frozenset[str]
NO_MARKS: Marks = frozenset()


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text, with the ways in which each character stands out, and the place it has in the document."""

    text: str
    marks: tuple[Marks, ...]
    number: int
    lost: frozenset[str] = frozenset()
    """Codes of what is there and is no text: a picture, a formula."""


@dataclass(frozen=True, slots=True)
class Cell:
    lines: tuple[Line, ...]
    span: int = 1

    @property
    def text(self) -> str:
        return "\n".join(line.text for line in self.lines).strip()

    @property
    def lost(self) -> frozenset[str]:
        return frozenset().union(*(line.lost for line in self.lines))


@dataclass(frozen=True, slots=True)
class Table:
    number: int
    rows: tuple[tuple[Cell, ...], ...]


class Reader:
    def __init__(self, document: Document) -> None:
        self._body = document.element.body
        self._numbering = Numbering(document)
        self._paragraphs = 0
        self._tables = 0

    def blocks(self) -> Iterator[tuple[Line, ...] | Table]:
        """Paragraphs, as the lines in them, and tables."""
        yield from self._blocks(self._body)

    def _blocks(self, parent: Any) -> Iterator[tuple[Line, ...] | Table]:
        for child in parent:
            if child.tag == qn("w:p"):
                yield self._lines(child)
            elif child.tag == qn("w:tbl"):
                yield self._table(child)
            elif child.tag in (qn("w:sdt"), qn("w:sdtContent"), qn("w:customXml"), qn("w:ins"), qn("w:smartTag")):
                yield from self._blocks(child)

    def _table(self, element: Any) -> Table:
        self._tables += 1
        number = self._tables
        rows = [tuple(self._cell(cell) for cell in _named(row, "w:tc")) for row in _named(element, "w:tr")]
        return Table(number, tuple(rows))

    def _cell(self, element: Any) -> Cell:
        """A cell that belongs to the one above it has no text of its own. Tables in cells are read as their lines."""
        lines: list[Line] = []
        for block in self._blocks(element):
            if isinstance(block, Table):
                lines += [line for row in block.rows for cell in row for line in cell.lines]
            else:
                lines += block
        span = element.find(f"{qn('w:tcPr')}/{qn('w:gridSpan')}")
        width = span.get(qn("w:val"), "1") if span is not None else "1"
        return Cell(tuple(lines), min(int(width), 64) if width.isdigit() else 1)

    def _lines(self, paragraph: Any) -> tuple[Line, ...]:
        self._paragraphs += 1
        chars: list[tuple[str, Marks]] = []
        lost: set[str] = set()
        label = self._numbering.label(paragraph)
        if label:
            chars += [(char, NO_MARKS) for char in f"{label} "]
        _walk(paragraph, NO_MARKS, chars, lost)
        return tuple(_split(chars, self._paragraphs, frozenset(lost)))


def _named(parent: Any, name: str) -> Iterator[Any]:
    """Children of a name, also inside form fields."""
    for child in parent:
        if child.tag == qn(name):
            yield child
        elif child.tag in (qn("w:sdt"), qn("w:sdtContent"), qn("w:ins"), qn("w:customXml")):
            yield from _named(child, name)


def _walk(element: Any, marks: Marks, chars: list[tuple[str, Marks]], lost: set[str]) -> None:
    for child in element:
        tag = child.tag
        if tag in _PICTURES:
            lost.add("picture")
        elif tag in _FORMULAS:
            lost.add("formula")
        elif tag == qn("w:t"):
            chars += [(char, marks) for char in child.text or ""]
        elif tag in _BREAKS:
            chars.append((_BREAKS[tag], marks))
        elif isinstance(tag, str) and tag not in _SKIPPED:
            _walk(child, _marks(child) if tag == qn("w:r") else marks, chars, lost)


def _marks(run: Any) -> Marks:
    """How a run stands out: that is how many organizers show which option is right."""
    properties = run.find(qn("w:rPr"))
    if properties is None:
        return NO_MARKS
    found = {name for name in ("b", "u", "highlight") if _is_on(properties.find(qn(f"w:{name}")))}
    colour = properties.find(qn("w:color"))
    if colour is not None and colour.get(qn("w:val"), "").lower() not in _PLAIN_COLOURS:
        found.add("color")
    return frozenset(found)


def _is_on(element: Any) -> bool:
    return element is not None and element.get(qn("w:val"), "on").lower() not in _OFF


def _split(chars: list[tuple[str, Marks]], number: int, lost: frozenset[str]) -> Iterator[Line]:
    start = 0
    for end in [*(place for place, (char, _) in enumerate(chars) if char == "\n"), len(chars)]:
        part = chars[start:end]
        yield Line("".join(char for char, _ in part), tuple(marks for _, marks in part), number, lost)
        start, lost = end + 1, frozenset()
