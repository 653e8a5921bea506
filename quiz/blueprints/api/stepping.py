"""Papers whose questions come one by one: the answer to one in, the next one out. No SQL, no session, no template."""

from __future__ import annotations

import msgspec

from quiz.application import Finished
from quiz.blueprints.api import blueprint, edge
from quiz.services import steps


class StepBody(msgspec.Struct):
    paper: str | None = None
    answer: dict[str, list[str]] | None = None
    steps: str | None = None


_step = msgspec.json.Decoder(StepBody)


@blueprint.post("/papers/step")
def step() -> Finished:
    now = edge.now_ms()
    body = edge.read(_step)
    claims = edge.holder(now)
    holder = None if claims is None else claims.user
    desk = edge.desk()
    standing = steps.take(desk, body.paper, body.answer, body.steps, holder, now)
    return edge.raw(steps.step_json(desk, standing, now))
