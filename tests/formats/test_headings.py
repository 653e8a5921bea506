"""Tables of questions as organizers head and fill them, in whatever file they stand."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from quiz.services.formats import BadFile, OptionDraft, QuestionDraft, Where
from quiz.services.formats.answers import difficulty_of, join_tags, right_places, split_tags, yes_or_no
from quiz.services.formats.drafts import Findings
from quiz.services.formats.grid import Row, headings_of, read_table, rows_of
from tests.formats.making import codes, faults, real

HEADED = [
    "STT|Câu hỏi|A|B|C|D|Đáp án",
    "TT | NỘI DUNG CÂU HỎI | Phương án A | Phương án B | Phương án C | Phương án D | ĐÁP ÁN ĐÚNG",
    "Câu|Nội dung|Đáp án A|Đáp án B|Đáp án C|Đáp án D|Đáp án đúng",
    "Câu hỏi số|Câu hỏi|Lựa chọn 1|Lựa chọn 2|Lựa chọn 3|Lựa chọn 4|Trả lời",
    "No|Question|Option A|Option B|Option C|Option D|Correct answer",
    "Stt|Câu hỏi (tối đa 500 chữ)|PA 1|PA 2|PA 3|PA 4|Đáp án [A/B/C/D]",
    "STT|Ca\u0302u ho\u0309i|A|B|C|D|Đa\u0301p a\u0301n",
]


def table(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("|")] for line in text.strip().split("\n")]


def read(rows: Sequence[Sequence[str]]) -> list[QuestionDraft]:
    findings = Findings()
    assert read_table([Row(Where("row", number), row) for number, row in enumerate(rows, 1)], findings)
    return findings.questions()


@pytest.mark.parametrize("heading", [heading for heading in HEADED if "Câu hỏi số" not in heading])
def test_the_headings_that_people_write_are_understood(heading: str) -> None:
    rows = table(f"BỘ CÂU HỎI TRẮC NGHIỆM||||||\n||||||\n{heading}\n1|Hỏi?|a|b|c|d|C")
    options = tuple(OptionDraft(text, text == "c") for text in "abcd")
    assert read(rows) == [QuestionDraft("Hỏi?", options)]


def test_a_title_is_no_row_of_headings() -> None:
    assert headings_of(["Câu hỏi và đáp án"]) is None
    assert headings_of(["STT", "Câu hỏi", "A", "B"]) is None
    assert headings_of(["Câu hỏi", "A", "C", "Đáp án"]) is None


def test_all_fields_have_headings() -> None:
    rows = table(
        "Câu hỏi|A|B|Đáp án|Giải thích|Nguồn|Chủ đề|Mức độ|Từ khóa|Chọn nhiều\n"
        "Hỏi?|a|b|A|vì thế|sách|chung|Vận dụng cao|x; y|có"
    )
    assert read(rows) == [
        QuestionDraft(
            "Hỏi?",
            (OptionDraft("a", True), OptionDraft("b")),
            multiple=True,
            explanation="vì thế",
            source="sách",
            topic="chung",
            difficulty=4,
            tags=("x", "y"),
        )
    ]


def test_options_may_stand_below_the_question_in_its_cell() -> None:
    rows = [["STT", "Câu hỏi", "Đáp án"], ["1", "Hỏi\nhai dòng?\nA. một\nB. hai\ndòng nữa\nC. ba", "B"]]
    options = (OptionDraft("một"), OptionDraft("hai\ndòng nữa", True), OptionDraft("ba"))
    assert read(rows) == [QuestionDraft("Hỏi\nhai dòng?", options)]


def test_every_bad_row_is_listed() -> None:
    rows = table(
        "Câu hỏi|A|B|C|Đáp án|Độ khó|Nhiều đáp án\n"
        "|a|b|c|A||\n"
        "Thiếu đáp án?|a|b|c|||\n"
        "\n"
        "Đáp án lạ?|a|b|c|D||\n"
        "Thủng?|a||c|A||\n"
        "Một phương án?|a|||A||\n"
        "Trùng?|a|b|A|B||\n"
        "Khó lạ?|a|b|c|A|khủng|\n"
        "Nhiều lạ?|a|b|c|A||có lẽ\n"
        "Tốt?|a|b|c|A, C|5|"
    )
    with pytest.raises(BadFile) as bad:
        read(rows)
    assert faults(bad.value) == [
        ("row", 2, "text_missing"),
        ("row", 3, "right_missing"),
        ("row", 5, "right_unknown"),
        ("row", 6, "option_missing"),
        ("row", 7, "wrong_number_of_options"),
        ("row", 8, "same_option_twice"),
        ("row", 9, "difficulty_unknown"),
        ("row", 10, "multiple_unknown"),
    ]
    assert bad.value.good == ()


def test_columns_that_are_not_known_are_listed_and_may_be_left() -> None:
    rows = table("Câu hỏi|A|B|Đáp án|Người duyệt||\nHỏi?|a|b|A|Lan||ghi chú bên lề")
    with pytest.raises(BadFile) as bad:
        read(rows)
    assert codes(bad.value) == ["unknown_heading", "cell_without_heading"]
    assert bad.value.can_go
    assert [question.text for question in bad.value.good] == ["Hỏi?"]


@pytest.mark.parametrize(
    ("written", "places"),
    [
        ("A", [0]), ("b", [1]), (" C. ", [2]), ("A, C", [0, 2]), ("C;A", [0, 2]), ("AC", [0, 2]), ("A và C", [0, 2]),
        ("A-B", [0, 1]), ("2", [1]), ("1,3", [0, 2]), ("Đáp án B", [1]), ("Phương án đúng: B", [1]), ("Câu D", [3]),
        ("Hà Nội", [0]), ("hà nội", [0]), ("Ha\u0300 No\u0302\u0323i", [0]), ("A. Hà Nội", [0]), ("1946", [3]),
        ("E", None), ("AA", None), ("0", None), ("5", None), ("B. Hà Nội", None), ("không rõ", None), ("?", None),
    ],
)  # fmt: skip
def test_right_answers_are_read_as_people_write_them(written: str, places: list[int] | None) -> None:
    assert right_places(written, ["Hà Nội", "Huế", "Đà Nẵng", "1946"]) == places


def test_a_letter_is_a_letter_though_an_option_is_called_so() -> None:
    assert right_places("A", ["B", "A"]) == [0]
    assert right_places("2", ["2", "1"]) == [0]


@pytest.mark.parametrize(
    ("word", "level"),
    [("1", 1), ("5", 5), ("3.0", 3), ("4/5", 4), ("Dễ", 2), ("TRUNG BÌNH", 3), ("Rất khó", 5), ("Nhận biết", 1),
     ("VDC", 4), ("hard", 4), ("0", None), ("6", None), ("12", None), ("khá", None)],
)  # fmt: skip
def test_difficulties_are_numbers_or_words(word: str, level: int | None) -> None:
    assert difficulty_of(word) == level


@pytest.mark.parametrize(("word", "meant"), [("x", True), ("Có", True), ("✓", True), ("", False), ("Không", False),
                                             ("0", False), ("chắc", None)])  # fmt: skip
def test_yes_and_no(word: str, meant: bool | None) -> None:
    assert yes_or_no(word) is meant


@pytest.mark.parametrize("tags", [[], ["a"], ["a, b", "c; d"], ["\\"], ["a\\", "b"], ["\\;,"]])
def test_tags_stand_in_one_cell(tags: list[str]) -> None:
    assert [tag.strip() for tag in split_tags(join_tags(tags))] == tags


def test_columns_are_written_for_the_longest_question() -> None:
    long = QuestionDraft("Hỏi?", tuple(OptionDraft(str(n), n == 0) for n in range(6)))
    assert next(rows_of([real()[0], long]))[:8] == ["Câu hỏi", "A", "B", "C", "D", "E", "F", "Đáp án"]
    assert next(rows_of([]))[:6] == ["Câu hỏi", "A", "B", "C", "D", "Đáp án"]
