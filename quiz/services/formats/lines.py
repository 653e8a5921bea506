"""Options written as lines of text: `A. Hà Nội`, each on its own line or several on one."""

from __future__ import annotations

import re

from quiz.services.formats.drafts import LETTERS

OPTION_LINE = re.compile(
    rf"^\s*(\*?)\s*([{LETTERS}{LETTERS.lower()}])\s*[.)]\s*(?=\S)|^\s*(\*?)\s*([{LETTERS}])\s*:\s+"
)


def option_start(line: str, expected: int) -> re.Match[str] | None:
    """The mark at the beginning of a line, if it is that of the option at place `expected` (0 is A)."""
    found = OPTION_LINE.match(line)
    if not found or expected >= len(LETTERS):
        return None
    return found if (found[2] or found[4]).upper() == LETTERS[expected] else None


def starred(found: re.Match[str]) -> bool:
    """`*B. …` is a way to mark the right option."""
    return bool(found[1] or found[3])


def split_options(text: str) -> tuple[str, list[str]]:
    """A cell that holds the question and, below it, its options."""
    question: list[str] = []
    options: list[str] = []
    for line in text.split("\n"):
        for part in split_line(line, len(options)):
            if found := option_start(part, len(options)):
                options.append(part[found.end() :])
            elif options:
                options[-1] += f"\n{part}"
            else:
                question.append(part)
    return "\n".join(question), options


def split_line(line: str, expected: int) -> list[str]:
    """`A. 1945   B. 1946   C. 1947` as three lines; a line that is no row of options as it is.

    Between the options must stand a tab or two spaces; one is enough if the line has all of A, B and C.
    """
    if not option_start(line, expected):
        return [line]
    starts = _starts(line, expected, r"(?:\t|\s{2})\s*")
    if len(starts) < 2:
        starts = _starts(line, expected, r"\s+")
        if len(starts) < 3:
            starts = [0]
    return [line[begin:end].strip() for begin, end in zip(starts, [*starts[1:], len(line)], strict=True)]


def _starts(line: str, expected: int, gap: str) -> list[int]:
    starts = [0]
    for mark in LETTERS[expected + 1 :]:
        found = re.compile(rf"{gap}(\*?{mark}[.)]\s*\S)").search(line, starts[-1] + 1)
        if not found:
            break
        starts.append(found.start(1))
    return starts
