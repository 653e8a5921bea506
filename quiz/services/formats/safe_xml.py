"""XML without its dangers: no document types, so neither entities that grow nor files from elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, tostring

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from quiz.services.formats.drafts import BadFile, Where, refuse

MAX_DEPTH = 100
MAX_ELEMENTS = 1_500_000


@dataclass(frozen=True, slots=True)
class Document:
    root: Element
    lines: dict[Element, int]
    """The line on which an element begins."""


class _Builder(TreeBuilder):
    def __init__(self) -> None:
        super().__init__()
        self.lines: dict[Element, int] = {}
        self.expat: Any = None
        self._depth = 0

    def start(self, tag: Any, attrs: Any, /) -> Element:
        self._depth += 1
        if self._depth > MAX_DEPTH or len(self.lines) > MAX_ELEMENTS:
            raise refuse("xml_too_deep", Where("line", self.expat.CurrentLineNumber))
        element = super().start(tag, attrs)
        self.lines[element] = self.expat.CurrentLineNumber
        return element

    def end(self, tag: Any, /) -> Element:
        self._depth -= 1
        return super().end(tag)


def parse(content: bytes, inside: str = "") -> Document:
    """The elements of an XML file, and where they stand in it.

    Raises:
        BadFile: not well-formed, or with a document type; `inside` is the file's name in its package.
    """
    builder = _Builder()
    parser = DefusedXMLParser(target=builder, forbid_dtd=True)
    builder.expat = parser.parser
    try:
        parser.feed(content)
        root = parser.close()
    except ParseError as error:
        line, column = error.position
        raise refuse("xml_broken", Where("line", line, inside), column=column + 1) from error
    except (DefusedXmlException, BadFile) as error:
        code = error.lines[0].fault.code if isinstance(error, BadFile) else "xml_forbidden"
        raise refuse(code, Where("line", builder.expat.CurrentLineNumber, inside)) from error
    except (ValueError, LookupError) as error:
        raise refuse("xml_encoding", Where("line", 1, inside)) from error
    return Document(root, builder.lines)


def to_bytes(root: Element) -> bytes:
    written: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def name_of(element: Element) -> str:
    """The element's name without its namespace, in the one spelling of all QTI versions.

    >>> name_of(Element("{urn:x}qti-simple-choice")) == name_of(Element("simpleChoice"))
    True
    """
    return plain_name(element.tag)


def plain_name(tag: str) -> str:
    return tag.rpartition("}")[2].lower().removeprefix("qti-").replace("-", "")
