"""Bytes to text."""

from __future__ import annotations

import codecs

from quiz.services.formats.drafts import Where, refuse

_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def decode(content: bytes) -> str:
    """Text of a file in UTF-8, or in UTF-16 as Excel's "Unicode text" is, with \\n at the end of lines.

    Raises:
        BadFile: another encoding. It is not guessed: a wrong guess would break every accent.
    """
    encoding = next((name for mark, name in _MARKS.items() if content.startswith(mark)), "utf-8")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise refuse("not_utf8", Where("line", content.count(b"\n", 0, error.start) + 1)) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")
