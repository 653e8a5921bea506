"""Options written as lines of text: `A. Hà Nội`, each on its own line or several on one."""

from __future__ import annotations

import re

from quiz.services.formats.drafts import LETTERS

OPTION_LINE = re.compile(
    rf"^\s*(\*?)\s*([{LETTERS}{LETTERS.lower()}])\s*[.)]\s*(?=\S)|^\s*(\*?)\s*([{LETTERS}])\s*:\s+"
)
_WIDE_GAP = r"(?:\t|\s{2})\s*"
_ANY_GAP = r"\s+"
_SURE = 3
"""So many options in a row are no chance."""


def option_start(line: str, expected: int) -> re.Match[str] | None:
    """The mark at the beginning of a line, if it is that of the option at place `expected` (0 is A)."""
    found = OPTION_LINE.match(line)
    if not found or expected >= len(LETTERS):
        return None
    return found if (found[2] or found[4]).upper() == LETTERS[expected] else None


def starred(found: re.Match[str]) -> bool:
    """`*B. …` is a way to mark the right option."""
    return bool(found[1] or found[3])


def label_place(found: re.Match[str]) -> int:
    """Where the option's letter stands."""
    return found.start(2) if found[2] else found.start(4)


def split_options(text: str) -> tuple[str, list[str]]:
    """A cell that holds the question and, below it, its options."""
    question: list[str] = []
    options: list[str] = []
    for line in text.split("\n"):
        for begin, end in parts_of(line, len(options)):
            part = line[begin:end]
            if found := option_start(part, len(options)):
                options.append(part[found.end() :])
            elif options:
                options[-1] += f"\n{part}"
            else:
                question.append(part)
    return "\n".join(question), options


def parts_of(line: str, expected: int) -> list[tuple[int, int]]:
    """Begin and end of each option of `A. 1945   B. 1946   C. 1947`, and of what stands before them.

    Between the options must stand a tab or two spaces; one space is enough where three options follow each other.
    """
    if option_start(line, expected):
        starts = _starts(line, expected, _WIDE_GAP)
        sure = _starts(line, expected, _ANY_GAP)
        starts = sure if len(sure) >= _SURE else starts
    else:
        starts = _after_the_question(line) if expected == 0 else [0]
    return list(zip(starts, [*starts[1:], len(line)], strict=True))


def _after_the_question(line: str) -> list[int]:
    """`Ai là …? A. … B. … C. …`: the question and its options on one line."""
    found = re.search(r"\s(\*?A[.)]\s*\S)", line)
    options = _starts(line[found.start(1) :], 0, _ANY_GAP) if found else []
    if not found or len(options) < _SURE:
        return [0]
    return [0, *(found.start(1) + start for start in options)]


def _starts(line: str, expected: int, gap: str) -> list[int]:
    starts = [0]
    for mark in LETTERS[expected + 1 :]:
        found = re.compile(rf"{gap}(\*?{mark}[.)]\s*\S)").search(line, starts[-1] + 1)
        if not found:
            break
        starts.append(found.start(1))
    return starts
