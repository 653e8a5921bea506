"""Questions written as paragraphs: `Câu 1: …`, `A. …`, `Đáp án: B`, as in most Word files of contests."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from quiz.services.formats.answers import difficulty_of, right_places, split_tags
from quiz.services.formats.drafts import (
    DEFAULT_DIFFICULTY,
    LETTERS,
    Fault,
    Findings,
    OptionDraft,
    QuestionDraft,
    Where,
)
from quiz.services.formats.lines import option_start, split_line, starred
from quiz.services.formats.word_text import Line, Marks

_QUESTION = re.compile(r"^\s*(?:câu(?:\s+hỏi)?|question)\s*(?:số\s*)?(\d+)\s*[.:)/\-–—]*\s*", re.IGNORECASE)
_NUMBERED = re.compile(r"^\s*(\d{1,4})\s*[.)]\s+(?=\S)")
_SECTION = re.compile(
    r"^\s*(?:chủ đề|chuyên đề|topic)\s+(?:\d+|[IVX]+)\s*[.:)\-–—]\s*(?P<name>.+)$"
    r"|^\s*(?:[IVX]+\s*[.)]|phần|chương|tuần)\s.+$",
    re.IGNORECASE,
)
_KEY_TITLE = re.compile(r"^\s*(?:bảng\s+)?(?:đáp án|answer key|answers)\s*:?\s*$", re.IGNORECASE)
_KEY = re.compile(rf"(?:câu\s*)?(\d+)\s*[.:\-–)]?\s*([{LETTERS}](?:\s*,\s*[{LETTERS}])*)(?=[\s,;|]|$)", re.IGNORECASE)
_KEY_LINE = re.compile(rf"^(?:\s*{_KEY.pattern}[\s,;|]*)+$", re.IGNORECASE)
_FIELDS = {
    "right": r"đáp án(?: đúng)?|trả lời|phương án đúng|đ/a|đa|answer|correct answer|key",
    "explanation": r"giải thích|lời giải|hướng dẫn(?: giải| trả lời)?|explanation|feedback",
    "source": r"nguồn(?: trích dẫn)?|căn cứ(?: pháp lý)?|trích dẫn|tài liệu|source|reference",
    "topic": r"chủ đề|chuyên đề|lĩnh vực|topic",
    "difficulty": r"độ khó|mức độ(?: nhận thức)?|difficulty|level",
    "tags": r"nhãn|thẻ|từ khóa|tags|keywords",
}
_FIELD = re.compile(
    r"^\s*\(?(?:" + "|".join(f"(?P<{name}>{words})" for name, words in _FIELDS.items()) + r")\s*[:：]\s*", re.IGNORECASE
)
_MARKS_IN_ORDER = ("highlight", "color", "u", "b")
"""The less a mark is used for anything else, the earlier it is believed."""


@dataclass(slots=True)
class _Option:
    line: Line
    text: str
    star: bool
    marks: Marks


@dataclass(slots=True)
class _Open:
    """The question being read."""

    number: str
    where: Where
    text: list[str]
    topic: str
    options: list[_Option] = field(default_factory=list)
    fields: dict[str, list[str]] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)
    last: str = "text"
    """The field that a line without a mark goes on with."""


class LineReader:
    """Reads the lines of a document outside its tables of questions."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._open: _Open | None = None
        self._waiting: list[_Open] = []
        self._topic = ""
        self._key: dict[str, str] = {}
        self._in_key = False

    def read(self, line: Line) -> None:
        text = unicodedata.normalize("NFC", line.text)
        if len(text) != len(line.text):
            # Marks belong to characters; where accents are composed only now, they are of no use.
            line = Line(line.text, (), line.number, line.lost)
        if not text.strip() and not line.lost:
            return
        if _KEY_TITLE.match(text):
            self._in_key = True
        elif self._in_key and _KEY_LINE.match(text):
            self._key |= dict(_KEY.findall(text))
        else:
            self._read(line, text)

    def read_key(self, pairs: Iterator[tuple[str, str]]) -> None:
        self._key |= dict(pairs)

    def end(self) -> None:
        """All lines are read: the questions go to the findings."""
        self._close()
        for question in self._waiting:
            self._add(question)
        self._waiting.clear()

    @property
    def is_open(self) -> bool:
        return self._open is not None

    def _read(self, line: Line, text: str) -> None:
        if found := _QUESTION.match(text) or self._numbered(text):
            self._begin(line, found)
        elif self._open is None or self._complete(self._open):
            if not self._between(line, text):
                self._go_on(line, text)
        elif not self._in_question(self._open, line, text):
            self._go_on(line, text)

    def _numbered(self, text: str) -> re.Match[str] | None:
        """`3. Ai là…` begins a question unless it is in the middle of one."""
        found = _NUMBERED.match(text)
        if found and (self._open is None or self._complete(self._open) or len(self._open.options) > 1):
            return found
        return None

    @staticmethod
    def _complete(question: _Open) -> bool:
        return len(question.options) > 1

    def _begin(self, line: Line, found: re.Match[str]) -> None:
        self._close()
        self._in_key = False
        where = Where("paragraph", line.number)
        self._open = _Open(found[1], where, [], self._topic, lost=set(line.lost))
        rest = line.text[found.end() :] if len(line.text) == len(found.string) else found.string[found.end() :]
        if rest.strip():
            self._open.text.append(rest)

    def _between(self, line: Line, text: str) -> bool:
        """What may stand before a question or after its options: fields, a section's title, more options."""
        question = self._open
        if section := _SECTION.match(text):
            self._close()
            self._topic = (section["name"] or "").strip() or self._topic
            return True
        if question is not None:
            return self._in_question(question, line, text)
        if (found := _FIELD.match(text)) and found.lastgroup == "topic":
            self._topic = text[found.end() :].strip()
        return True  # titles above the first question

    def _in_question(self, question: _Open, line: Line, text: str) -> bool:
        if found := _FIELD.match(text):
            name = found.lastgroup or "text"
            question.fields.setdefault(name, []).append(text[found.end() :])
            question.last = name
            question.lost |= line.lost
            return True
        if not option_start(text, len(question.options)):
            return False
        offset = 0
        for part in split_line(text, len(question.options)):
            start = text.index(part, offset)
            offset = start + len(part)
            self._add_option(question, line, part, start)
        question.lost |= line.lost
        return True

    @staticmethod
    def _add_option(question: _Open, line: Line, part: str, start: int) -> None:
        found = option_start(part, len(question.options))
        if found is None:
            raise ValueError(part)
        inside = [
            marks for char, marks in zip(part, line.marks[start : start + len(part)], strict=False) if char.strip()
        ]
        marks = frozenset.intersection(*inside[found.end() :] or inside) if inside else frozenset()
        label = inside[1 if starred(found) else 0] if inside else frozenset()
        question.options.append(_Option(line, part[found.end() :], starred(found), marks | label))
        question.last = "options"

    def _go_on(self, line: Line, text: str) -> None:
        question = self._open
        if question is None:
            return
        question.lost |= line.lost
        if not text.strip():
            return
        if question.last == "text":
            question.text.append(line.text)
        elif question.last == "options":
            question.options[-1].text += f"\n{line.text}"
        elif question.last in ("explanation", "source"):
            question.fields[question.last].append(line.text)
        else:
            self._findings.bad(Where("paragraph", line.number), "stray_line", text=text.strip()[:80])

    def _close(self) -> None:
        if self._open is not None:
            self._waiting.append(self._open)
        self._open = None

    def _add(self, question: _Open) -> None:
        faults = [Fault(code) for code in sorted(question.lost)]
        rights = self._rights(question, faults)
        draft = QuestionDraft(
            text="\n".join(question.text),
            options=tuple(OptionDraft(option.text, place in rights) for place, option in enumerate(question.options)),
            explanation="\n".join(question.fields.get("explanation", [])),
            source="\n".join(question.fields.get("source", [])),
            topic=" ".join(question.fields.get("topic", [])) or question.topic,
            difficulty=_difficulty(question, faults),
            tags=tuple(tag for line in question.fields.get("tags", []) for tag in split_tags(line)),
        )
        self._findings.add(question.where, draft, *faults)

    def _rights(self, question: _Open, faults: list[Fault]) -> Sequence[int]:
        """From `Đáp án: B`, from the table of answers at the end, from a star, or from what stands out."""
        written = " ".join(question.fields.get("right", [])).strip() or self._key.get(question.number, "")
        if written:
            texts = [option.text for option in question.options]
            places = right_places(written.rstrip(" .)"), texts)
            if places is None:
                faults.append(Fault("right_unknown", {"value": written[:80]}))
            return places or [0]
        stars = [place for place, option in enumerate(question.options) if option.star]
        return stars or _standing_out(question.options)


def _standing_out(options: Sequence[_Option]) -> list[int]:
    """The options that are marked in a way that others are not."""
    for mark in _MARKS_IN_ORDER:
        places = [place for place, option in enumerate(options) if mark in option.marks]
        if 0 < len(places) < len(options):
            return places
    return []


def _difficulty(question: _Open, faults: list[Fault]) -> int:
    written = " ".join(question.fields.get("difficulty", [])).strip()
    if not written:
        return DEFAULT_DIFFICULTY
    found = difficulty_of(written)
    if found is None:
        faults.append(Fault("difficulty_unknown", {"value": written[:80]}))
    return found or DEFAULT_DIFFICULTY
