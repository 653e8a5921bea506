"""The boards as JSON, whole and with a matching ETag, against a bare Flask endpoint; and how old they get."""

from __future__ import annotations

import urllib.request
from statistics import median

from bench import drain as draining
from bench import lab as laboratory
from bench import load, submit
from bench.results import Figures, middle
from bench.scale import sized
from quiz import clock
from scoring import boards

RUNS = 5
PATH = "/api/v1/boards/units?round=1&level=province"


def run() -> Figures:
    load.ensure_wrk()
    seconds = sized(6, 2)
    with laboratory.lab() as lab:
        contest = laboratory.add_contest(lab)
        card = laboratory.open_round(lab, contest)
        laboratory.publish(lab, contest, [card])
        draining.fill(lab, card, sized(50_000, 2_000))
        submit.drain_all(lab, card)
        boards.rebuild_all(lab.session, lab.platform.cache, clock.now())
        lab.session.rollback()
        with (
            laboratory.web(lab, "bench.bare:app", ready="/") as (bare, _),
            laboratory.web(lab, ready=PATH) as (ours, _master),
        ):
            with urllib.request.urlopen(ours + PATH) as answer:  # noqa: S310 - our own http address
                etag = answer.headers["ETag"]
            bares, whole, unchanged = [], [], []
            for _ in range(RUNS):
                bares.append(load.repeat(bare + "/", seconds))
                whole.append(load.repeat(ours + PATH, seconds))
                unchanged.append(load.repeat(ours + PATH, seconds, headers={"If-None-Match": etag}))
            return {
                "bare_flask_per_s": middle([one.per_s for one in bares], 0),
                "boards_per_s": middle([one.per_s for one in whole], 0),
                "boards_ratio": round(median(a.per_s / b.per_s for a, b in zip(whole, bares, strict=True)), 3),
                "boards_p99_ms": middle([one.p99_ms for one in whole]),
                "boards_304_per_s": middle([one.per_s for one in unchanged], 0),
                "boards_304_ratio": round(median(a.per_s / b.per_s for a, b in zip(unchanged, bares, strict=True)), 3),
            }
