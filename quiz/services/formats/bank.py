"""The project's own JSON, as in quiz/data/bank: all that a draft holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from quiz.services.formats.drafts import DEFAULT_DIFFICULTY, Findings, OptionDraft, QuestionDraft, Where, refuse


class _Option(msgspec.Struct, forbid_unknown_fields=True):
    text: str
    right: bool = False


class _Question(msgspec.Struct, forbid_unknown_fields=True):
    text: str
    options: list[_Option]
    multiple: bool = False
    explanation: str | None = None
    source: str | None = None
    topic: str = ""
    difficulty: int = DEFAULT_DIFFICULTY
    tags: list[str] = []


class _File(msgspec.Struct, forbid_unknown_fields=True):
    questions: list[Any]
    round: int | None = None
    theme: str | None = None


@dataclass(frozen=True, slots=True)
class Bank:
    """A whole file; `round` and `theme` say what it was written for."""

    questions: tuple[QuestionDraft, ...]
    round: int | None = None
    theme: str | None = None


def read(content: bytes) -> list[QuestionDraft]:
    """Raises BadFile with every question that is not as the format wants it."""
    return list(read_bank(content).questions)


def read_bank(content: bytes) -> Bank:
    try:
        file = msgspec.json.decode(content.removeprefix(b"\xef\xbb\xbf"), type=_File)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise refuse("json_shape", detail=str(error)) from error
    findings = Findings()
    for number, item in enumerate(file.questions, 1):
        where = Where("question", number)
        try:
            question = msgspec.convert(item, _Question)
        except msgspec.ValidationError as error:
            findings.bad(where, "json_shape", detail=str(error))
        else:
            findings.add(where, _draft(question))
    return Bank(tuple(findings.questions()), file.round, file.theme)


def _draft(question: _Question) -> QuestionDraft:
    return QuestionDraft(
        text=question.text,
        options=tuple(OptionDraft(option.text, option.right) for option in question.options),
        multiple=question.multiple,
        explanation=question.explanation or "",
        source=question.source or "",
        topic=question.topic,
        difficulty=question.difficulty,
        tags=tuple(question.tags),
    )


def write(questions: Sequence[QuestionDraft]) -> bytes:
    return msgspec.json.format(msgspec.json.encode({"questions": questions}), indent=1)
