"""Question files: one module a format, each `read(bytes)` → drafts, `write(drafts)` → bytes, and what it can't hold.

Everything here is pure: bytes in, drafts out, and back. A reader gives all questions of a file or raises `BadFile`
with every bad line; it never gives a part.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from quiz.services.formats import aiken, bank, commas, gift, moodle, qti, sheets, word
from quiz.services.formats.detect import detect
from quiz.services.formats.drafts import (
    MAX_OPTIONS,
    BadFile,
    BadLine,
    Fault,
    Loss,
    OptionDraft,
    QuestionDraft,
    Where,
    losses_between,
)

__all__ = [
    "FORMATS",
    "MAX_OPTIONS",
    "BadFile",
    "BadLine",
    "Fault",
    "Format",
    "Loss",
    "OptionDraft",
    "QuestionDraft",
    "Where",
    "detect",
    "read",
    "sheets",
]


def _all(question: QuestionDraft) -> QuestionDraft:
    return question


@dataclass(frozen=True, slots=True)
class Format:
    name: str
    title: str
    extension: str
    media_type: str
    read: Callable[[bytes], list[QuestionDraft]]
    write: Callable[[Sequence[QuestionDraft]], bytes]
    held: Callable[[QuestionDraft], QuestionDraft | None] = _all
    """What comes back of a question that is written and read again; None: it can't be written."""

    def losses(self, questions: Sequence[QuestionDraft]) -> list[Loss]:
        """What these questions would lose; said before the export."""
        return losses_between(questions, [self.held(question) for question in questions])


_OFFICE = "application/vnd.openxmlformats-officedocument"

FORMATS: Mapping[str, Format] = {
    form.name: form
    for form in (
        Format("xlsx", "Excel", ".xlsx", f"{_OFFICE}.spreadsheetml.sheet", sheets.read, sheets.write),
        Format("csv", "CSV", ".csv", "text/csv; charset=utf-8", commas.read, commas.write),
        Format("docx", "Word", ".docx", f"{_OFFICE}.wordprocessingml.document", word.read, word.write),
        Format("gift", "GIFT", ".gift", "text/plain; charset=utf-8", gift.read, gift.write, gift.held),
        Format("aiken", "Aiken", ".txt", "text/plain; charset=utf-8", aiken.read, aiken.write, aiken.held),
        Format("moodle", "Moodle XML", ".xml", "application/xml", moodle.read, moodle.write, moodle.held),
        Format("qti", "QTI 2.1", ".zip", "application/zip", qti.read, qti.write, qti.held),
        Format("json", "JSON", ".json", "application/json", bank.read, bank.write),
    )
}


def read(filename: str, content: bytes) -> list[QuestionDraft]:
    """The questions of a file in whatever format.

    Raises:
        BadFile: with every bad line; nothing of the file may be imported.
    """
    return FORMATS[detect(filename, content)].read(content)
