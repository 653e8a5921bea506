"""A paper whose questions come one by one, each with its own seconds: what was answered stands in the attempt's record.

Such a paper's token names no questions, so that nobody reads in it what comes next; the server draws them again. The
record says which question is asked, since when, how much of the grace late answers have taken, and the answers; the
same answers are kept as the attempt's draft, so the sweeper hands them in like any other.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import msgspec

from quiz.intake import keys
from quiz.intake.calls import Started, meta_of
from quiz.intake.counts import COUNTS
from quiz.intake.draw import draw
from quiz.intake.errors import InvalidAnswers, PaperExpired
from quiz.intake.events import Paper, encode_paper, event_head
from quiz.intake.gateway import Gateway, Script
from quiz.intake.season import RoundCard, Season
from quiz.intake.signing import SignedPaper, Signer

STEP = Script("step")
_PURPOSE = b"steps"
UNFIT = -1
"""In the place of a bit mask: the answer does not fit its question."""


class Act(StrEnum):
    LOOK = "look"
    """Changes nothing, whatever the clock says."""
    STEP = "step"
    """Takes the answer, or goes on from a question whose time is over."""
    NOTE = "note"
    """Keeps the prediction."""
    CLOSE = "close"
    """Takes no more answers."""


class Steps(msgspec.Struct, array_like=True, frozen=True):
    """How far a paper has come, as the record keeps it."""

    number: int
    """Of the question that is asked, from 1; one more than there are: all were asked."""
    since: int
    """When it was given, in ms."""
    spent: int
    """ms of the grace that answers after their seconds have taken."""
    masks: list[int]
    """Answers as bit masks in the paper's order, 0: unanswered."""
    prediction: int = -1
    """-1: none."""


class _Kept(msgspec.Struct, array_like=True, frozen=True):
    """What a client keeps for the case that the record is lost: whose steps, of which start, and the steps."""

    round_id: int
    participant: int
    issuer: int
    attempt: int
    started: int
    steps: Steps


@dataclass(frozen=True, slots=True)
class Answered:
    number: int = 0
    """Place on the paper, from 1; 0: nothing is answered."""
    mask: int = 0
    wrong: InvalidAnswers | None = None
    """With `UNFIT`: what is wrong, said only if this question is the one that is asked."""


NOTHING = Answered()


@dataclass(frozen=True, slots=True)
class Asked:
    """What the record says after a step."""

    steps: Steps | None
    """None: the paper was handed in, and its receipt is to be had by handing it in again."""
    ends: int
    """ms: until then the question can be answered, or, when all were asked, the sheet be handed in."""
    late: bool
    """Also the grace of the question that is asked is over: an answer to it would not count."""

    @property
    def number(self) -> int | None:
        """Of the question that is asked, from 1; None: there is none any more."""
        if self.steps is None or self.steps.number > len(self.steps.masks):
            return None
        return self.steps.number


_pack = msgspec.msgpack.encode
_steps_decoder = msgspec.msgpack.Decoder(Steps)
_kept_decoder = msgspec.msgpack.Decoder(_Kept)


def seconds_of(card: RoundCard) -> int | None:
    """Seconds a question; None: the paper has one time for all its questions."""
    seconds: int | None = card.rules.get("seconds_per_question")
    return seconds


def without_questions(signer: Signer, started: Started) -> Started:
    """The same start with a token that does not say which questions will come."""
    token, _ = signer.sign_paper(msgspec.structs.replace(started.paper, questions=[]))
    return Started(token, started.paper, started.opened, started.attempts_left)


def whole(card: RoundCard, season: Season, signed: SignedPaper) -> SignedPaper:
    """The paper with its questions, drawn again: what its draft, its entry and its receipt are made of."""
    paper = signed.paper
    questions = draw(card.draw_secret, paper.participant, paper.attempt, season.draw_plans[card.id])
    paper = msgspec.structs.replace(paper, questions=questions)
    return SignedPaper(signed.key_id, encode_paper(paper), paper)


def step(
    gateway: Gateway,
    card: RoundCard,
    signed: SignedPaper,
    now: int,
    act: Act = Act.STEP,
    *,
    answered: Answered = NOTHING,
    kept: Steps | None = None,
    prediction: int | None = None,
) -> Asked:
    """Do one thing to the steps of a paper and say where it stands; one Lua call, safe to repeat.

    Args:
        signed: the whole paper, of a round with seconds a question.
        kept: what the client brought (`read_kept`); used only where the record is lost.

    Raises:
        InvalidAnswers: a question that was not asked yet, or `UNFIT` for the one that is.
        PaperExpired: the time of the whole paper is over, and nothing was answered.
        IntakeUnavailable.
    """
    paper = signed.paper
    each = (seconds_of(card) or 0) * 1000
    reply = gateway.call(STEP, _names(card, paper), _arguments(signed, each, now, act, answered, kept, prediction))
    outcome = reply[0]
    if outcome == b"expired":
        raise PaperExpired
    if outcome == b"unfit" and answered.wrong is not None:
        raise answered.wrong
    if outcome in (b"ahead", b"unfit"):
        # The same words for a question of the paper that comes later and for one that never comes.
        raise InvalidAnswers("answer", "unknown_question")
    if outcome == b"handed":
        return Asked(None, now, late=False)
    if act is Act.STEP:
        COUNTS["steps"] += 1
    steps = _steps_decoder.decode(reply[2])
    if outcome == b"over":
        all_asked = msgspec.structs.replace(steps, number=len(steps.masks) + 1)
        return Asked(all_asked, reply[1], late=False)
    return _asked(steps, reply[1], card.grace, each, now)


def _asked(steps: Steps, deadline: int, grace: int, each: int, now: int) -> Asked:
    """What is asked after the paper's own deadline has its seconds as far as the grace reaches."""
    ends = min(steps.since + each, deadline + grace)
    if steps.number > len(steps.masks):
        return Asked(steps, max(ends, deadline), late=False)
    return Asked(steps, ends, late=now > steps.since + each + grace - steps.spent)


def _names(card: RoundCard, paper: Paper) -> list[str]:
    shard = keys.shard_of(paper.participant, card.shards)
    return [
        keys.config(card.id, shard),
        keys.attempts(card.id, shard),
        keys.open_attempts(card.id, shard),
        keys.drafts(card.id, shard),
    ]


def _arguments(
    signed: SignedPaper, each: int, now: int, act: Act, answered: Answered, kept: Steps | None, prediction: int | None
) -> list[int | str | bytes]:
    paper = signed.paper
    return [
        paper.participant,
        paper.attempt,
        now,
        act.value,
        paper.started,
        paper.deadline,
        len(paper.questions),
        each,
        answered.number,
        answered.mask,
        signed.key_id,
        event_head(signed.payload),
        meta_of(paper),
        b"" if kept is None else _pack(kept),
        -1 if prediction is None else prediction,
    ]


# What the client keeps


def seal_kept(signer: Signer, paper: Paper, steps: Steps) -> str:
    """The steps as the client sends them back, signed: with them a paper goes on after Redis lost its record."""
    kept = _Kept(paper.round_id, paper.participant, paper.issuer, paper.attempt, paper.started, steps)
    return signer.seal(_PURPOSE, _pack(kept))


def read_kept(signer: Signer, paper: Paper, sealed: str | None) -> Steps | None:
    """The steps of this very paper; None for anything else, as if nothing was sent."""
    raw = signer.unseal(_PURPOSE, sealed) if sealed else None
    if raw is None:
        return None
    kept = _kept_decoder.decode(raw)
    name = (kept.round_id, kept.participant, kept.issuer, kept.attempt, kept.started)
    mine = (paper.round_id, paper.participant, paper.issuer, paper.attempt, paper.started)
    return kept.steps if name == mine else None
