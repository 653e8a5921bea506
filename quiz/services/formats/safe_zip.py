"""Packages (.xlsx, .docx, QTI) opened with limits: a small file must not unpack to a large one."""

from __future__ import annotations

import io
import zipfile
import zlib

from quiz.services.formats.drafts import Where, refuse

MAX_FILE = 20 * 2**20
"""Of a file as it comes in."""
MAX_UNPACKED = 100 * 2**20
MAX_PART = 40 * 2**20
MAX_PARTS = 12_000
"""A QTI package has a file for each question."""
MAX_MARKS = 3_000_000
"""Signs < in an XML part: an element of six bytes takes hundreds in memory."""

ZIP = b"PK\x03\x04"
_ENCRYPTED = 0x1


def open_package(content: bytes) -> zipfile.ZipFile:
    """The package, if what it says of itself is within the limits.

    Python reads no more of a part than its directory entry says, so the sums made here hold.

    Raises:
        BadFile: no package, a damaged, encrypted or too large one.
    """
    try:
        package = zipfile.ZipFile(io.BytesIO(content))
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise refuse("damaged") from error
    parts = package.infolist()
    if any(part.flag_bits & _ENCRYPTED for part in parts):
        raise refuse("locked")
    sizes = [part.file_size for part in parts]
    if len(parts) > MAX_PARTS or sum(sizes) > MAX_UNPACKED or max(sizes, default=0) > MAX_PART:
        raise refuse("unpacks_too_large", limit=MAX_UNPACKED // 2**20)
    return package


def check_office(content: bytes) -> None:
    """Look a workbook or document over before its library opens it.

    Raises:
        BadFile: as `open_package`; or a part declares a document type, which Office never writes.
    """
    with open_package(content) as package:
        for name in package.namelist():
            if name.endswith((".xml", ".rels")):
                _check_part(name, read_part(package, name))


def _check_part(name: str, content: bytes) -> None:
    if b"<!DOCTYPE" in content:
        raise refuse("xml_forbidden", Where("file", inside=name))
    if content.count(b"<") > MAX_MARKS:
        raise refuse("unpacks_too_large", Where("file", inside=name), limit=MAX_UNPACKED // 2**20)


def read_part(package: zipfile.ZipFile, name: str) -> bytes:
    """The bytes of one part.

    Raises:
        BadFile: it is missing or damaged.
    """
    try:
        return package.read(name)
    except KeyError as error:
        raise refuse("part_missing", Where("file", inside=name)) from error
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError) as error:
        raise refuse("damaged", Where("file", inside=name)) from error
