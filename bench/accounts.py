"""Registrations and sign-ins per second, and what a storm of them does to handing in."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from statistics import median

import msgspec
from sqlalchemy import text

from bench import lab as laboratory
from bench import load, submit
from bench.lab import Lab
from bench.load import Load
from bench.results import Figures
from bench.scale import sized
from quiz.intake.season import RoundCard

CONNECTIONS = 32
PER_S = 400
"""More registrations than two cores hash in a second."""
OTHERS = 1_000_000
"""The storm's people are numbered from here on."""
PASSWORD = "benchmark-Password-1946"  # noqa: S105 - of people that do not exist


def run() -> Figures:
    load.ensure_wrk()
    with laboratory.lab() as lab:
        contest = laboratory.add_contest(lab)
        card = laboratory.open_round(lab, contest)
        laboratory.publish(lab, contest, [card])
        with laboratory.web(lab, ready="/api/v1/contest") as (ours, _):
            figures = _alone(lab, ours) | _beside(lab, card, ours)
        submit.check(lab, card)
        return figures


def _alone(lab: Lab, ours: str) -> Figures:
    seconds = sized(10, 4)
    prefix = lab.var / "accounts"
    load.write_requests(prefix, _registrations(lab, range(seconds * PER_S)))
    registered = load.replay(ours, prefix, seconds, connections=CONNECTIONS)
    load.write_requests(prefix, _sign_ins(seconds * PER_S))
    signed = load.replay(ours, prefix, seconds, connections=CONNECTIONS)
    return {
        "registrations_per_s": round(registered.per_s, 1),
        "registrations_refused": registered.bad_status,
        "sign_ins_per_s": round(signed.per_s, 1),
    }


def _beside(lab: Lab, card: RoundCard, ours: str) -> Figures:
    """Handing in alone and beside the storm take turns."""
    seconds, turns = sized(6, 2), sized(7, 3)
    count, per = seconds * PER_S, seconds * submit.PER_S
    prefix = lab.var / "storm"
    calms, storms, registered = [], [], []
    for turn in range(turns):
        first = 1 + 2 * turn * per
        calm = submit.replay(ours, submit.sheets(lab, card, range(first, first + per)), seconds)
        sheets = submit.sheets(lab, card, range(first + per, first + 2 * per))
        load.write_requests(prefix, _registrations(lab, range(OTHERS + turn * count, OTHERS + (turn + 1) * count)))
        storm: list[Load] = []
        beside = threading.Thread(
            target=lambda storm=storm: storm.append(load.replay(ours, prefix, seconds, connections=CONNECTIONS))
        )
        beside.start()
        stormy = submit.replay(ours, sheets, seconds)
        beside.join()
        print(
            f"  hand-in p99 {calm.p99_ms:.0f} ms, beside the storm {stormy.p99_ms:.0f} ms "
            f"({storm[0].per_s:.0f} registrations/s)",
            flush=True,
        )
        calms.append(calm.p99_ms)
        storms.append(stormy.p99_ms)
        registered.append(storm[0].per_s)
    return {
        "calm_submit_p99_ms": round(median(calms), 1),
        "storm_submit_p99_ms": round(median(storms), 1),
        "storm_submit_p99_ratio": round(median(b / a for a, b in zip(calms, storms, strict=True)), 2),
        "storm_registrations_per_s": round(median(registered), 1),
    }


def _registrations(lab: Lab, numbers: range) -> Iterator[bytes]:
    codes = list(lab.session.scalars(text("SELECT code FROM unit WHERE kind = 'commune' AND valid_to IS NULL")))
    for number in numbers:
        body = {
            "phone": _phone(number), "password": PASSWORD, "full_name": "Nguyễn Văn Thử",
            "unit_code": codes[number % len(codes)], "birth_year": 2000, "consent": True,
        }  # fmt: skip
        yield load.post("/api/v1/participants", msgspec.json.encode(body))


def _sign_ins(count: int) -> Iterator[bytes]:
    """Of the people registered first: they are there, however many the run before managed."""
    for number in range(count):
        body = {"phone": _phone(number % 50), "password": PASSWORD}
        yield load.post("/api/v1/tokens", msgspec.json.encode(body))


def _phone(number: int) -> str:
    return f"09{10_000_000 + number}"
