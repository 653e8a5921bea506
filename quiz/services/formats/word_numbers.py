"""The numbers and letters that Word puts before paragraphs by itself: they stand nowhere in the text."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from docx.document import Document
from docx.oxml.ns import qn

_LEVELS = 9


def _letters(number: int) -> str:
    """A to Z, then AA, BB, as Word counts."""
    return chr(ord("A") + (number - 1) % 26) * ((number - 1) // 26 + 1)


def _roman(number: int) -> str:
    marks = zip((100, 90, 50, 40, 10, 9, 5, 4, 1), ["C", "XC", "L", "XL", "X", "IX", "V", "IV", "I"], strict=True)
    written = ""
    for value, mark in marks:
        written += mark * (number // value)
        number %= value
    return written


_FORMS: dict[str, Callable[[int], str]] = {
    "decimal": str,
    "decimalZero": lambda number: f"{number:02}",
    "upperLetter": _letters,
    "lowerLetter": lambda number: _letters(number).lower(),
    "upperRoman": _roman,
    "lowerRoman": lambda number: _roman(number).lower(),
}


@dataclass(slots=True)
class _Level:
    start: int = 1
    form: str = "decimal"
    text: str = ""


@dataclass(slots=True)
class _List:
    levels: dict[int, _Level]
    counts: dict[int, int] = field(default_factory=dict)


class Numbering:
    """Counts the lists of a document while its paragraphs are read in order."""

    def __init__(self, document: Document) -> None:
        self._styles = document.styles.element
        self._lists: dict[str, _List] = {}
        self._list_of: dict[str, str] = {}
        self._restarts: dict[str, dict[int, int]] = {}
        part = _numbering_part(document)
        if part is not None:
            self._read(part)

    def label(self, paragraph: Any) -> str:
        """`A.` or `Câu 3:`, or nothing for a paragraph that is not in a list."""
        number, level = self._place(paragraph)
        numbered = self._lists.get(self._list_of.get(number, ""))
        if numbered is None or level not in numbered.levels:
            return ""
        restarts = self._restarts.pop(number, {})
        for at, start in restarts.items():
            numbered.counts[at] = start - 1
        shape = numbered.levels[level]
        numbered.counts[level] = numbered.counts.get(level, shape.start - 1) + 1
        for deeper in range(level + 1, _LEVELS):
            numbered.counts.pop(deeper, None)
        return re.sub(r"%(\d)", lambda found: self._count(numbered, int(found[1]) - 1), shape.text).strip()

    @staticmethod
    def _count(numbered: _List, level: int) -> str:
        shape = numbered.levels.get(level, _Level())
        form = _FORMS.get(shape.form)
        return form(numbered.counts.get(level, shape.start)) if form else ""

    def _place(self, paragraph: Any) -> tuple[str, int]:
        """The list and the level, of the paragraph itself or of its style."""
        number, level = _numbered(paragraph.find(qn("w:pPr")))
        style = _value(paragraph, "w:pPr/w:pStyle")
        seen: set[str] = set()
        while number is None and style and style not in seen:
            seen.add(style)
            element = next((one for one in self._styles if one.get(qn("w:styleId")) == style), None)
            if element is None:
                break
            number, of_style = _numbered(element.find(qn("w:pPr")))
            level = of_style if level is None else level
            style = _value(element, "w:basedOn")
        return number or "", level or 0

    def _read(self, part: Any) -> None:
        for abstract in part.findall(qn("w:abstractNum")):
            levels = {int(one.get(qn("w:ilvl"))): _level(one) for one in abstract.findall(qn("w:lvl"))}
            self._lists[abstract.get(qn("w:abstractNumId"))] = _List(levels)
        for one in part.findall(qn("w:num")):
            number = one.get(qn("w:numId"))
            self._list_of[number] = _value(one, "w:abstractNumId")
            for override in one.findall(qn("w:lvlOverride")):
                if (start := _value(override, "w:startOverride")).isdigit():
                    self._restarts.setdefault(number, {})[int(override.get(qn("w:ilvl")))] = int(start)


def _numbering_part(document: Document) -> Any:
    for relation in document.part.rels.values():
        if relation.reltype.endswith("/numbering") and not relation.is_external:
            return getattr(relation.target_part, "element", None)
    return None


def _level(element: Any) -> _Level:
    start = _value(element, "w:start")
    return _Level(
        start=int(start) if start.isdigit() else 1,
        form=_value(element, "w:numFmt") or "decimal",
        text=_value(element, "w:lvlText"),
    )


def _numbered(properties: Any) -> tuple[str | None, int | None]:
    if properties is None or properties.find(qn("w:numPr")) is None:
        return None, None
    level = _value(properties, "w:numPr/w:ilvl")
    return _value(properties, "w:numPr/w:numId"), int(level) if level.isdigit() else None


def _value(element: Any, path: str) -> str:
    found = element.find("/".join(qn(name) for name in path.split("/")))
    return "" if found is None else found.get(qn("w:val")) or ""
