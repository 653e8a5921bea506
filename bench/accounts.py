"""Registrations and sign-ins per second, and what a storm of them does to handing in."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import msgspec
from sqlalchemy import text

from bench import lab as laboratory
from bench import load, submit
from bench.lab import Lab
from bench.load import Load
from bench.results import Figures
from bench.scale import sized

CONNECTIONS = 32
PER_S = 400
"""More registrations than two cores hash in a second."""
PASSWORD = "benchmark-Password-1946"  # noqa: S105 - of people that do not exist


def run() -> Figures:
    load.ensure_wrk()
    seconds = sized(10, 4)
    count = seconds * PER_S
    with laboratory.lab() as lab:
        contest = laboratory.add_contest(lab)
        card = laboratory.open_round(lab, contest)
        laboratory.publish(lab, contest, [card])
        with laboratory.web(lab, ready="/api/v1/contest") as (ours, _):
            per = seconds * submit.PER_S
            calm = submit.replay(ours, submit.sheets(lab, card, range(1, per)), seconds)
            registering, signing_in = lab.var / "registering", lab.var / "signing-in"
            load.write_requests(registering, _registrations(lab, count))
            registered = load.replay(ours, registering, seconds, connections=CONNECTIONS)
            load.write_requests(signing_in, _sign_ins(count))
            signed = load.replay(ours, signing_in, seconds, connections=CONNECTIONS)
            storm: list[Load] = []
            load.write_requests(registering, _registrations(lab, count, first=count))
            prefix = submit.sheets(lab, card, range(per, 2 * per))
            beside = threading.Thread(
                target=lambda: storm.append(load.replay(ours, registering, seconds, connections=CONNECTIONS))
            )
            beside.start()
            stormy = submit.replay(ours, prefix, seconds)
            beside.join()
        submit.check(lab, card)
        return {
            "registrations_per_s": round(registered.per_s, 1),
            "registrations_refused": registered.bad_status,
            "sign_ins_per_s": round(signed.per_s, 1),
            "calm_submit_p99_ms": round(calm.p99_ms, 1),
            "storm_submit_p99_ms": round(stormy.p99_ms, 1),
            "storm_submit_p99_ratio": round(stormy.p99_ms / calm.p99_ms, 2),
            "storm_registrations_per_s": round(storm[0].per_s, 1),
        }


def _registrations(lab: Lab, count: int, first: int = 0) -> Iterator[bytes]:
    codes = list(lab.session.scalars(text("SELECT code FROM unit WHERE kind = 'commune' AND valid_to IS NULL")))
    for number in range(first, first + count):
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
