"""The bytes that travel: they come back, old ones are still read, garbage is told from them, and masks fit papers."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quiz.intake.errors import InvalidAnswers
from quiz.intake.events import (
    EntryEvent,
    Kind,
    UnreadableEvent,
    decode_draft,
    decode_event,
    decode_paper,
    encode_event,
    encode_paper,
    masks_of,
    with_received,
)
from quiz.intake.season import FrozenBank
from tests.making import OPENS, bank, paper

ANSWERS = [1, 2, 4, 8, 0, 3, 1, 1, 8, 2]
WRITTEN_IN_VERSION_1 = (
    "0194c42d9c0007ce0001e24002cd0bb9019a04001307020b03120905cf0000019b69693060cf0000019b69725820c0c0c0"
    "9a01020408000301010802cd04d2cf0000019b6968460001"
)


def event(kind: int = Kind.PERSON) -> bytes:
    return encode_event(encode_paper(paper()), ANSWERS, 1_234, OPENS) + bytes([kind])


@pytest.mark.parametrize("kind", Kind)
def test_an_event_comes_back(kind: Kind) -> None:
    read, made, how = decode_event(event(kind))
    assert (read.answers, read.prediction, read.received) == (ANSWERS, 1_234, OPENS)
    assert made == paper()
    assert how == kind


def test_an_event_is_small() -> None:
    """Ten questions in some 70 bytes: a hundred million entries fit a Redis of ordinary size on their way."""
    assert len(event()) < 100


def test_yesterdays_bytes_are_read_today() -> None:
    """Written down once: events of a running contest are in the stream while the code is replaced."""
    read, made, kind = decode_event(bytes.fromhex(WRITTEN_IN_VERSION_1))
    assert (read.answers, read.prediction, read.received) == (ANSWERS, 1_234, OPENS)
    assert (made, kind) == (paper(), Kind.PERSON)
    assert event().hex() == WRITTEN_IN_VERSION_1


def test_a_field_added_later_is_no_trouble_either_way() -> None:
    """A drain of tomorrow reads today's paper, and one of today a paper with a field it does not know."""

    class Tomorrow(msgspec.Struct, array_like=True):
        issuer: int
        round_id: int
        participant: int
        attempt: int
        unit: int
        bank: int
        questions: list[int]
        started: int
        deadline: int
        session: int | None = None
        device: str | None = None
        channel: str | None = None
        language: str = "vi"

    read = msgspec.msgpack.decode(encode_paper(paper()), type=Tomorrow)
    assert read.language == "vi"
    assert decode_paper(msgspec.msgpack.encode(read)) == paper()


@given(st.binary(max_size=300))
def test_garbage_goes_to_the_dead_letters(data: bytes) -> None:
    with pytest.raises(UnreadableEvent):
        decode_event(data)
    with pytest.raises(UnreadableEvent):
        decode_event(b"\x01" + data + b"\x01")


@given(st.integers(0, len(event()) - 1), st.integers(1, 255))
def test_a_damaged_event_is_unreadable_or_an_event(place: int, flip: int) -> None:
    """Whatever a bit does, the drain is told by UnreadableEvent and by nothing else."""
    damaged = bytearray(event())
    damaged[place] ^= flip
    try:
        read, made, kind = decode_event(bytes(damaged))
    except UnreadableEvent:
        return
    assert len(read.answers) == len(made.questions)
    assert kind in tuple(Kind)


@given(st.integers(0, len(event()) - 1))
def test_a_truncated_event_is_unreadable(length: int) -> None:
    with pytest.raises(UnreadableEvent):
        decode_event(event()[:length])


@pytest.mark.parametrize("version", [0, 2, 255])
def test_an_event_of_another_version_is_unreadable(version: int) -> None:
    with pytest.raises(UnreadableEvent, match="version"):
        decode_event(bytes([version]) + event()[1:])


@pytest.mark.parametrize("kind", [0, 4, 255])
def test_an_event_of_an_unknown_kind_is_unreadable(kind: int) -> None:
    with pytest.raises(UnreadableEvent, match="kind"):
        decode_event(event()[:-1] + bytes([kind]))


def test_answers_and_questions_must_be_equally_many() -> None:
    wrong = encode_event(encode_paper(paper()), ANSWERS[:-1], None, OPENS) + b"\x01"
    with pytest.raises(UnreadableEvent, match="number"):
        decode_event(wrong)


def test_a_draft_becomes_an_entry_of_the_deadline() -> None:
    draft = encode_event(encode_paper(paper()), ANSWERS, 7, OPENS)
    kept, made = decode_draft(draft)
    assert (kept.answers, kept.prediction, made) == (ANSWERS, 7, paper())
    read, _, kind = decode_event(with_received(draft, paper().deadline) + b"\x02")
    assert read == EntryEvent(encode_paper(paper()), ANSWERS, 7, paper().deadline)
    assert kind == Kind.DEADLINE


# Sheets

FROZEN = FrozenBank(bank())
QUESTIONS = [3, 4, 0]  # place 4 takes several options


def masks(answers: dict[str, list[str]], turns: list[int] | None = None) -> list[int]:
    return masks_of(QUESTIONS, turns or [0, 0, 0], answers, FROZEN.names, FROZEN.option_bits, FROZEN.multiple)


def test_masks_stand_in_the_order_of_the_paper() -> None:
    assert masks({"1": ["4"], "4": ["1"], "5": ["2", "4"]}) == [0b0001, 0b1010, 0b1000]


def test_an_options_id_is_its_place_on_the_paper() -> None:
    """Turned by 1 the paper shows the bank's options 2, 3, 4, 1."""
    assert masks({"4": ["1"], "5": ["4"], "1": ["4"]}, [1, 1, 6]) == [0b0010, 0b0001, 0b0010]


def test_what_is_not_answered_is_zero() -> None:
    assert masks({}) == [0, 0, 0]
    assert masks({"4": [], "1": ["2"]}) == [0, 0, 2]


def test_an_option_named_twice_is_one_option() -> None:
    assert masks({"4": ["3", "3"]}) == [4, 0, 0]


@pytest.mark.parametrize(
    ("answers", "field", "problem"),
    [
        ({"4": ["5"]}, "answers.4", "unknown_option"),
        ({"4": [""]}, "answers.4", "unknown_option"),
        ({"4": ["a"]}, "answers.4", "unknown_option"),
        ({"4": ["1", "2"]}, "answers.4", "too_many_options"),
        ({"2": ["1"]}, "answers.2", "unknown_question"),  # in the bank, not on this paper
        ({"2": []}, "answers.2", "unknown_question"),
        ({"04": ["1"]}, "answers.04", "unknown_question"),
        ({"4": ["1"], "21": ["1"]}, "answers.21", "unknown_question"),
        ({"x" * 500: ["1"]}, "answers." + "x" * 20, "unknown_question"),
    ],
)
def test_what_does_not_fit_the_paper_is_refused_by_name(
    answers: dict[str, list[str]], field: str, problem: str
) -> None:
    with pytest.raises(InvalidAnswers) as refused:
        masks(answers)
    assert (refused.value.field, refused.value.problem) == (field, problem)


@given(st.dictionaries(st.sampled_from(["1", "4", "5"]), st.lists(st.sampled_from("1234"), unique=True, max_size=1)))
def test_each_choice_is_its_options_bit(answers: dict[str, list[str]]) -> None:
    for place, mask in zip(QUESTIONS, masks(answers), strict=True):
        chosen = answers.get(str(place + 1), [])
        assert mask == sum(1 << "1234".index(option) for option in chosen)
