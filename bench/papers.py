"""Papers, tokens and sheets in bulk: each its own participant, opened by the same Lua script as a start."""

from __future__ import annotations

import random
from collections.abc import Iterator

import msgspec

from bench import lab as laboratory
from bench import load
from bench.lab import Lab
from quiz import clock
from quiz.intake import keys
from quiz.intake.draw import draw
from quiz.intake.events import Paper
from quiz.intake.gateway import START
from quiz.intake.season import RoundCard
from quiz.services import bearer
from quiz.services.accounts import Account
from quiz.web import PageSessions, SignedIn

BATCH = 1_000


def opened(lab: Lab, card: RoundCard, participants: range) -> Iterator[tuple[Paper, str]]:
    """Open an attempt for each, a thousand at a time; yields papers and their tokens."""
    held = lab.platform
    client = held.gateway.client
    sha = client.script_load(START.source.decode())
    plan = card.draw_plan()
    for first in range(participants.start, participants.stop, BATCH):
        people = range(first, min(first + BATCH, participants.stop))
        now = clock.to_ms(clock.now())
        pipeline = client.pipeline(transaction=False)
        for person in people:
            shard = keys.shard_of(person, card.shards)
            names = [
                keys.config(card.id, shard), keys.attempts(card.id, shard), keys.open_attempts(card.id, shard),
                keys.drafts(card.id, shard), keys.bars(card.id, shard),
            ]  # fmt: skip
            meta = msgspec.msgpack.encode((laboratory.unit_of(lab, person), 1, None, "api"))
            pipeline.evalsha(sha, len(names), *names, now, person, 0, meta)
        for person, reply in zip(people, pipeline.execute(), strict=True):
            attempt, started, deadline = reply[1:4]
            paper = Paper(
                issuer=0, round_id=card.id, participant=person, attempt=attempt,
                unit=laboratory.unit_of(lab, person), bank=1,
                questions=draw(card.draw_secret, person, attempt, plan), started=started, deadline=deadline,
                channel="api",
            )  # fmt: skip
            yield paper, held.signer.sign_paper(paper)[0]


def sheets(lab: Lab, card: RoundCard, participants: range) -> Iterator[bytes]:
    """Requests that hand in a paper of each participant, answered by chance."""
    chance = random.Random(participants.start)
    for paper, token in opened(lab, card, participants):
        yield load.post("/api/v1/entries", sheet_body(token, paper, chance))


def sheet_body(token: str, paper: Paper, chance: random.Random) -> bytes:
    answers = {str(place + 1): [chance.choice("1234")] for place in paper.questions}
    return msgspec.json.encode({"paper": token, "answers": answers})


def bearer_of(lab: Lab, participant: int) -> str:
    account = Account(
        id=participant, full_name="", unit_id=laboratory.unit_of(lab, participant), role="participant", auth_epoch=0
    )
    return bearer.issue(lab.platform.signer, account, clock.now()).token


def cookie_of(lab: Lab, participant: int) -> str:
    """The session of somebody who is signed in on the pages."""
    serializer = PageSessions().get_signing_serializer(lab.app)
    if serializer is None:
        raise RuntimeError("the application has no secret to sign cookies with")
    unit = {"code": "00004", "name": "Phường Ba Đình", "province_code": "01", "province_name": "Thành phố Hà Nội"}
    who = SignedIn(participant, laboratory.unit_of(lab, participant), 0, "participant", "Nguyễn Văn Thử")
    held = {"_permanent": True, "_user_id": who.get_id(), "_fresh": True, "unit": unit, "csrf_token": "c" * 40}
    return f"{lab.app.config['SESSION_COOKIE_NAME']}={serializer.dumps(held)}"


def starts(lab: Lab, card: RoundCard, participants: range) -> Iterator[bytes]:
    for person in participants:
        headers = {"Authorization": f"Bearer {bearer_of(lab, person)}"}
        yield load.post(f"/api/v1/rounds/{card.number}/papers", b"{}", headers)
