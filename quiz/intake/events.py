"""The signed paper's payload, the draft and the entry event: what travels, byte for byte.

Structs are encoded as MessagePack arrays: fields may only be added at the end, with a default, so that an old
event in the stream is still read by a new drain.
"""

from __future__ import annotations

from enum import IntEnum

import msgspec

from quiz.intake.errors import InvalidAnswers

EVENT_VERSION = 1


class Kind(IntEnum):
    """How an entry came in. Lua writes it as the event's last byte, because the attempt's record decides."""

    PERSON = 1
    DEADLINE = 2
    LATE = 3


# gc=False: these refer to nothing that could refer back, and the drain makes tens of thousands a second.
class Paper(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Payload of a paper token. Times in ms since 1970; `questions` are places in the frozen bank."""

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


class EntryEvent(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A paper handed in. `paper` stays encoded as it was signed: nothing is encoded twice on the hot path.

    `answers[i]` is the bit mask of the options chosen for `questions[i]`, 0 if unanswered.
    """

    paper: bytes
    answers: list[int]
    prediction: int | None
    received: int


_encoder = msgspec.msgpack.Encoder()
_paper_decoder = msgspec.msgpack.Decoder(Paper)
_event_decoder = msgspec.msgpack.Decoder(EntryEvent)


class UnreadableEvent(ValueError):
    """The bytes are no entry event of a version this drain reads; they go to the dead letters."""


def encode_paper(paper: Paper) -> bytes:
    return _encoder.encode(paper)


def decode_paper(payload: bytes) -> Paper:
    """Raises msgspec.MsgspecError for bytes that are no paper."""
    return _paper_decoder.decode(payload)


def encode_event(payload: bytes, answers: list[int], prediction: int | None, received: int) -> bytes:
    """Version byte + event; the Lua call appends the kind byte."""
    return b"\x01" + _encoder.encode((payload, answers, prediction, received))


def event_head(payload: bytes) -> bytes:
    """What stands in an event before its answers: a Lua call puts the rest of a stepped paper's draft behind it."""
    return b"\x01\x94" + _encoder.encode(payload)


def decode_event(data: bytes) -> tuple[EntryEvent, Paper, int]:
    """Split a stream message into event, paper and kind.

    Raises:
        UnreadableEvent: wrong version, truncated or malformed.
    """
    if len(data) < 3 or data[0] != EVENT_VERSION:
        raise UnreadableEvent(f"version byte {data[:1].hex() or 'missing'}")
    try:
        event = _event_decoder.decode(memoryview(data)[1:-1])
        paper = _paper_decoder.decode(event.paper)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        # msgspec lets a text that is no UTF-8 pass as Python's own error.
        raise UnreadableEvent(str(error)) from error
    if len(event.answers) != len(paper.questions):
        raise UnreadableEvent("answers and questions differ in number")
    kind = data[-1]
    if not Kind.PERSON <= kind <= Kind.LATE:
        raise UnreadableEvent(f"unknown kind {kind}")
    return event, paper, kind


def with_received(data: bytes, received: int) -> bytes:
    """The same draft event (without kind byte) with another time received: how a draft becomes an entry."""
    event = _event_decoder.decode(memoryview(data)[1:])
    return encode_event(event.paper, event.answers, event.prediction, received)


def decode_draft(data: bytes) -> tuple[EntryEvent, Paper]:
    """A draft is an event that nobody handed in yet: no kind byte."""
    event = _event_decoder.decode(memoryview(data)[1:])
    return event, _paper_decoder.decode(event.paper)


OptionBits = dict[str, int]


def option_id(place: int) -> str:
    """The id of the option that a paper shows at `place`, from 0: it belongs to the paper, not to the bank.

    Ids that follow the place shown are as evenly spread over right and wrong options as the places are.
    """
    return str(place + 1)


def turned_bits(options: int) -> list[OptionBits]:
    """For each turn of a question's options: option id → the bit of that option in the frozen bank."""
    return [{option_id(place): 1 << (place + turn) % options for place in range(options)} for turn in range(options)]


def masks_of(
    questions: list[int],
    turns: list[int],
    answers: dict[str, list[str]],
    names: list[str],
    option_bits: list[list[OptionBits]],
    multiple: list[bool],
) -> list[int]:
    """Turn a sheet into bit masks of the frozen bank's options, in the order of the paper.

    Args:
        turns: by how much the paper turns the options of each of its questions (intake.draw.rotations).
        answers: question id → option ids; unanswered questions may be absent.
        names: for each question of the bank its id, the place in the bank as text, from 1.
        option_bits: for each question of the bank its `turned_bits`.

    Raises:
        InvalidAnswers: a question or option that is not on the paper, or several options of a single-choice question.
    """
    masks = []
    seen = 0
    for place, turn in zip(questions, turns, strict=True):
        chosen = answers.get(names[place])
        if chosen is None:
            masks.append(0)
            continue
        seen += 1
        turned = option_bits[place]
        bits = turned[turn % len(turned)]
        # One option of those there are, as nearly every answer is, needs no more questions.
        mask = bits.get(chosen[0], 0) if len(chosen) == 1 else 0
        masks.append(mask or _several(place, chosen, bits, multiple[place]))
    if seen != len(answers):
        on_paper = {names[place] for place in questions}
        stray = next(question for question in answers if question not in on_paper)
        raise InvalidAnswers(f"answers.{stray[:20]}", "unknown_question")
    return masks


def _several(place: int, chosen: list[str], bits: OptionBits, multiple: bool) -> int:
    """The mask of any number of options, none and wrong ones too."""
    mask = 0
    for option in chosen:
        bit = bits.get(option)
        if bit is None:
            raise InvalidAnswers(f"answers.{place + 1}", "unknown_option")
        mask |= bit
    if mask & (mask - 1) and not multiple:
        raise InvalidAnswers(f"answers.{place + 1}", "too_many_options")
    return mask
