import pytest

from quiz.services.formats import BadFile, OptionDraft, QuestionDraft, aiken
from tests.formats.making import faults

GOOD = """Thủ đô của Việt Nam là gì?
A. Hà Nội
B) Huế
C.Đà Nẵng
ANSWER: A

Câu hỏi thứ hai?
a dòng thừa không có
A. Một
B. Hai
ANSWER: B
"""


def test_both_ways_to_letter_options_are_read() -> None:
    text = GOOD.replace("a dòng thừa không có\n", "").replace("\n", "\r\n")
    assert aiken.read(text.encode("utf-8-sig")) == [
        QuestionDraft(
            "Thủ đô của Việt Nam là gì?",
            (OptionDraft("Hà Nội", True), OptionDraft("Huế"), OptionDraft("Đà Nẵng")),
        ),
        QuestionDraft("Câu hỏi thứ hai?", (OptionDraft("Một"), OptionDraft("Hai", True))),
    ]


BAD = """A. phương án không có câu hỏi
ANSWER: A

Câu một?
A. a
C. c
ANSWER: A

Câu hai, hai dòng
là quá nhiều?
A. a
B. b
ANSWER: D

Câu ba?
A. a
ANSWER: A

Câu bốn?
A. a
B. b
ANSWER: A, B

Câu năm?
A. a
B. b
"""


def test_every_bad_line_is_listed() -> None:
    with pytest.raises(BadFile) as bad:
        aiken.read(BAD.encode())
    assert faults(bad.value) == [
        ("line", 1, "outside_question"),
        ("line", 2, "outside_question"),
        ("line", 6, "option_order"),
        ("line", 9, "question_unfinished"),
        ("line", 10, "right_unknown"),
        ("line", 15, "wrong_number_of_options"),
        ("line", 19, "right_unknown"),
        ("line", 24, "question_unfinished"),
    ]
    assert not bad.value.can_go


def test_nothing_is_no_bank() -> None:
    with pytest.raises(BadFile) as bad:
        aiken.read(b"\n\n")
    assert faults(bad.value) == [("file", 0, "no_questions")]


@pytest.mark.parametrize("text", ["A. không?", "B) không?", "ANSWER: không?", "Z.không?"])
def test_a_question_that_reads_as_an_option_is_not_written(text: str) -> None:
    question = QuestionDraft(text, (OptionDraft("a", True), OptionDraft("b")))
    assert aiken.held(question) is None
    assert aiken.write([question]) == b""
