"""Word documents as organizers write them, made in the tests so that what is in them can be read here."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any

from docx import Document
from docx.document import Document as DocumentObject
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn

Make = Callable[[DocumentObject], None]


def saved(document: DocumentObject) -> bytes:
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def of_lines(text: str) -> bytes:
    """Each line a paragraph; `**…**` is bold, `__…__` underlined, `^^…^^` red, `==…==` highlighted."""
    document = Document()
    for line in text.strip("\n").split("\n"):
        add_line(document, line)
    return saved(document)


_MARKS = {"**": "b", "__": "u", "^^": "color", "==": "highlight"}
_VALUES = {"b": "1", "u": "single", "color": "FF0000", "highlight": "yellow"}


def add_line(parent: Any, line: str) -> Any:
    paragraph = parent.add_paragraph()
    mark, text = "", ""
    place = 0
    while place < len(line):
        sign = line[place : place + 2]
        if sign in _MARKS and mark in ("", sign):
            _run(paragraph, text, mark)
            mark, text = ("" if mark else sign), ""
            place += 2
        else:
            text += line[place]
            place += 1
    _run(paragraph, text, mark)
    return paragraph


def _run(paragraph: Any, text: str, mark: str) -> None:
    if not text:
        return
    run = paragraph.add_run(text)
    if mark:
        name = _MARKS[mark]
        properties = run._r.get_or_add_rPr()
        properties.append(parse_xml(f'<w:{name} {nsdecls("w")} w:val="{_VALUES[name]}"/>'))


def of_table(rows: Sequence[Sequence[str]], *, before: str = "") -> bytes:
    document = Document()
    if before:
        document.add_paragraph(before)
    add_table(document, rows)
    return saved(document)


def add_table(document: DocumentObject, rows: Sequence[Sequence[str]]) -> Any:
    table = document.add_table(len(rows), len(rows[0]))
    for row, texts in zip(table.rows, rows, strict=True):
        for cell, text in zip(row.cells, texts, strict=True):
            cell.text = text
    return table


def number_lists(document: DocumentObject) -> tuple[str, str]:
    """Ids of two lists: `Câu 1:` with `A.` below it (levels 0 and 1), and letters that begin anew."""
    numbering = document.part.numbering_part.element
    w = nsdecls("w")
    questions = f"""<w:abstractNum {w} w:abstractNumId="90"><w:multiLevelType w:val="multilevel"/>
    <w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:lvlText w:val="Câu %1:"/></w:lvl>
    <w:lvl w:ilvl="1"><w:start w:val="1"/><w:numFmt w:val="upperLetter"/><w:lvlText w:val="%2."/></w:lvl>
    </w:abstractNum>"""
    letters = f"""<w:abstractNum {w} w:abstractNumId="91">
    <w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="lowerLetter"/><w:lvlText w:val="%1)"/></w:lvl>
    </w:abstractNum>"""
    first = numbering.find(qn("w:num"))
    for xml in (questions, letters):
        first.addprevious(parse_xml(xml))
    numbering.append(parse_xml(f'<w:num {w} w:numId="90"><w:abstractNumId w:val="90"/></w:num>'))
    for number in ("91", "92"):
        restart = '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="1"/></w:lvlOverride>'
        numbering.append(parse_xml(f'<w:num {w} w:numId="{number}"><w:abstractNumId w:val="91"/>{restart}</w:num>'))
    return "90", "91"


def add_numbered(document: DocumentObject, text: str, number: str, level: int = 0) -> Any:
    paragraph = document.add_paragraph(text)
    properties = paragraph._p.get_or_add_pPr()
    xml = f'<w:numPr {nsdecls("w")}><w:ilvl w:val="{level}"/><w:numId w:val="{number}"/></w:numPr>'
    properties.append(parse_xml(xml))
    return paragraph
