"""The hot path: a paper out, drafts and sheets in. No SQL, no session, no template, no encoder on the way."""

from __future__ import annotations

import msgspec

from quiz.application import Finished
from quiz.blueprints.api import blueprint, contest_slug, edge
from quiz.blueprints.api.edge import Whole
from quiz.clock import iso_ms
from quiz.extensions import db
from quiz.intake.calls import Starter
from quiz.services import papers
from quiz.services.papers import Sheet

CHANNEL = "api"
MAX_SEQ = 2**53 - 1


class Nothing(msgspec.Struct):
    pass


class DraftBody(msgspec.Struct):
    answers: dict[str, list[str]] | None = None
    paper: str | None = None
    prediction: Whole | None = None
    seq: Whole | None = None
    steps: str | None = None


class EntryBody(msgspec.Struct):
    answers: dict[str, list[str]] | None = None
    paper: str | None = None
    prediction: Whole | None = None
    receipt: str | None = None
    steps: str | None = None


_nothing = msgspec.json.Decoder(Nothing)
_draft = msgspec.json.Decoder(DraftBody)
_entry = msgspec.json.Decoder(EntryBody)


@blueprint.post("/rounds/<int:number>/papers")
def start(number: int) -> Finished:
    now = edge.now_ms()
    edge.read_if_any(_nothing)
    who = edge.signed_in(now)
    desk = edge.desk()
    card = papers.round_of(desk.seasons.get(), contest_slug(), number)
    starter = Starter(who.user, who.unit, who.auth_epoch, channel=CHANNEL)
    started = papers.start(desk, card, starter, now, db.session)
    return edge.raw(papers.paper_json(desk, card, started, now), 201 if started.opened else 200)


@blueprint.put("/papers/draft")
def keep_draft() -> Finished:
    now = edge.now_ms()
    body = edge.read(_draft)
    sheet = Sheet(body.paper, body.answers, edge.whole(body.prediction, "prediction"), body.steps)
    seq = edge.whole(body.seq, "seq", high=MAX_SEQ) or 0
    papers.keep_draft(edge.desk(), sheet, seq, _owner(now), now)
    return edge.DONE


@blueprint.post("/entries")
def hand_in() -> Finished:
    now = edge.now_ms()
    body = edge.read(_entry)
    sheet = Sheet(body.paper, body.answers, edge.whole(body.prediction, "prediction"), body.steps)
    receipt = papers.hand_in(edge.desk(), sheet, body.receipt, _owner(now), now, db.session)
    text = f'{{"receipt":"{receipt.text}","received_at":"{iso_ms(receipt.received)}"}}'
    return edge.raw(text.encode(), 202 if receipt.first else 200)


def _owner(now: int) -> int | None:
    claims = edge.holder(now)
    return None if claims is None else claims.user
