"""Questions for the tests of question files: the demo's bank made nasty, and any that there can be."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import replace
from importlib import resources

from hypothesis import strategies as st

from quiz.services.formats import BadFile, Fault, OptionDraft, QuestionDraft, bank
from quiz.services.formats.drafts import MAX_OPTIONS, faults_of, same

NASTY = (
    "=1+1",
    "+84 912 345 678",
    "-5 độ",
    "@SUM(A1:A9)",
    "＝1",
    "'=1+1",
    "''+1",
    "“Trích”, 'nháy', \"kép\", dấu phẩy; chấm phẩy",
    "{ngoặc} ~ = # : \\ \\n \\: [html]",
    "[plain]x",
    "::tên::",
    "// chú thích",
    "%50%nửa",
    "$CATEGORY: x",
    "####",
    "<b>đậm</b> & &amp; &lt; ]]> <!-- x --> <![CDATA[y]]>",
    "dòng một\ndòng hai\n\ndòng bốn",
    "A. không phải phương án",
    "ANSWER: B",
    "Câu 9: không phải câu hỏi",
    "Đáp án: C",
    "a -> b",
    "x < y > z",
    "100 % 1/2 ½ m² H₂O — … 😀",
    "_x000A_ x005F",
)


def real() -> list[QuestionDraft]:
    """The questions of the demo."""
    folder = resources.files("quiz") / "data" / "bank"
    files = sorted(file for file in folder.iterdir() if file.name.endswith(".json"))
    return [question for file in files for question in bank.read(file.read_bytes())]


def five_hundred() -> list[QuestionDraft]:
    """500 Vietnamese questions with everything in them that has ever broken a file."""
    questions = real()
    return [_nastier(number, questions[number % len(questions)]) for number in range(500)]


def _nastier(number: int, question: QuestionDraft) -> QuestionDraft:
    sign = NASTY[number % len(NASTY)]
    shape: Callable[[str], str] = _decomposed if number % 7 == 0 else str
    several = number % 4 == 0
    options = [
        replace(option, text=shape(f"{sign} {option.text}"), right=place < 1 + number % 3 if several else option.right)
        for place, option in enumerate(question.options)
    ]
    extra = [OptionDraft(f"Phương án thêm {place}") for place in range(number % 5)]
    return replace(
        question,
        text=shape(f"{sign} {question.text} {sign} ({number})"),
        options=(*options, *extra),
        multiple=several,
        explanation=shape(f"{question.explanation} {sign}") if number % 6 else "",
        source=f"{sign} {question.source}" if number % 5 else "",
        topic=f"{question.topic} / {sign}" if number % 3 else question.topic if number % 2 else "",
        difficulty=1 + number % 5,
        tags=(f"nhãn {number}", "có, phẩy; và chấm phẩy", f"sign {sign}") if number % 2 else (),
    )


def _decomposed(text: str) -> str:
    return unicodedata.normalize("NFD", text)


_CHARACTERS = st.characters(exclude_categories=["Cs", "Cc", "Cn", "Co"], include_characters="\n\t")
_SIGNS = st.sampled_from([*NASTY, *"=~#{}:\\%\"'<>&,;|*[]()/$@+-\n", "ố", "Đ", "\\n", "->", "  ", "\u00a0"])
_TEXTS = st.lists(st.one_of(_SIGNS, st.text(_CHARACTERS, max_size=8)), max_size=6).map("".join)


def _options(texts: list[str], rights: set[int]) -> tuple[OptionDraft, ...]:
    return tuple(OptionDraft(text, place % len(texts) in {right % len(texts) for right in rights})
                 for place, text in enumerate(texts))  # fmt: skip


_OPTIONS = st.builds(
    _options,
    st.lists(_TEXTS.filter(lambda text: bool(QuestionDraft(text).text)), min_size=2, max_size=MAX_OPTIONS,
             unique_by=lambda text: same(QuestionDraft(text).text)),
    st.sets(st.integers(0, MAX_OPTIONS - 1), min_size=1, max_size=3),
)  # fmt: skip

DRAFTS = st.builds(
    QuestionDraft,
    text=_TEXTS.filter(lambda text: bool(QuestionDraft(text).text)),
    options=_OPTIONS,
    multiple=st.booleans(),
    explanation=_TEXTS,
    source=_TEXTS,
    topic=_TEXTS,
    difficulty=st.integers(1, 5),
    tags=st.lists(_TEXTS, max_size=3).map(tuple),
).filter(lambda draft: not any(faults_of(draft)))
"""Any question that can stand in a bank."""


def faults(bad: BadFile) -> list[tuple[str, int, str]]:
    """(kind of place, its number, code) of each bad line."""
    return [(line.where.kind, line.where.number, line.fault.code) for line in bad.lines]


def codes(bad: BadFile) -> list[str]:
    return [line.fault.code for line in bad.lines]


def only(bad: BadFile) -> Fault:
    (line,) = bad.lines
    return line.fault
