"""Taking a paper whose questions come one by one, each in its own time; the same for the API and for pages.

Only the question that is asked ever leaves; the record in Redis decides which one that is (quiz.intake.steps).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from quiz.clock import from_ms, iso
from quiz.intake import steps
from quiz.intake.errors import InvalidAnswers, PaperExpired
from quiz.intake.events import Paper, masks_of
from quiz.intake.season import RoundCard
from quiz.intake.signing import SignedPaper
from quiz.intake.steps import NOTHING, UNFIT, Act, Answered, Asked
from quiz.services import papers
from quiz.services.papers import Desk, ShownQuestion

Answer = Mapping[str, list[str]]
"""Question id → option ids, of the question that is asked; no options: it is left out."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a stepped paper stands, with the question that is asked now."""

    card: RoundCard
    paper: Paper
    asked: Asked
    question: ShownQuestion | None
    """None: all were asked, or the paper was handed in."""
    kept: str | None
    """Signed steps for the client to keep and to send along, in case Redis loses them."""


def take(
    desk: Desk, token: str | None, answer: Answer | None, kept: str | None, holder: int | None, now_ms: int
) -> Standing:
    """Take the answer to the question that is asked and go on to the next one.

    Without an answer the question that is asked comes again, until its seconds and the grace are over. An answer to
    an earlier question changes nothing: it was answered, or its time was over.

    Raises:
        IntakeRefusal: invalid_paper, invalid_answers, paper_expired, intake_unavailable.
    """
    signed = papers.read_paper(desk, token, holder)
    card, signed = papers.read_stepped(desk, signed)
    if card.finalized is not None:
        raise PaperExpired
    answered = _answered(desk, card, signed.paper, answer)
    return _standing(desk, card, signed, answered, kept, now_ms, Act.STEP)


def look(desk: Desk, signed: SignedPaper, kept: str | None, now_ms: int) -> Standing:
    """Where the paper stands, without going on: for a page that is only loaded.

    Raises:
        IntakeRefusal: invalid_paper, paper_expired, intake_unavailable.
    """
    card, signed = papers.read_stepped(desk, signed)
    return _standing(desk, card, signed, NOTHING, kept, now_ms, Act.LOOK)


def remembered(desk: Desk, signed: SignedPaper, kept: str | None) -> Standing | None:
    """The same without asking Redis, from what the client kept: only the question that it was already asked."""
    card, signed = papers.read_stepped(desk, signed)
    known = steps.read_kept(desk.signer, signed.paper, kept)
    if known is None:
        return None
    each = (steps.seconds_of(card) or 0) * 1000
    asked = Asked(known, known.since + each, late=False)
    return Standing(card, signed.paper, asked, _question(desk, card, signed.paper, asked), kept)


def _standing(
    desk: Desk, card: RoundCard, signed: SignedPaper, answered: Answered, kept: str | None, now_ms: int, act: Act
) -> Standing:
    paper = signed.paper
    known = steps.read_kept(desk.signer, paper, kept)
    asked = steps.step(desk.gateway, card, signed, now_ms, act, answered=answered, kept=known)
    sealed = None if asked.steps is None else steps.seal_kept(desk.signer, paper, asked.steps)
    return Standing(card, paper, asked, _question(desk, card, paper, asked), sealed)


def _question(desk: Desk, card: RoundCard, paper: Paper, asked: Asked) -> ShownQuestion | None:
    return None if asked.number is None else papers.shown_questions(desk, card, paper)[asked.number - 1]


def _answered(desk: Desk, card: RoundCard, paper: Paper, answer: Answer | None) -> Answered:
    """The answer's place on the paper and its bit mask, or what is wrong with its options."""
    if not answer:
        return NOTHING
    if len(answer) > 1:
        raise InvalidAnswers("answer", "unknown_question")
    ((question, options),) = answer.items()
    number = next((number for number, place in enumerate(paper.questions, 1) if str(place + 1) == question), None)
    if number is None:
        # Beyond all places: refused as one whose turn has not come, so nobody learns which questions will come.
        return Answered(len(paper.questions) + 2)
    bank = desk.seasons.bank(card, paper.bank)
    turn = papers.turns_of(card, paper)[number - 1]
    place = paper.questions[number - 1]
    try:
        (mask,) = masks_of([place], [turn], {question: options}, bank.names, bank.option_bits, bank.multiple)
    except InvalidAnswers as wrong:
        return Answered(number, UNFIT, wrong)
    return Answered(number, mask)


def answers_of(desk: Desk, standing: Standing) -> dict[str, list[str]]:
    """What counts of the answers so far, by the ids of the paper."""
    if standing.asked.steps is None:
        return {}
    paper = standing.paper
    bank = desk.seasons.bank(standing.card, paper.bank)
    return papers.ids_of(bank, paper.questions, papers.turns_of(standing.card, paper), standing.asked.steps.masks)


def step_json(desk: Desk, standing: Standing, now_ms: int) -> bytes:
    """The answer of `POST /papers/step`."""
    paper, asked = standing.paper, standing.asked
    times = f'"of":{len(paper.questions)},"server_time":"{iso(from_ms(now_ms))}"'
    if asked.steps is None:
        return f'{{"done":true,{times}}}'.encode()
    times += f',"expires_at":"{iso(from_ms(asked.ends))}","steps":"{standing.kept}"'
    if asked.number is None:
        answers = msgspec.json.encode(answers_of(desk, standing))
        return b'{"done":true,"answers":%b,%b}' % (answers, times.encode())
    question = papers.question_json(desk, standing.card, paper, asked.number)
    return b'{"done":false,"question":%b,"number":%d,%b}' % (question, asked.number, times.encode())
