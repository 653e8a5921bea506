"""Which format a file has: by what is in it; its name decides only between kinds of plain text."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from quiz.services.formats.drafts import refuse
from quiz.services.formats.qti import MANIFEST, is_item
from quiz.services.formats.safe_xml import parse
from quiz.services.formats.safe_zip import MAX_FILE, ZIP, open_package
from quiz.services.formats.text import decode

_OLD_OFFICE = b"\xd0\xcf\x11\xe0"
"""Of .doc and .xls, and of newer files behind a password."""
_PACKAGES = {"xl/workbook.xml": "xlsx", "word/document.xml": "docx"}
_BY_NAME = {".csv": "csv", ".tsv": "csv", ".gift": "gift", ".json": "json"}
_AIKEN = re.compile(r"^ANSWER:", re.MULTILINE | re.IGNORECASE)
_GIFT = re.compile(r"^(?:::|\$CATEGORY:|//)|(?<!\\)\{", re.MULTILINE)


def detect(filename: str, content: bytes) -> str:
    """The name of the format.

    Raises:
        BadFile: too large, or none that is known.
    """
    if len(content) > MAX_FILE:
        raise refuse("too_large", limit=MAX_FILE // 2**20)
    if not content.strip():
        raise refuse("empty")
    if content.startswith(_OLD_OFFICE):
        raise refuse("old_office")
    if content.startswith(ZIP):
        return _package(content)
    start = content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if start == b"<" or _utf16_xml(content):
        return _xml(content)
    if b"\0" in content and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise refuse("unknown_format")
    return _text(filename, start, content)


def _package(content: bytes) -> str:
    with open_package(content) as package:
        names = package.namelist()
    found = next((form for part, form in _PACKAGES.items() if part in names), None)
    if found is None and any(PurePosixPath(name).name == MANIFEST for name in names):
        found = "qti"
    if found is None:
        raise refuse("unknown_format")
    return found


def _utf16_xml(content: bytes) -> bool:
    return content.startswith((b"\xff\xfe<\0", b"\xfe\xff\0<"))


def _xml(content: bytes) -> str:
    root = parse(content).root
    if root.tag == "quiz":
        return "moodle"
    if is_item(root):
        return "qti"
    raise refuse("unknown_format")


def _text(filename: str, start: bytes, content: bytes) -> str:
    if known := _BY_NAME.get(PurePosixPath(filename.lower()).suffix):
        return known
    if start in (b"{", b"["):
        return "json"
    text = decode(content)
    if _AIKEN.search(text):
        return "aiken"
    return "gift" if _GIFT.search(text) else "csv"
