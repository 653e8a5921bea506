from pathlib import Path

import pytest

from quiz.services.formats import BadFile, OptionDraft, QuestionDraft, gift
from tests.formats.making import codes, faults

SAMPLES = Path(__file__).parent / "samples"


def options(*texts: str, right: set[int]) -> tuple[OptionDraft, ...]:
    return tuple(OptionDraft(text, place in right) for place, text in enumerate(texts))


def test_a_file_of_moodle_comes_in_whole() -> None:
    topic = "Quốc hội khóa I"
    assert gift.read((SAMPLES / "from_moodle.gift").read_bytes()) == [
        QuestionDraft(
            "Cuộc Tổng tuyển cử đầu tiên diễn ra ngày nào?",
            options("6/1/1946", "2/9/1945", "19/8/1945", right={0}),
            explanation="Hơn 89% cử tri đi bầu.\n6/1/1946: Đúng: Chủ nhật.",
            topic=topic,
            tags=("bầu cử", "ngày [6]"),
        ),
        QuestionDraft(
            "Chủ tịch Quốc hội khóa I là _____ (tháng 3/1946).",
            options("Hồ Chí Minh", "Nguyễn Văn Tố", "Bùi Bằng Đoàn", right={1}),
            topic=topic,
        ),
        QuestionDraft("Quốc hội khóa I có 333 đại biểu được bầu.", options("Đúng", "Sai", right={0}), topic=topic),
        QuestionDraft(
            "Hiến pháp 1946 có 80 điều.",
            options("Đúng", "Sai", right={1}),
            explanation="Xem Điều 70.\nĐúng: Sai rồi, 70 điều.\nSai: Giỏi lắm.",
            topic=topic,
        ),
        QuestionDraft(
            "Quốc hội khóa I\nthông qua những hiến pháp nào?",
            options("Hiến pháp 1946", "Hiến pháp 1959", "Hiến pháp 1980", right={0, 1}),
            topic=topic,
        ),
        QuestionDraft(
            "Bằng nào bằng 5?",
            options("= 2 + 2", "= 2 + 3", "C:\\thư mục {x} ~ #1", right={1}),
            topic="tom / dick / harry",
        ),
    ]


def test_other_kinds_of_question_are_listed() -> None:
    with pytest.raises(BadFile) as bad:
        gift.read((SAMPLES / "gift_docs.gift").read_bytes())
    assert faults(bad.value) == [
        ("line", 4, "unsupported_type"),
        ("line", 6, "unsupported_type"),
        ("line", 8, "unsupported_type"),
        ("line", 14, "unsupported_type"),
        ("line", 16, "unsupported_type"),
        ("line", 18, "partial_credit"),
        ("line", 20, "picture"),
    ]
    assert [line.fault.params.get("type") for line in bad.value.lines[:5]] == [
        "shortanswer", "numerical", "matching", "essay", "description"
    ]  # fmt: skip
    assert bad.value.can_go
    assert [question.text for question in bad.value.good] == [
        "Who's buried in Grant's tomb?",
        "Difficult question.",
        "The sun rises in the east.",
    ]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Thiếu ngoặc {=a ~b", "gift_braces"),
        ("Thừa ngoặc {=a ~b} và {=c ~d}", "gift_braces"),
        ("Ngược }=a ~b{", "gift_braces"),
        ("Lời thừa {a =b ~c}", "gift_answers"),
        ("Không đúng {~a ~b}", "right_missing"),
        ("Hai đúng {=a =b ~c}", "one_right_only"),
        ("Trùng {=a ~a}", "same_option_twice"),
        ("{=a ~b}", "text_missing"),
        ("Rỗng {=a ~}", "option_missing"),
    ],
)
def test_a_broken_question_is_told_where_it_begins(text: str, code: str) -> None:
    with pytest.raises(BadFile) as bad:
        gift.read(f"// đầu\n\nTốt?{{=a ~b}}\n\n{text}\n".encode())
    assert faults(bad.value) == [("line", 5, code)]


def test_every_bad_question_is_listed() -> None:
    with pytest.raises(BadFile) as bad:
        gift.read(b"A{=a}\n\nB{\n\nC{=a ~b}\n\nD{~a ~b}")
    assert codes(bad.value) == ["unsupported_type", "gift_braces", "right_missing"]
    assert not bad.value.can_go


def test_signs_are_escaped_as_moodle_reads_them() -> None:
    question = QuestionDraft("a~b=c#d{e}f:g\\h\ni", options("=1", "->", right={0}), tags=("x]y",))
    written = gift.write([question]).decode()
    assert "[plain]a\\~b\\=c\\#d\\{e\\}f\\:g\\\\h\\ni{" in written
    assert "[tag:x\\]y]" in written
    assert gift.read(written.encode()) == [question]


def test_an_option_that_looks_like_a_weight_stays_text() -> None:
    question = QuestionDraft("Mấy phần?", options("%50% dân số", "%33.3% đất", right={0}))
    assert "~[plain]%33.3% đất" in gift.write([question]).decode()
    assert gift.read(gift.write([question])) == [question]
