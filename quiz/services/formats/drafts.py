"""A question on its way in or out of a file, what can be wrong with it, and how a bad file says so.

Nothing here knows a file format, a table or a translation: a fault is a code with parameters, and
`quiz.services.question_files` has the sentence for it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

MAX_OPTIONS = 16
"""An answer is kept as two bytes, a bit an option."""
MAX_QUESTIONS = 10_000
MAX_TEXT = 4_000
MAX_OPTION = 1_000
MAX_EXPLANATION = 8_000
MAX_SOURCE = 1_000
MAX_TOPIC = 200
MAX_TAG = 100
MAX_TAGS = 20
DEFAULT_DIFFICULTY = 2
DIFFICULTIES = range(1, 6)
LETTERS = "ABCDEFGHIJKLMNOP"
"""How files name the options: the first is A."""

_NO_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")
"""Control characters, halves of a pair, byte order marks: not to be seen, and neither XML nor PostgreSQL takes all."""


def tidy(text: str) -> str:
    """Text as a draft holds it: line ends are \\n, no space around it, nothing that can't be seen or stored.

    Everything else stays as it came, composed or decomposed accents too.
    """
    return _NO_TEXT.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def same(text: str) -> str:
    """What makes two texts the same: words, whatever the spaces, the capitals and the way accents are stored."""
    return " ".join(unicodedata.normalize("NFC", text).split()).casefold()


def one_line(text: str) -> str:
    """Tidy text on one line, with single spaces."""
    return " ".join(tidy(text).split())


@dataclass(frozen=True, slots=True)
class OptionDraft:
    text: str
    right: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", tidy(self.text))


@dataclass(frozen=True, slots=True)
class QuestionDraft:
    """A question as files hold it. It tidies its texts itself, so that equal drafts are equal questions."""

    text: str
    options: tuple[OptionDraft, ...] = ()
    multiple: bool = False
    """Several options may be chosen though only one is right; with several right ones it is so by itself."""
    explanation: str = ""
    source: str = ""
    topic: str = ""
    difficulty: int = DEFAULT_DIFFICULTY
    tags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("text", "explanation", "source"):
            object.__setattr__(self, name, tidy(getattr(self, name)))
        object.__setattr__(self, "topic", one_line(self.topic))
        object.__setattr__(self, "options", tuple(self.options))
        object.__setattr__(self, "multiple", self.multiple or len(self.rights) > 1)
        object.__setattr__(self, "tags", tuple(dict.fromkeys(filter(None, map(one_line, self.tags)))))

    @property
    def rights(self) -> tuple[int, ...]:
        """The places of the right options, from 0."""
        return tuple(place for place, option in enumerate(self.options) if option.right)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong: a code and what its sentence needs to know."""

    code: str
    params: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Where:
    """A place in a file that its author can find: a line, a row of a sheet, a question, a paragraph."""

    kind: str = "file"
    number: int = 0
    inside: str = ""
    """The sheet, the table or the file in the package, if there are several."""


@dataclass(frozen=True, slots=True)
class BadLine:
    where: Where
    fault: Fault

    @property
    def can_go(self) -> bool:
        """Not wrong, only more than the bank holds: whoever imports may decide to go without it."""
        return self.fault.code in CAN_GO


LEAVES_OUT = frozenset({"unsupported_type", "picture", "formula", "one_right_only"})
"""Faults of questions that are sound, only no questions for this bank."""
DROPS = frozenset({"partial_credit", "unknown_heading", "cell_without_heading"})
"""Faults that leave a sound question without something the bank has no place for."""
CAN_GO = LEAVES_OUT | DROPS


class BadFile(Exception):
    """The file has faults, all of them listed; nothing of it may be imported.

    `good` are the questions that remain if the importer agrees to go without what `lines` lists. That choice is
    there only when every line `can_go`.
    """

    def __init__(self, lines: Sequence[BadLine], good: Sequence[QuestionDraft] = ()) -> None:
        super().__init__(", ".join(line.fault.code for line in lines[:5]))
        self.lines = tuple(lines)
        self.can_go = all(line.can_go for line in lines) and bool(good)
        self.good = tuple(good) if self.can_go else ()


def refuse(code: str, where: Where | None = None, **params: str | int) -> BadFile:
    """A file that can't be read any further, for one reason."""
    return BadFile([BadLine(where or Where(), Fault(code, params))])


class Findings:
    """What a reader found: questions and faults, in the order of the file."""

    def __init__(self) -> None:
        self._good: list[QuestionDraft] = []
        self._bad: list[BadLine] = []

    def bad(self, where: Where, code: str, **params: str | int) -> None:
        self._bad.append(BadLine(where, Fault(code, params)))

    def add(self, where: Where, draft: QuestionDraft, *faults: Fault) -> None:
        """Take a question in, unless it or the way it is written has a fault."""
        found = [*faults, *faults_of(draft)]
        self._bad += [BadLine(where, fault) for fault in found]
        if all(fault.code in DROPS for fault in found):
            self._good.append(draft)

    def questions(self) -> list[QuestionDraft]:
        """All questions of the file.

        Raises:
            BadFile: there is a fault, or no question at all.
        """
        if len(self._good) > MAX_QUESTIONS:
            self.bad(Where(), "too_many_questions", count=len(self._good), limit=MAX_QUESTIONS)
        if not self._good and not self._bad:
            self.bad(Where(), "no_questions")
        if self._bad:
            raise BadFile(self._bad, self._good)
        return self._good


def faults_of(draft: QuestionDraft) -> Iterator[Fault]:
    """Why this question can't stand in a bank."""
    if not draft.text:
        yield Fault("text_missing")
    yield from _too_long(draft)
    yield from _faults_of_options(draft)
    if len(draft.tags) > MAX_TAGS:
        yield Fault("too_many_tags", {"count": len(draft.tags), "limit": MAX_TAGS})
    if draft.difficulty not in DIFFICULTIES:
        yield Fault("difficulty_unknown", {"value": draft.difficulty})


def _too_long(draft: QuestionDraft) -> Iterator[Fault]:
    lengths = [
        ("text", draft.text, MAX_TEXT),
        *(("options", option.text, MAX_OPTION) for option in draft.options),
        ("explanation", draft.explanation, MAX_EXPLANATION),
        ("source", draft.source, MAX_SOURCE),
        ("topic", draft.topic, MAX_TOPIC),
        *(("tags", tag, MAX_TAG) for tag in draft.tags),
    ]
    for name, text, limit in lengths:
        if len(text) > limit:
            yield Fault("too_long", {"field": name, "length": len(text), "limit": limit})


def _faults_of_options(draft: QuestionDraft) -> Iterator[Fault]:
    count = len(draft.options)
    if not 2 <= count <= MAX_OPTIONS:
        yield Fault("wrong_number_of_options", {"count": count, "limit": MAX_OPTIONS})
    seen: dict[str, int] = {}
    for place, option in enumerate(draft.options):
        key = same(option.text)
        if not key:
            yield Fault("option_missing", {"option": letter(place)})
        elif key in seen:
            yield Fault("same_option_twice", {"option": letter(place), "other": letter(seen[key])})
        seen.setdefault(key, place)
    if not draft.rights:
        yield Fault("right_missing")


def several_of_one(single: bool, draft: QuestionDraft) -> Iterator[Fault]:
    """Other tools let one of several right options be enough; in a bank, all of them are to be chosen."""
    if single and len(draft.rights) > 1:
        yield Fault("one_right_only", {"count": len(draft.rights)})


def letter(place: int) -> str:
    """A for the first option; beyond the letters a number, for files that have too many."""
    return LETTERS[place] if place < len(LETTERS) else str(place + 1)


FIELDS = ("text", "options", "multiple", "explanation", "source", "topic", "difficulty", "tags")


@dataclass(frozen=True, slots=True)
class Loss:
    """Something that a format can't hold, said before the export.

    `name` is a field of the draft, or "question" if whole questions can't be written.
    """

    name: str
    count: int
    """How many questions lose it."""
    changed: bool
    """It is written, but not as it is (line breaks in a format of single lines); else it is left out."""
    first: int
    """The number of the first question that loses it, from 1."""


def losses_between(questions: Sequence[QuestionDraft], held: Sequence[QuestionDraft | None]) -> list[Loss]:
    """What differs between questions and what a format holds of them."""
    places: dict[tuple[str, bool], list[int]] = {}
    for number, (question, kept) in enumerate(zip(questions, held, strict=True), 1):
        for name, changed in _differences(question, kept):
            places.setdefault((name, changed), []).append(number)
    order = ("question", *FIELDS)
    return [
        Loss(name, len(numbers), changed, numbers[0])
        for (name, changed), numbers in sorted(places.items(), key=lambda item: (order.index(item[0][0]), item[0][1]))
    ]


def _differences(question: QuestionDraft, kept: QuestionDraft | None) -> Iterator[tuple[str, bool]]:
    if kept is None:
        yield "question", False
        return
    blank = QuestionDraft("")
    for name in FIELDS:
        is_now = getattr(kept, name)
        if is_now != getattr(question, name):
            yield name, is_now != getattr(blank, name)
