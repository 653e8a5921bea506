"""Questions written as paragraphs: `Câu 1: …`, `A. …`, `Đáp án: B`, as in most Word files of contests."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
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
from quiz.services.formats.lines import label_place, option_start, parts_of, starred
from quiz.services.formats.word_text import NO_MARKS, Line, Marks

_QUESTION = re.compile(r"^\s*(?:câu(?:\s+hỏi)?|question)\s*(?:số\s*)?(\d+)\s*[.:)/\-–—]*\s*", re.IGNORECASE)
_NUMBERED = re.compile(r"^\s*(\d{1,4})\s*[.)]\s+(?=\S)")
_TOPIC = re.compile(
    r"^\s*(?:chủ đề|chuyên đề|tuần|topic|week)\s+(?:\d+|[IVX]+)\s*(?:[.:)\-–—]\s*(?P<name>.+))?$", re.IGNORECASE
)
_SECTION = re.compile(r"^\s*(?:[IVX]+\s*[.)]|(?:phần|chương|part)\s+(?:\d+|[IVX]+)\b)", re.IGNORECASE)
_KEY_TITLE = re.compile(r"^\s*(?:bảng\s+)?(?:đáp án|answer key|answers?)\s*:?\s*$", re.IGNORECASE)
_KEY = re.compile(rf"(?:câu\s*)?(\d+)\s*[.:\-–)]?\s*([{LETTERS}](?:\s*,\s*[{LETTERS}])*)(?=[\s,;|]|$)", re.IGNORECASE)
_FIELDS = {
    "right": r"đáp án(?: đúng)?|trả lời|phương án đúng|đ/a|đa|answer|correct answer|key",
    "explanation": r"giải thích|lời giải|hướng dẫn(?: giải| trả lời)?|explanation|feedback",
    "source": r"nguồn(?: trích dẫn)?|căn cứ(?: pháp lý)?|trích dẫn|tài liệu|source|reference",
    "topic": r"chủ đề|chuyên đề|lĩnh vực|topic",
    "difficulty": r"độ khó|mức độ(?: nhận thức)?|difficulty|level",
    "tags": r"nhãn|thẻ|từ khóa|tags|keywords",
}
_ANY_FIELD = "|".join(f"(?P<{name}>{words})" for name, words in _FIELDS.items())
_FIELD = re.compile(rf"^\s*(?P<open>\()?(?:=>|->|→|⇒)?\s*(?:{_ANY_FIELD})\s*[:：]\s*", re.IGNORECASE)
_LETTER_LIST = rf"([{LETTERS}](?:\s*,\s*[{LETTERS}])*)\s*\.?\s*$"
_BARE_RIGHT = re.compile(
    rf"^\s*(?:=>|->|→|⇒)?\s*(?:đáp án|phương án|chọn)(?: đúng)?(?: là)?\s*{_LETTER_LIST}", re.IGNORECASE
)
_LETTERS_ONLY = re.compile(rf"^\s*{_LETTER_LIST}", re.IGNORECASE)
_MARKS_IN_ORDER = ("highlight", "color", "u", "b")
"""The less a mark is used for anything else, the earlier it is believed."""


@dataclass(slots=True)
class _Option:
    text: str
    star: bool
    marks: Marks


@dataclass(slots=True)
class _Open:
    """The question being read."""

    number: str
    where: Where
    topic: str
    text: list[str] = field(default_factory=list)
    options: list[_Option] = field(default_factory=list)
    fields: dict[str, list[str]] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)
    last: str = "text"
    """The field that a line without a mark goes on with."""

    @property
    def complete(self) -> bool:
        return len(self.options) > 1


@dataclass(frozen=True, slots=True)
class _Read:
    """A line as it is looked at: composed, so that patterns fit, and with marks only if they fit its characters."""

    text: str
    marks: tuple[Marks, ...]
    where: Where


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
        composed = unicodedata.normalize("NFC", line.text)
        same = len(composed) == len(line.text)
        read = _Read(line.text if same else composed, line.marks if same else (), Where("paragraph", line.number))
        if composed.strip():
            self._read(read, composed)
        if self._open is not None:
            self._open.lost |= line.lost

    def read_key(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Number of the question → letters, from a table of answers."""
        self._key |= dict(pairs)

    def end(self) -> None:
        """All lines are read: the questions go to the findings. The table of answers may stand at the very end."""
        self._close()
        for question in self._waiting:
            self._add(question)
        self._waiting.clear()

    def _read(self, line: _Read, text: str) -> None:
        question = self._open
        if self._reads_key(text, question):
            return
        if found := _QUESTION.match(text) or self._numbered(text):
            self._begin(line, found)
        elif question is not None and (self._reads_field(question, text) or self._reads_options(question, line)):
            return
        elif topic := _TOPIC.match(text):
            self._close()
            self._topic = (topic["name"] or "").strip() or self._topic
        elif _SECTION.match(text):
            self._close()
        elif question is not None:
            self._go_on(question, line)
        elif (found := _FIELD.match(text)) and found["topic"]:
            self._topic = text[found.end() :].strip()

    def _reads_key(self, text: str, question: _Open | None) -> bool:
        """`ĐÁP ÁN` and below it `1.A 2.C 3.D`; or, in a question, its letter on the line below `Đáp án:`."""
        if _KEY_TITLE.match(text):
            self._in_key = True
            if question is not None:
                question.last = "right"
            return True
        pairs = _KEY.findall(text)
        if ((self._in_key and pairs) or len(pairs) > 1) and not _KEY.sub("", text).strip(" \t,;|."):
            self.read_key(pairs)
            return True
        return False

    def _numbered(self, text: str) -> re.Match[str] | None:
        """`3. Ai là…` begins a question unless it is in the middle of one."""
        return _NUMBERED.match(text) if self._open is None or self._open.complete else None

    def _begin(self, line: _Read, found: re.Match[str]) -> None:
        self._close()
        self._in_key = False
        self._open = question = _Open(found[1], line.where, self._topic)
        rest = _Read(line.text[found.end() :], line.marks[found.end() :], line.where)
        begin, end = parts_of(rest.text, 0)[0]
        if option_start(rest.text, 0):
            question.text.append(rest.text)
            return
        question.text.append(rest.text[begin:end])
        if end < len(rest.text):
            self._reads_options(question, _Read(rest.text[end:], rest.marks[end:], rest.where))

    def _close(self) -> None:
        if self._open is not None:
            self._waiting.append(self._open)
        self._open = None

    @staticmethod
    def _reads_field(question: _Open, text: str) -> bool:
        if found := _BARE_RIGHT.match(text):
            name, value = "right", found[1]
        elif found := _FIELD.match(text):
            name = next(name for name in _FIELDS if found[name])
            value = text[found.end() :].strip()
            value = value.removesuffix(")") if found["open"] else value
        else:
            return False
        question.fields.setdefault(name, []).append(value)
        question.last = name
        return True

    @staticmethod
    def _reads_options(question: _Open, line: _Read) -> bool:
        if not option_start(line.text, len(question.options)):
            return False
        for begin, end in parts_of(line.text, len(question.options)):
            question.options.append(_option(line.text[begin:end], line.marks[begin:end], len(question.options)))
        question.last = "options"
        return True

    def _go_on(self, question: _Open, line: _Read) -> None:
        if question.last == "text":
            question.text.append(line.text)
        elif question.last == "options":
            question.options[-1].text += f"\n{line.text}"
        elif question.last in ("explanation", "source"):
            question.fields[question.last].append(line.text)
        elif question.last == "right" and not any(question.fields.get("right", [])) and _LETTERS_ONLY.match(line.text):
            question.fields["right"] = [line.text]
        else:
            self._findings.bad(line.where, "stray_line", text=line.text.strip()[:80])

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
            places = right_places(written, texts) or right_places(written.rstrip(" .)"), texts)
            if places is None:
                faults.append(Fault("right_unknown", {"value": written[:80]}))
            return places or [0]  # the fault is told already; no second one about a missing right option
        stars = [place for place, option in enumerate(question.options) if option.star]
        return stars or _standing_out(question.options)


def _option(part: str, marks: Sequence[Marks], place: int) -> _Option:
    found = option_start(part, place)
    if found is None:
        raise ValueError(f"no option {place}: {part!r}")
    of_text = [mark for at, mark in enumerate(marks) if at >= found.end() and part[at].strip()]
    of_letter = marks[label_place(found)] if marks else NO_MARKS
    common = frozenset.intersection(*of_text) if of_text else NO_MARKS
    return _Option(part[found.end() :].strip(), starred(found), common | of_letter)


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
