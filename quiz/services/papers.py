"""Papers: starting one, keeping its draft, handing it in; the same for the API and for pages.

Thin over quiz.intake.calls. SQL is asked only off the main way: for a round that not everybody may take, and for a
paper that comes again after Redis has let go of its round.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec
from flask_babel import lazy_gettext as _l
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from quiz.clock import from_ms, iso_ms, to_ms
from quiz.errors import FieldError, Refusal
from quiz.intake import calls, steps
from quiz.intake.calls import Receipt, Started, Starter
from quiz.intake.draw import rotations
from quiz.intake.errors import IntakeUnavailable, InvalidAnswers, InvalidPaper, NotEligible, PaperExpired, RoundNotOpen
from quiz.intake.events import Paper, masks_of, option_id
from quiz.intake.gateway import Gateway
from quiz.intake.season import BankOption, BankQuestion, ContestCard, FrozenBank, RoundCard, Season, SeasonCache
from quiz.intake.signing import EntryName, SignedPaper, Signer
from quiz.intake.steps import Act, Steps
from quiz.models import Entry
from quiz.services import eligibility

SessionMaker = Callable[[], Session]
"""Makes the request's session when it is needed at all."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What taking papers needs of a process."""

    gateway: Gateway
    signer: Signer
    issuer: int
    seasons: SeasonCache


class Sheet(msgspec.Struct, frozen=True):
    """What is handed in or kept: the paper's token, question id → option ids, and the prediction."""

    token: str | None
    answers: dict[str, list[str]] | None
    """None: the field is missing, which is said only once the paper is known to be good."""
    prediction: int | None = None
    steps: str | None = None
    """Of a paper whose questions come one by one: what its last step sent along."""


@dataclass(frozen=True, slots=True)
class ShownQuestion:
    """A question as one paper shows it: its options turned by this paper's rotation."""

    id: str
    text: str
    multiple: bool
    options: list[BankOption]


# Finding rounds


def contest_of(season: Season, slug: str | None) -> ContestCard:
    """The contest with this slug, or the current one.

    Raises:
        Refusal: not_found.
    """
    contest = season.current if slug is None else season.contests.get(slug)
    if contest is None:
        raise Refusal("not_found")
    return contest


def round_of(season: Season, slug: str | None, number: int) -> RoundCard:
    """Raises Refusal: not_found for the contest, unknown_round for the round or a draft of one."""
    card = season.numbers.get((contest_of(season, slug).slug, number))
    if card is None or card.scheduled is None:
        raise Refusal("unknown_round")
    return card


def current_round(contest: ContestCard, now_ms: int) -> RoundCard | None:
    """The round whose time is now."""
    for card in contest.rounds:
        if card.scheduled is not None and card.opens <= now_ms < card.closes:
            return card
    return None


# Starting


def start(desk: Desk, card: RoundCard, who: Starter, now_ms: int, session: SessionMaker) -> Started:
    """Open an attempt or find the open one.

    Raises:
        Refusal: round_not_open with the window's times.
        IntakeRefusal: not_eligible, attempts_exhausted, login_required, intake_unavailable.
    """
    try:
        _check_season(card, now_ms)
        _check_eligible(card, who, now_ms, session)
        started = calls.start(desk.gateway, desk.signer, desk.issuer, desk.seasons.get(), card, who, now_ms)
    except RoundNotOpen as closed:
        opens, closes = window_to_show(card, now_ms)
        raise Refusal("round_not_open", opens_at=iso_ms(opens), closes_at=iso_ms(closes)) from closed
    return steps.without_questions(desk.signer, started) if steps.seconds_of(card) else started


def _check_season(card: RoundCard, now_ms: int) -> None:
    """Far from its window a round need not be in Redis. Within the grace the open attempt may still be asked for."""
    if card.finalized is not None or not card.opens <= now_ms <= card.closes + card.grace:
        raise RoundNotOpen


def window_to_show(card: RoundCard, now_ms: int) -> tuple[int, int]:
    """The window that is open or opens next; after the last one, the last."""
    return next((window for window in card.windows if now_ms < window[1]), card.windows[-1])


def _check_eligible(card: RoundCard, who: Starter, now_ms: int, session: SessionMaker) -> None:
    if not who.unit:
        # Organizers and administrators belong to no unit that could count them.
        raise NotEligible("no_unit")
    reason = eligibility.refused(card.rules, who.participant, who.unit, from_ms(now_ms), session)
    if reason is not None:
        raise NotEligible(reason)


# What a paper shows


def shown_questions(desk: Desk, card: RoundCard, paper: Paper) -> list[ShownQuestion]:
    """The questions of a paper in its order, the options of each as this paper turns them."""
    bank = desk.seasons.bank(card, paper.bank)
    return [
        turned(bank.questions[place], turn % len(bank.questions[place].options))
        for place, turn in zip(paper.questions, turns_of(card, paper), strict=True)
    ]


def turns_of(card: RoundCard, paper: Paper | EntryName, questions: int | None = None) -> list[int]:
    """By how much the options of each question of a paper are turned, modulo their number."""
    count = len(paper.questions) if isinstance(paper, Paper) else questions or 0
    return rotations(card.draw_secret, paper.participant, paper.attempt, count)


def turned(question: BankQuestion, by: int) -> ShownQuestion:
    """A question whose options begin with the one at `by`, and have the ids of the places they are shown at."""
    options = question.options[by:] + question.options[:by]
    shown = [BankOption(option_id(place), option.text) for place, option in enumerate(options)]
    return ShownQuestion(question.id, question.text, question.multiple, shown)


class _BankJson:
    """The questions of one frozen bank as JSON, each way they are turned, encoded once a process."""

    def __init__(self, bank: FrozenBank) -> None:
        self.bank = bank
        self._turned = [
            [msgspec.json.encode(turned(question, by)) for by in range(len(question.options))]
            for question in bank.questions
        ]

    def questions(self, places: list[int], turns: list[int]) -> bytes:
        parts = []
        for place, turn in zip(places, turns, strict=True):
            turned = self._turned[place]
            parts.append(turned[turn % len(turned)])
        return b",".join(parts)


_banks: dict[tuple[int, int], _BankJson] = {}


def _bank_json(desk: Desk, card: RoundCard, version: int) -> _BankJson:
    bank = desk.seasons.bank(card, version)
    held = _banks.get((card.id, version))
    if held is None or held.bank is not bank:
        held = _banks[card.id, version] = _BankJson(bank)
    return held


def paper_json(desk: Desk, card: RoundCard, started: Started, now_ms: int) -> bytes:
    """The answer of `POST /rounds/N/papers`; questions that come one by one are not in it."""
    paper = started.paper
    questions = b""
    if not steps.seconds_of(card):
        questions = _bank_json(desk, card, paper.bank).questions(paper.questions, turns_of(card, paper))
    left = "null" if started.attempts_left is None else started.attempts_left
    head = (
        f'{{"paper":"{started.token}","attempt":{paper.attempt},"attempts_left":{left},'
        f'"issued_at":"{iso_ms(paper.started)}","expires_at":"{iso_ms(paper.deadline)}",'
        f'"server_time":"{iso_ms(now_ms)}","prediction":'
    ).encode()
    return b"".join((head, msgspec.json.encode(card.rules.get("prediction")), b',"questions":[', questions, b"]}"))


def question_json(desk: Desk, card: RoundCard, paper: Paper, number: int) -> bytes:
    """One question of a paper, from 1, as paper_json has it."""
    turn = turns_of(card, paper)[number - 1]
    return _bank_json(desk, card, paper.bank).questions([paper.questions[number - 1]], [turn])


# Drafts and handing in


def read_paper(desk: Desk, token: str | None, holder: int | None = None) -> SignedPaper:
    """A paper that we signed and, where somebody is signed in, that is theirs.

    Raises:
        InvalidPaper.
    """
    if not token:
        raise InvalidPaper
    signed = desk.signer.verify_paper(token)
    if holder is not None and signed.paper.participant != holder:
        raise InvalidPaper
    return signed


def keep_draft(desk: Desk, sheet: Sheet, seq: int, holder: int | None, now_ms: int) -> None:
    """Keep the sheet for the case that nothing else arrives.

    Raises:
        IntakeRefusal: invalid_paper, invalid_answers, paper_expired, intake_unavailable.
    """
    signed = read_paper(desk, sheet.token, holder)
    if not signed.paper.questions:
        return _keep_prediction(desk, signed, sheet, now_ms)
    card, masks, prediction = _read_sheet(desk, signed.paper, sheet)
    if card.finalized is not None:
        raise PaperExpired
    calls.keep_draft(desk.gateway, card, signed, masks, prediction, seq, now_ms)
    return None


def hand_in(
    desk: Desk, sheet: Sheet, receipt: str | None, holder: int | None, now_ms: int, session: SessionMaker
) -> Receipt:
    """Take a sheet, or say again what was said the first time.

    Args:
        receipt: one given before, which proves time and answers where Redis lost them.
        holder: who is signed in, if anybody; the paper must then be theirs.

    Raises:
        IntakeRefusal: invalid_paper, invalid_answers, paper_expired, intake_unavailable.
    """
    signed = read_paper(desk, sheet.token, holder)
    if not signed.paper.questions:
        return _hand_in_steps(desk, signed, sheet, receipt, now_ms, session)
    card, masks, prediction = _read_sheet(desk, signed.paper, sheet)
    if card.finalized is not None:
        # Its round has left Redis, or will any moment: nothing new is taken, what was taken stands in the tables.
        return _receipt_from_tables(desk, signed, session)
    given = calls.hand_in(desk.gateway, desk.signer, card, signed, masks, prediction, now_ms, receipt)
    return given if _is_whole(given) else _receipt_from_tables(desk, signed, session)


def _is_whole(given: Receipt) -> bool:
    """False: the record came back from the tables after a lost Redis; they know the answers that the proof covers."""
    return not given.text.endswith("-")


def _read_sheet(desk: Desk, paper: Paper, sheet: Sheet) -> tuple[RoundCard, list[int], int | None]:
    card = desk.seasons.get().rounds.get(paper.round_id)
    if card is None:
        raise InvalidPaper
    masks = _masks(desk, card, paper, sheet)
    return card, masks, _checked_prediction(card, sheet.prediction)


def _masks(desk: Desk, card: RoundCard, paper: Paper, sheet: Sheet) -> list[int]:
    if sheet.answers is None:
        raise Refusal("invalid_request", errors=(FieldError("answers", _l("This field is missing.")),))
    bank = desk.seasons.bank(card, paper.bank)
    turns = turns_of(card, paper)
    return masks_of(paper.questions, turns, sheet.answers, bank.names, bank.option_bits, bank.multiple)


def _checked_prediction(card: RoundCard, prediction: int | None) -> int | None:
    rule = card.rules.get("prediction")
    if prediction is None or rule is None:
        # A round that asks for none ignores it: an answer sheet is worth more than a stray field.
        return None
    if not rule["min"] <= prediction <= rule["max"]:
        message = _l("Predict a number from %(low)s to %(high)s.", low=rule["min"], high=rule["max"])
        raise Refusal("invalid_request", errors=(FieldError("prediction", message),))
    return prediction


# Papers whose questions come one by one: their answers stand in the record, whatever a sheet says


def read_stepped(desk: Desk, signed: SignedPaper) -> tuple[RoundCard, SignedPaper]:
    """The round of such a paper, and the paper with its questions.

    Raises:
        InvalidPaper: of no round of ours, or a paper that has its questions itself.
    """
    season = desk.seasons.get()
    card = season.rounds.get(signed.paper.round_id)
    if card is None or signed.paper.questions:
        raise InvalidPaper
    return card, steps.whole(card, season, signed)


def _keep_prediction(desk: Desk, signed: SignedPaper, sheet: Sheet, now_ms: int) -> None:
    card, signed = read_stepped(desk, signed)
    prediction = _checked_prediction(card, sheet.prediction)
    if card.finalized is not None:
        raise PaperExpired
    kept = steps.read_kept(desk.signer, signed.paper, sheet.steps)
    act = Act.LOOK if prediction is None else Act.NOTE
    steps.step(desk.gateway, card, signed, now_ms, act, kept=kept, prediction=prediction)


def _hand_in_steps(
    desk: Desk, signed: SignedPaper, sheet: Sheet, receipt: str | None, now_ms: int, session: SessionMaker
) -> Receipt:
    card, signed = read_stepped(desk, signed)
    prediction = _checked_prediction(card, sheet.prediction)
    if card.finalized is not None:
        return _receipt_from_tables(desk, signed, session)
    kept = steps.read_kept(desk.signer, signed.paper, sheet.steps)
    masks = None if receipt is None else _proven_masks(desk, card, signed, sheet, prediction, receipt)
    if masks is None:
        masks, prediction = _closed_steps(desk, card, signed, kept, prediction, now_ms)
    given = calls.hand_in(desk.gateway, desk.signer, card, signed, masks, prediction, now_ms, receipt)
    return given if _is_whole(given) else _receipt_from_tables(desk, signed, session)


def _proven_masks(
    desk: Desk, card: RoundCard, signed: SignedPaper, sheet: Sheet, prediction: int | None, receipt: str
) -> list[int] | None:
    """The sheet's own answers, if a receipt proves that they are those of the record that gave it."""
    try:
        masks = _masks(desk, card, signed.paper, sheet)
    except (InvalidAnswers, Refusal):
        # Which questions are on the paper is not told to somebody who guesses.
        return None
    proven = desk.signer.proven_time(signed, calls.sheet_bytes(masks, prediction), receipt)
    return None if proven is None else masks


def _closed_steps(
    desk: Desk, card: RoundCard, signed: SignedPaper, kept: Steps | None, prediction: int | None, now_ms: int
) -> tuple[list[int], int | None]:
    """What was answered, and no more from now on: a step beside the hand-in can't be told that it counts."""
    try:
        closed = steps.step(desk.gateway, card, signed, now_ms, Act.CLOSE, kept=kept).steps
    except PaperExpired:
        # Nothing was answered in time; the hand-in says what the round's late rule makes of that.
        closed = None
    if closed is None:
        return [0] * len(signed.paper.questions), prediction
    return closed.masks, closed.prediction if prediction is None and closed.prediction >= 0 else prediction


def _receipt_from_tables(desk: Desk, signed: SignedPaper, session: SessionMaker) -> Receipt:
    paper = signed.paper
    key = (paper.round_id, paper.participant, paper.issuer, paper.attempt)
    try:
        entry = session().get(Entry, key)
    except (OperationalError, PoolTimeout) as error:
        raise IntakeUnavailable(f"receipt from the tables: {error}") from error
    if entry is None:
        raise PaperExpired
    received = to_ms(entry.received_at)
    proof = desk.signer.proof(signed, calls.sheet_bytes(read_masks(entry.answers), entry.prediction), received)
    return Receipt(f"{desk.signer.identity(signed)}-{proof}", received, first=False)


def read_masks(packed: bytes) -> list[int]:
    """Two bytes for each question, as the tables keep questions and answers."""
    return [int.from_bytes(packed[place : place + 2]) for place in range(0, len(packed), 2)]


def ids_of(bank: FrozenBank, places: list[int], turns: list[int], masks: list[int]) -> dict[str, list[str]]:
    """Bit masks back to the ids of the paper; unanswered questions are left out."""
    chosen = {}
    for place, turn, mask in zip(places, turns, masks, strict=True):
        if mask:
            turned = bank.option_bits[place]
            bits = turned[turn % len(turned)]
            chosen[bank.questions[place].id] = [option for option, bit in bits.items() if mask & bit]
    return chosen
