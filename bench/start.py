"""The common start: journeys as a phone makes them (page, start, three drafts, hand-in), all at once.

wrk keeps no state between answers, so the requests of a journey belong to two people: one whose paper is drawn now,
and one whose paper was drawn before the run, who keeps drafts and hands in. The mix is that of real journeys.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from bench import lab as laboratory
from bench import load, papers, submit
from bench.lab import Lab
from bench.results import Figures
from bench.scale import sized
from quiz.intake.season import RoundCard

CONNECTIONS = 512
DRAFTS = 3


def run() -> Figures:
    load.ensure_wrk()
    journeys = sized(20_000, 500)
    with laboratory.lab() as lab:
        contest = laboratory.add_contest(lab)
        card = laboratory.open_round(lab, contest)
        laboratory.publish(lab, contest, [card])
        with laboratory.web(lab, ready="/api/v1/contest") as (ours, _), laboratory.scoring(lab):
            prefix = lab.var / "journeys"
            load.write_requests(prefix, _requests(lab, card, journeys))
            seen, seconds = load.replay_all(ours, prefix, connections=CONNECTIONS)
        submit.check(lab, card)
        return {
            "start_journeys": journeys,
            "start_seconds": round(seconds, 1),
            "start_journeys_per_s": round(journeys / seconds),
            "start_p50_ms": round(seen.p50_ms, 1),
            "start_p99_ms": round(seen.p99_ms, 1),
            "start_refused": seen.bad_status,
            "start_broken": seen.broken,
        }


def _requests(lab: Lab, card: RoundCard, journeys: int) -> Iterator[bytes]:
    chance = random.Random(1)
    begun = papers.opened(lab, card, range(1, journeys + 1))
    for starts, (paper, token) in zip(
        papers.starts(lab, card, range(journeys + 1, 2 * journeys + 1)), begun, strict=True
    ):
        yield load.get("/")
        yield starts
        body = papers.sheet_body(token, paper, chance)
        for _ in range(DRAFTS):
            yield load.post("/api/v1/papers/draft", body, method="PUT")
        yield load.post("/api/v1/entries", body)
