from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quiz.services import duplicates
from quiz.services.duplicates import Kind, Twin, find, words
from quiz.services.formats import OptionDraft, QuestionDraft
from tests.formats.making import real


def question(text: str, *options: str, right: int = 0) -> QuestionDraft:
    texts = options or ("a", "b")
    return QuestionDraft(text, tuple(OptionDraft(option, place == right) for place, option in enumerate(texts)))


def kinds(*questions: QuestionDraft) -> list[tuple[int, int, Kind]]:
    return [(twin.first, twin.second, twin.kind) for twin in find(questions)]


FIRST = "Cuộc Tổng tuyển cử đầu tiên bầu Quốc hội Việt Nam diễn ra ngày nào?"


@pytest.mark.parametrize(
    "text",
    [
        FIRST,
        FIRST.upper(),
        f"  {FIRST.replace(' ', '  ')} ",
        FIRST.removesuffix("?"),
        FIRST.replace("Cuộc", "“Cuộc”,"),
        FIRST.replace("Tổng tuyển cử", "To\u0302\u0309ng tuye\u0302\u0309n cu\u031b\u0309"),
    ],
)
def test_the_same_text_is_the_same_however_it_is_written(text: str) -> None:
    assert kinds(question(FIRST), question(text)) == [(0, 1, Kind.SAME)]


def test_the_order_of_options_and_which_is_right_make_no_other_question() -> None:
    assert kinds(question("Hỏi?", "a", "b"), question("Hỏi?", "B", "a", right=1)) == [(0, 1, Kind.SAME)]


def test_the_same_text_with_other_options_is_told_apart() -> None:
    text = "Phát biểu nào sau đây đúng?"
    assert kinds(question(text, "a", "b"), question(text, "c", "d")) == [(0, 1, Kind.SAME_TEXT)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("hoà bình, thống nhất, quý trọng", "hòa bình thống nhất quý trọng"),
        ("Lý luận và kỹ thuật", "lí luận và kĩ thuật"),
        ("khóa XIV", "khoá 14"),
        ("ngày 06/01/1946", "ngày 6-1-1946"),
    ],
)
def test_ways_to_spell_make_no_difference(one: str, other: str) -> None:
    assert words(one) == words(other)


@pytest.mark.parametrize(("one", "other"), [("ma", "má"), ("bảo", "bạo"), ("khóa IV", "khóa VI"), ("Ý", "I")])
def test_other_words_are_other_words(one: str, other: str) -> None:
    assert words(one) != words(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (FIRST, "Tổng tuyển cử đầu tiên bầu ra Quốc hội nước Việt Nam diễn ra vào ngày tháng năm nào?"),
        ("Ai là Chủ tịch Quốc hội khóa VI?", "Chủ tịch Quốc hội khóa VI là ai?"),
        ("Hiến pháp năm 1946 gồm bao nhiêu điều?", "Hiến pháp năm 1946 có bao nhiêu điều?"),
        (
            "Hiến pháp 1946 được Quốc hội khóa I thông qua ngày nào?",
            "Quốc hội khóa I thông qua Hiến pháp 1946 vào ngày nào?",
        ),
    ],
)
def test_reworded_questions_are_found(one: str, other: str) -> None:
    assert kinds(question(one), question(other)) == [(0, 1, Kind.NEAR)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ai là Chủ tịch Quốc hội khóa VI?", "Ai là Chủ tịch Quốc hội khóa VII?"),
        ("Hiến pháp năm 1946 gồm bao nhiêu điều?", "Hiến pháp năm 1959 gồm bao nhiêu điều?"),
        ("Quốc hội họp ngày 2/3/1946 ở đâu?", "Quốc hội họp ngày 28/10/1946 ở đâu?"),
    ],
)
def test_another_number_is_another_question(one: str, other: str) -> None:
    assert kinds(question(one), question(other)) == []


def test_half_alike_is_enough_only_with_the_same_answer() -> None:
    one, other = "Hội nghị hiệp thương họp tại đâu?", "Hội nghị hiệp thương họp tại thành phố nào của nước ta?"
    assert kinds(question(one, "Sài Gòn", "Huế"), question(other, "sài gòn", "Vinh")) == [(0, 1, Kind.NEAR)]
    assert kinds(question(one, "Sài Gòn", "Huế"), question(other, "Vinh", "Đà Lạt")) == []


def test_questions_written_to_differ_are_hardly_ever_taken_for_one() -> None:
    bank = real()
    found = find(bank)
    assert not [twin for twin in found if twin.kind is Kind.SAME]
    assert len(found) <= len(bank) // 50


def test_every_copy_in_a_bank_is_found_and_the_likest_come_first() -> None:
    bank = real()[:100]
    copies = [replace(one, text=f"Theo bạn, {one.text}") for one in bank[:10]]
    found = [(twin.first, twin.second) for twin in find(copies, bank)]
    assert found[:10] == sorted(found[:10], key=lambda pair: -find([copies[pair[0]]], [bank[pair[1] - 10]])[0].likeness)
    assert {(place, place + 10) for place in range(10)} <= set(found)


def test_what_is_known_is_not_compared_with_itself() -> None:
    known = [question("Hỏi?"), question("Hỏi?"), question("Khác hẳn?")]
    assert find([], known) == []
    assert find([question("hỏi")], known) == [Twin(0, 1, Kind.SAME, 1.0), Twin(0, 2, Kind.SAME, 1.0)]


def test_texts_without_words_are_compared_too() -> None:
    assert kinds(question("?"), question("!"), question("?")) == [(0, 2, Kind.SAME)]


@given(st.lists(st.sampled_from(["một", "hai", "ba", "1", "II", "bốn", "năm"]), min_size=1, max_size=6), st.data())
def test_nothing_is_missed_by_looking_at_rare_words_first(first: list[str], data: st.DataObject) -> None:
    """The short way finds what comparing everything with everything finds."""
    others = data.draw(st.lists(st.permutations(first).map(lambda found: found[: len(found)]), max_size=4))
    questions = [question(" ".join(text)) for text in (first, *others)]
    texts = [duplicates._text(one) for one in questions]
    slow = {
        (one, other)
        for other in range(len(texts))
        for one in range(other)
        if texts[one].key == texts[other].key or duplicates._likeness(texts[one], texts[other])
    }
    assert {(twin.first, twin.second) for twin in find(questions)} == slow
