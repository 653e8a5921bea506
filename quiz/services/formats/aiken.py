"""Aiken: a line with the question, lines with the options, `ANSWER: B`. One right option, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from quiz.services.formats.drafts import Fault, Findings, OptionDraft, QuestionDraft, Where, letter
from quiz.services.formats.text import decode

_OPTION = re.compile(r"^([A-Z])[.)][ \t]*")
_ANSWER = re.compile(r"^ANSWER:\s*", re.IGNORECASE)
_LINE_BREAKS = re.compile(r"\s*\n\s*")


@dataclass(slots=True)
class _Block:
    line: int
    text: str
    options: list[str] = field(default_factory=list)


def read(content: bytes) -> list[QuestionDraft]:
    """Raises BadFile with every line that is not where it should be."""
    reader = _Reader()
    for number, line in enumerate(decode(content).split("\n"), 1):
        if line.strip():
            reader.read(number, line.strip())
    return reader.questions()


class _Reader:
    def __init__(self) -> None:
        self._findings = Findings()
        self._block: _Block | None = None

    def read(self, number: int, line: str) -> None:
        if option := _OPTION.match(line):
            self._option(number, option[1], line[option.end() :])
        elif answer := _ANSWER.match(line):
            self._answer(number, line[answer.end() :].strip())
        else:
            self._unfinished()
            self._block = _Block(number, line)

    def questions(self) -> list[QuestionDraft]:
        self._unfinished()
        return self._findings.questions()

    def _option(self, number: int, mark: str, text: str) -> None:
        if self._block is None:
            self._findings.bad(Where("line", number), "outside_question")
            return
        expected = letter(len(self._block.options))
        if mark != expected:
            self._findings.bad(Where("line", number), "option_order", option=mark, expected=expected)
        self._block.options.append(text)

    def _answer(self, number: int, mark: str) -> None:
        if self._block is None:
            self._findings.bad(Where("line", number), "outside_question")
            return
        block, self._block = self._block, None
        place = ord(mark) - ord("A") if len(mark) == 1 and mark.isascii() else -1
        faults = [] if 0 <= place < len(block.options) else [Fault("right_unknown", {"value": mark[:80]})]
        if faults:
            place = 0
        options = tuple(OptionDraft(text, number == place) for number, text in enumerate(block.options))
        self._findings.add(Where("line", block.line), QuestionDraft(block.text, options), *faults)

    def _unfinished(self) -> None:
        if self._block is not None:
            self._findings.bad(Where("line", self._block.line), "question_unfinished")


def write(questions: Sequence[QuestionDraft]) -> bytes:
    """The questions that Aiken can hold; `held` says which and what of them."""
    blocks = [_written(kept) for question in questions if (kept := held(question)) is not None]
    return "\n".join(blocks).encode()


def _written(question: QuestionDraft) -> str:
    options = [f"{letter(place)}. {option.text}\n" for place, option in enumerate(question.options)]
    return f"{question.text}\n{''.join(options)}ANSWER: {letter(question.rights[0])}\n"


def held(question: QuestionDraft) -> QuestionDraft | None:
    """One right option, everything on one line; a question that begins like an option can't be told from one."""
    text = _flat(question.text)
    if len(question.rights) != 1 or _OPTION.match(text) or _ANSWER.match(text):
        return None
    options = tuple(replace(option, text=_flat(option.text)) for option in question.options)
    return QuestionDraft(text, options)


def _flat(text: str) -> str:
    return _LINE_BREAKS.sub(" ", text)
