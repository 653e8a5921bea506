"""The common start: journeys as phones make them (page, start, three drafts, hand-in), each on a connection of its own,
333 begun a second whatever became of those before. Somebody signed in looks at the home page, begins, taps, hands in;
when the door tells them to wait, they wait as long as they are told and ask again with their ticket.
"""

from __future__ import annotations

import random
from collections.abc import Generator, Iterator, Mapping

import msgspec

from bench import lab as laboratory
from bench import load, papers, submit
from bench.lab import Lab
from bench.phones import Answer, Ask, Crowd, Journey
from bench.results import Figures
from bench.scale import sized
from quiz.intake.season import RoundCard

JOURNEYS, SECONDS = 20_000, 60.0
DRAFTS = 3
PATIENCE = 120.0
"""Seconds after the last beginning until a run is given up."""


def run() -> Figures:
    journeys = sized(JOURNEYS, 500)
    seconds = SECONDS * journeys / JOURNEYS
    with laboratory.lab() as lab:
        contest = laboratory.add_contest(lab)
        card = laboratory.open_round(lab, contest)
        laboratory.publish(lab, contest, [card])
        with laboratory.web(lab, ready="/api/v1/contest") as (ours, _), laboratory.scoring(lab):
            people = list(everybody(lab, card, range(1, journeys + 1)))
            begun = ((number * seconds / journeys, each) for number, each in enumerate(people))
            seen = Crowd(ours).run(begun, seconds + PATIENCE)
        submit.check(lab, card)
        handed_in = seen.ended.get("hand-in", [])
        return {
            "start_journeys": len(handed_in),
            "start_journeys_wanted_per_s": round(journeys / seconds),
            "start_journeys_per_s": round(len(handed_in) / max(handed_in, default=1.0)),
            "start_first_answer_ms": round(1000 * seen.took["page"][0], 1),
            "start_page_p99_ms": round(seen.percentile_ms("page", 0.99), 1),
            "start_p50_ms": round(seen.percentile_ms("start", 0.5), 1),
            "start_p99_ms": round(seen.percentile_ms("start", 0.99), 1),
            "start_draft_p99_ms": round(seen.percentile_ms("draft", 0.99), 1),
            "start_hand_in_p99_ms": round(seen.percentile_ms("hand-in", 0.99), 1),
            "start_waited": seen.with_status(lambda status: status == 429),
            "start_5xx": seen.with_status(lambda status: status >= 500),
            "start_broken": seen.broken,
        }


def everybody(lab: Lab, card: RoundCard, people: range) -> Iterator[Journey]:
    chance = random.Random(1)
    for person in people:
        yield journey(papers.bearer_of(lab, person), papers.cookie_of(lab, person), card, chance)


def journey(token: str, cookie: str, card: RoundCard, chance: random.Random) -> Journey:
    yield Ask("page", load.get("/", {"Cookie": cookie}))
    yield from paper(token, card, chance)


def paper(token: str, card: RoundCard, chance: random.Random) -> Journey:
    """From the start to the hand-in."""
    answer = yield from begin(token, card)
    if answer.status not in (200, 201):
        return
    drawn = msgspec.json.decode(answer.body)
    answers = {q["id"]: [chance.choice(q["options"])["id"]] for q in drawn["questions"]}
    body = {"paper": drawn["paper"], "answers": answers}
    for seq in range(1, DRAFTS + 1):
        yield Ask("draft", load.post("/api/v1/papers/draft", msgspec.json.encode({**body, "seq": seq}), method="PUT"))
    yield Ask("hand-in", load.post("/api/v1/entries", msgspec.json.encode(body)))


def begin(token: str, card: RoundCard) -> Generator[Ask, Answer, Answer]:
    """Start, and as often as one is told to wait, wait and ask again."""
    headers: Mapping[str, str] = {"Authorization": f"Bearer {token}"}
    path = f"/api/v1/rounds/{card.number}/papers"
    answer = yield Ask("start", load.post(path, b"{}", headers))
    while answer.status == 429:
        headers = {**headers, "X-Waiting-Ticket": answer.header(b"x-waiting-ticket") or ""}
        pause = float(answer.header(b"retry-after") or 1)
        answer = yield Ask("again", load.post(path, b"{}", headers), pause)
    return answer
