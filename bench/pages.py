"""The pages and documents of the boards with a whole contest stored: how long the server takes for each."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterable
from pathlib import Path
from statistics import quantiles

from sqlalchemy import text

from bench import lab as laboratory
from bench import stored
from bench.lab import Lab
from bench.results import Figures
from quiz import clock
from scoring import boards

ASKED = 300
PAGES = (
    "/api/v1/boards/units?level=province",
    "/api/v1/boards/units?level=commune",
    "/api/v1/boards/units?round={number}&level=commune&parent=01",
    "/api/v1/boards/participants?round={number}",
    "/api/v1/boards/participants?round={number}&unit=01",
    "/boards?round={number}",
    "/boards?round={number}&parent=01",
    "/boards/people?round={number}",
    "/boards?round={number}&asked={asked}",
    "/boards?round={number}&parent=01&asked={asked}",
    "/boards/people?round={number}&asked={asked}",
)
"""What is asked of the boards, `number` being the largest stored round's.

Pages are kept for a second; `asked`, another each time, makes an address of its own: that page is rendered for whom it
is sent to.
"""


def run() -> Figures:
    with laboratory.lab() as lab:
        stored.season(lab, full=True)
        with lab.app.app_context():
            return measure(lab, stored.largest_round(lab)[0])


def measure(lab: Lab, round_id: int) -> Figures:
    """The slowest page's p99 on the server: what its own access lines say of each request."""
    number = lab.session.scalar(text("SELECT number FROM round WHERE id = :id"), {"id": round_id})
    began = time.monotonic()
    boards.rebuild_all(lab.session, lab.platform.cache, clock.now())
    lab.session.rollback()
    rebuilt = time.monotonic() - began
    slowest = 0.0
    with laboratory.web(lab, ready="/api/v1/contest") as (ours, _):
        log = lab.var / "log" / f"web-{ours.rpartition(':')[2]}.log"
        for path in PAGES:
            _ask(ours, [path.format(number=number, asked=f"w{turn}") for turn in range(20)])
            _lines_written(log)
            before = log.stat().st_size
            _ask(ours, [path.format(number=number, asked=turn) for turn in range(ASKED)])
            _lines_written(log)
            percentiles = quantiles(_served_ms(log, before), n=100)
            p50, p99 = percentiles[49], percentiles[98]
            print(f"  {path.format(number=number, asked='…')}: median {p50:.1f} ms, p99 {p99:.1f} ms", flush=True)
            slowest = max(slowest, p99)
    return {"board_pages_p99_ms": round(slowest, 1), "boards_rebuild_seconds": round(rebuilt, 1)}


def _ask(address: str, paths: Iterable[str]) -> None:
    """One request after the other: with the cores all taken the time of a page would be that of a queue."""
    connection = http.client.HTTPConnection(address.removeprefix("http://"))
    for path in paths:
        connection.request("GET", path)
        connection.getresponse().read()
    connection.close()


def _lines_written(log: Path) -> None:
    """Until the workers, which write once a second, have written their last lines."""
    size, until = -1, time.monotonic() + 30
    while size != log.stat().st_size and time.monotonic() < until:
        size = log.stat().st_size
        time.sleep(1.5)


def _served_ms(log: Path, offset: int) -> list[float]:
    with log.open("rb") as lines:
        lines.seek(offset)
        found = [json.loads(line) for line in lines if b'"event":"request"' in line]
    if any(line["status"] != 200 for line in found):
        raise RuntimeError(f"boards answered {sorted({line['status'] for line in found})}")
    return [line["ms"] for line in found]
