from pathlib import Path

import pytest

from quiz.services import question_files
from quiz.services.formats import BadFile, OptionDraft, QuestionDraft, moodle
from quiz.services.formats.categories import path_of, topic_of
from tests.formats.making import faults, only

SAMPLES = Path(__file__).parent / "samples"


def sample(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


def options(*texts: str, right: set[int]) -> tuple[OptionDraft, ...]:
    return tuple(OptionDraft(text, place in right) for place, text in enumerate(texts))


def test_an_export_comes_in_whole() -> None:
    assert moodle.read(sample("moodle_export.xml")) == [
        QuestionDraft(
            "Cuộc Tổng tuyển cử đầu tiên diễn ra ngày nào?\n(Chọn một đáp án)",
            options("6/1/1946", "2/9/1945 < 1946 & sau đó", "19/8/1945", right={0}),
            explanation="Ngày 6/1/1946: hơn 89 % cử tri đi bầu.\n- 71 tỉnh, thành\n- 333 đại biểu",
            topic="Quốc hội khóa I",
            tags=("bầu cử", "1945 & 1946"),
        ),
        QuestionDraft(
            "Những văn bản nào do Quốc hội khóa I thông qua?\nChọn hai.",
            options("Hiến pháp 1946", "Hiến pháp 1959", "Hiến pháp 1980 <nháp>", right={0, 1}),
            multiple=True,
            explanation="Hiến pháp 1946: Thông qua ngày 9/11/1946.\nHiến pháp 1959: Thông qua ngày 31/12/1959.",
            topic="Quốc hội khóa I",
        ),
        QuestionDraft(
            "Hơn 89% cử tri cả nước đi bỏ phiếu¹.",
            options("Sai", "Đúng", right={1}),
            explanation="Theo báo Cứu quốc.",
            topic="Đúng/Sai",
        ),
    ]


def test_what_the_bank_has_no_place_for_is_listed() -> None:
    with pytest.raises(BadFile) as bad:
        moodle.read(sample("moodle_mixed.xml"))
    assert faults(bad.value) == [
        ("line", 3, "unsupported_type"),
        ("line", 7, "picture"),
        ("line", 17, "unsupported_type"),
        ("line", 21, "partial_credit"),
        ("line", 29, "one_right_only"),
    ]
    assert bad.value.can_go
    assert [question.text for question in bad.value.good] == ["Thủ đô?", "1 + 1 = ?"]
    left = question_files.read("x.xml", sample("moodle_mixed.xml"), go_without=True)
    assert left == list(bad.value.good)


def test_a_bad_file_lists_every_bad_question_and_gives_none() -> None:
    with pytest.raises(BadFile) as bad:
        moodle.read(sample("moodle_bad.xml"))
    assert faults(bad.value) == [
        ("line", 3, "text_missing"),
        ("line", 8, "right_missing"),
        ("line", 18, "fraction_unknown"),
        ("line", 18, "wrong_number_of_options"),
        ("line", 18, "right_missing"),
    ]
    assert not bad.value.can_go
    assert bad.value.good == ()
    with pytest.raises(BadFile):
        question_files.read("x.xml", sample("moodle_bad.xml"), go_without=True)


def test_another_file_is_told_from_it() -> None:
    with pytest.raises(BadFile) as bad:
        moodle.read(b"<html/>")
    assert only(bad.value).code == "not_this_format"


@pytest.mark.parametrize(
    ("path", "topic"),
    [
        ("$course$/top/Lịch sử", "Lịch sử"),
        ("$course$/Lịch sử", "Lịch sử"),
        ("$course$/top", ""),
        ("$course$", ""),
        ("top/Lịch sử/Khóa I", "Lịch sử / Khóa I"),
        ("$module$/top/Default for Thi thử/Khóa I", "Khóa I"),
        ("$system$/top/Default for System", "Default for System"),
        ("tom/dick/harry", "tom / dick / harry"),
        ("$course$/top/và//hoặc/3", "và/hoặc / 3"),
    ],
)
def test_categories_are_topics(path: str, topic: str) -> None:
    assert topic_of(path) == topic


@pytest.mark.parametrize("topic", ["", "a", "a/b", "a / b", "/", "//", "a//b/", "top", "$x$", "Default for x / y"])
def test_a_topic_survives_as_a_category(topic: str) -> None:
    assert topic_of(path_of(topic)) == topic


def test_marks_are_written_as_moodle_wants_them() -> None:
    several = QuestionDraft("Ba?", options("a", "b", "c", "d", right={0, 1, 2}), multiple=True)
    text = moodle.write([several]).decode()
    assert text.count('fraction="33.33333"') == 3
    assert text.count('fraction="-100"') == 1
    assert "<single>false</single>" in text


def test_html_in_a_question_stays_text() -> None:
    tag = QuestionDraft("<script>alert(1)</script>", options("<b>a</b>", "&amp;", right={0}))
    text = moodle.write([tag]).decode()
    assert "<script>" not in text
    assert 'format="html"' not in text
    assert moodle.read(text.encode()) == [tag]
