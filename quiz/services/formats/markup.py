"""HTML to plain text, and plain text to the little HTML that QTI needs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from xml.etree.ElementTree import Element, SubElement

from quiz.services.formats.drafts import Fault
from quiz.services.formats.safe_xml import name_of

_BLOCK = re.compile(
    r"address|article|aside|blockquote|center|d[dlt]|details|div|fieldset|figcaption|figure|footer|form|h[1-6r]|header"
    r"|li|main|nav|ol|p|pre|prompt|section|summary|t(?:able|body|foot|head|r)|ul"
)
_SILENT = frozenset(["head", "noscript", "script", "style", "template", "title"])
_PICTURES = frozenset(["audio", "canvas", "embed", "iframe", "img", "object", "picture", "source", "svg", "video"])
_FORMULAS = frozenset({"math"})
_CELLS = frozenset({"td", "th"})
_SPACES = re.compile(r"[ \t\n\r\f]+")
_RAISED = str.maketrans("0123456789+-=()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿ")
_LOWERED = str.maketrans("0123456789+-=()", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎")
_LOOKS_LIKE_HTML = re.compile(r"</?[a-zA-Z][^<>]*>|&(?:#\d+|#[xX][0-9a-fA-F]+|[a-zA-Z]\w*);")


class PlainText:
    """Collects text as a browser would show it: spaces run together, blocks and <br> on lines of their own."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._last = "\n"
        self._silent = 0
        self._verbatim = 0
        self._shifted: list[str] = []
        self.lost: set[str] = set()
        """Codes of what text can't say: a picture, a formula."""

    def open(self, tag: str) -> None:
        if tag in _SILENT:
            self._silent += 1
        elif tag == "br":
            self._newline()
        elif _BLOCK.fullmatch(tag):
            self._block()
            self._verbatim += tag == "pre"
            if tag == "li":
                self._put("- ")
        elif tag in _CELLS and self._last != "\n":
            self._put(" ")
        elif tag in ("sup", "sub"):
            self._shifted.append(tag)
        elif tag in _PICTURES:
            self.lost.add("picture")
        elif tag in _FORMULAS:
            self.lost.add("formula")

    def close(self, tag: str) -> None:
        if tag in _SILENT:
            self._silent = max(0, self._silent - 1)
        elif _BLOCK.fullmatch(tag):
            self._verbatim = max(0, self._verbatim - (tag == "pre"))
            self._block()
        elif tag in ("sup", "sub") and tag in self._shifted:
            self._shifted.remove(tag)

    def text(self, data: str) -> None:
        if self._silent or not data:
            return
        if self._verbatim:
            self._put(data)
            return
        data = _SPACES.sub(" ", data)
        if data[0] == " " and self._last in " \n":
            data = data[1:]
        self._put(_shift(data, self._shifted[-1]) if self._shifted else data)

    def result(self) -> str:
        return "".join(self._parts).strip()

    def _put(self, data: str) -> None:
        if data:
            self._parts.append(data)
            self._last = data[-1]

    def _newline(self) -> None:
        if self._last == " " and self._parts:
            self._parts[-1] = self._parts[-1].rstrip(" ")
        self._put("\n")

    def _block(self) -> None:
        if self._last != "\n":
            self._newline()


def _shift(data: str, how: str) -> str:
    """m² and H₂O where there are such letters, else 10^(-x) and a_(max)."""
    table, sign = (_RAISED, "^") if how == "sup" else (_LOWERED, "_")
    if all(ord(char) in table for char in data):
        return data.translate(table)
    return f"{sign}({data.strip()})"


class _Html(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.plain = PlainText()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.plain.open(tag)

    def handle_endtag(self, tag: str) -> None:
        self.plain.close(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.plain.open(tag)
        if tag in _SILENT or tag in ("sup", "sub"):
            self.plain.close(tag)

    def handle_data(self, data: str) -> None:
        self.plain.text(data)


def from_html(html: str) -> tuple[str, list[Fault]]:
    """What a reader sees of the HTML, and what text could not say of it.

    Editors put a no-break space wherever two spaces met: it is a space here.
    """
    parser = _Html()
    parser.feed(html.replace("\xa0", " ").replace("&nbsp;", " ").replace("&#160;", " "))
    parser.close()
    return parser.plain.result(), [Fault(code) for code in sorted(parser.plain.lost)]


def from_moodle(text: str, kind: str) -> tuple[str, list[Fault]]:
    """Text in one of Moodle's formats (`html`, `plain_text`, `moodle_auto_format`, `markdown`), as plain text."""
    if kind in ("html", ""):
        return from_html(text)
    if kind == "moodle_auto_format" and _LOOKS_LIKE_HTML.search(text):
        return from_html(text.replace("\n", "<br>"))
    return text, []


def from_elements(element: Element, into: PlainText, skip: frozenset[str] = frozenset()) -> None:
    """Add the text inside an XML element; children named in `skip` are left out, not what follows them."""
    into.text(element.text or "")
    for child in element:
        tag = name_of(child)
        if tag not in skip:
            into.open(tag)
            from_elements(child, into, skip)
            into.close(tag)
        into.text(child.tail or "")


def put_lines(parent: Element, text: str, tag: str = "br") -> None:
    """Set plain text as the content of an element, with <br/> between its lines."""
    lines = text.split("\n")
    parent.text = lines[0]
    for line in lines[1:]:
        SubElement(parent, tag).tail = line


def collapsed(text: str) -> str:
    """Text as it comes back from elements: lines stay, runs of spaces and tabs are one space."""
    return "\n".join(_collapsed_lines(text))


def _collapsed_lines(text: str) -> Iterator[str]:
    for line in text.split("\n"):
        yield re.sub(r"[ \t]+", " ", line).strip(" ")
