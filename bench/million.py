"""A million entries (BENCH_SCALE of them): each drawn, handed in, scored and on the boards, over HTTP.

Rounds of papers: a block of participants draws its papers through the API, then hands them in, while workers drain
and write the boards. Tokens come back through the API's answers, as a phone gets them.
"""

from __future__ import annotations

import itertools
import resource
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from typing import Any, NamedTuple

import msgspec
import psutil
from redis import Redis

from bench import lab as laboratory
from bench import load, papers, submit
from bench.lab import Lab
from bench.results import Figures
from bench.scale import sized
from quiz.extensions import connect
from quiz.intake import boards as board_contract
from quiz.intake import keys
from quiz.intake.season import RoundCard

BLOCK = 100_000
CONNECTIONS = 128
"""A million people in ten minutes hold more of them open; the other parts keep to the 64 that their lines ask for. The
more requests are in flight, the more of them share a round trip and a sync."""
THREADS = 1
"""Of wrk's: one that finds more answers at a time takes less of the two cores than two do."""
DRAINED_SECONDS = 120.0
LOOK_SECONDS = 0.2
MEMORY_EVERY = 10
"""Looks: to find the processes takes a hundred times as long as to ask how old the boards are."""


def run() -> Figures:
    load.ensure_wrk()
    entries = sized(1_000_000, 5_000)
    with laboratory.lab() as lab:
        contest = laboratory.add_contest(lab)
        card = laboratory.open_round(lab, contest)
        laboratory.publish(lab, contest, [card])
        # PostgreSQL ends sessions that stand idle in a transaction for ten minutes; this one is used again at the end.
        lab.session.rollback()
        before = _redis_bytes(lab)
        wall = time.monotonic()
        with laboratory.web(lab, ready="/api/v1/contest") as (ours, master), laboratory.scoring(lab) as parts:
            watch = Watch(lab, card, master, parts)
            spent = Spent(lab, master, parts)
            watch.start()
            seconds, waits = 0.0, []
            for first in range(1, entries + 1, BLOCK):
                block = _block(lab, card, ours, range(first, min(first + BLOCK, entries + 1)))
                seconds += block.seconds
                waits.append(block.hand_in_p99_ms)
                print(f"  {first + BLOCK - 1:,} entries, {seconds:.0f} s", flush=True)
            began = time.monotonic()
            _await_boards(lab, card, entries)
            seconds += time.monotonic() - began
            wall = time.monotonic() - wall
            watch.stop()
            attempt = (_redis_bytes(lab) - before) / entries
            processor = {**spent.figures(entries), "million_watch_us": round(watch.seconds * 1e6 / entries)}
        submit.check(lab, card)
        return {
            "million_entries": entries,
            "million_connections": CONNECTIONS,
            "million_seconds": round(seconds, 1),
            "million_wall_seconds": round(wall, 1),
            "million_entries_per_s": round(entries / seconds),
            "million_hand_in_p99_ms": round(median(waits), 1),
            **watch.figures(),
            **processor,
            "redis_bytes_per_attempt": round(attempt),
        }


class Block(NamedTuple):
    """What drawing and handing in took. What the load generator prepares in between is not counted."""

    seconds: float
    hand_in_p99_ms: float


def _block(lab: Lab, card: RoundCard, address: str, people: range) -> Block:
    starts, sheets = lab.var / "starts", lab.var / "sheets"
    load.write_requests(starts, papers.starts(lab, card, people), THREADS)
    _, drawing = _all(address, starts)
    # The attempts are open now: asking again gives the papers that the answers above gave.
    load.write_requests(sheets, papers.sheets(lab, card, people), THREADS)
    seen, handing_in = _all(address, sheets)
    return Block(drawing + handing_in, seen.p99_ms)


def _all(address: str, requests: Path) -> tuple[load.Load, float]:
    """What was seen, and how many seconds it took."""
    seen, seconds = load.replay_all(address, requests, connections=CONNECTIONS, threads=THREADS)
    if seen.bad_status or seen.broken:
        raise RuntimeError(f"{seen.bad_status} answers were refusals, {seen.broken} connections broke")
    return seen, seconds


def _await_boards(lab: Lab, card: RoundCard, entries: int) -> None:
    """Until the board of the provinces shows every entry."""
    until = time.monotonic() + DRAINED_SECONDS
    shown = 0
    while time.monotonic() < until:
        shown = sum(row["entries"] for row in _board(lab.platform.cache, card)["rows"])
        if shown == entries:
            return
        time.sleep(0.1)
    raise RuntimeError(f"the board shows {shown} of {entries} entries")


def _board(cache: Redis, card: RoundCard) -> dict[str, Any]:
    scope = board_contract.round_scope(card.id)
    document = board_contract.read_document(cache, scope, board_contract.PROVINCES)
    return {"rows": [], "as_of": None} if document is None else msgspec.json.decode(document.body)


def _redis_bytes(lab: Lab) -> int:
    return int(lab.platform.gateway.client.info("memory")["used_memory"])


class Spent:
    """Processor time of the parts of the stack, and of the load generator with what it prepares."""

    def __init__(self, lab: Lab, web: psutil.Process, parts: list[psutil.Process]) -> None:
        self._parts = {
            "web": [web],
            "redis": [psutil.Process(lab.servers.redis.pid)],
            "cache": [psutil.Process(lab.servers.cache.pid)],
            "scoring": parts,
            "postgres": [psutil.Process(lab.servers.postgres.pid)],
        }
        self._before = self._seconds()

    def _seconds(self) -> dict[str, float]:
        used = {name: sum(map(_of_tree, parts)) for name, parts in self._parts.items()}
        wrk = resource.getrusage(resource.RUSAGE_CHILDREN)
        return {**used, "load": wrk.ru_utime + wrk.ru_stime}

    def figures(self, entries: int) -> Figures:
        each = 1e6 / entries
        return {
            f"million_{name}_us": round((seconds - self._before[name]) * each)
            for name, seconds in self._seconds().items()
        }


def _of_tree(process: psutil.Process) -> float:
    """Seconds of a process and all below it, those that have ended included."""
    used = 0.0
    for one in (process, *process.children(recursive=True)):
        try:
            times = one.cpu_times()
        except psutil.NoSuchProcess:
            # It ended between listing and looking: its parent has its time.
            continue
        used += float(times.user + times.system + times.children_user + times.children_system)
    return used


@dataclass
class Watch:
    """Looks on: how old the boards are, how much memory is held."""

    lab: Lab
    card: RoundCard
    web: psutil.Process
    parts: list[psutil.Process]
    ages: list[float] = field(default_factory=list)
    web_rss: float = 0.0
    drain_rss: float = 0.0
    seconds: float = 0.0
    """Of processor time that looking on took: the stack had to do without it."""

    def __post_init__(self) -> None:
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._end.set()
        self._thread.join()

    def _look(self) -> None:
        """A board's age: for how long something accepted has not been on it."""
        intake = connect(self.lab.stack.environment["INTAKE_REDIS_URL"])
        cache = connect(self.lab.stack.environment["CACHE_REDIS_URL"])
        missing_since: list[tuple[int, float]] = []
        for number in itertools.count():
            if self._end.wait(LOOK_SECONDS):
                break
            now = time.monotonic()
            accepted = self._accepted(intake)
            shown = sum(row["entries"] for row in _board(cache, self.card)["rows"])
            missing_since.append((accepted, now))
            while missing_since and missing_since[0][0] <= shown:
                missing_since.pop(0)
            self.ages.append(now - missing_since[0][1] if missing_since else 0.0)
            if number % MEMORY_EVERY == 0:
                self._look_at_memory()
        self.seconds = time.thread_time()

    def _accepted(self, redis: Redis) -> int:
        """Entries taken so far: what waits in the streams and what was taken off them."""
        pipeline = redis.pipeline(transaction=True)
        for shard in range(self.card.shards):
            pipeline.xlen(keys.entries(self.card.id, shard))
        pipeline.hvals(keys.DRAINED)
        *waiting, drained = pipeline.execute()
        return int(sum(waiting) + sum(map(int, drained)))

    def _look_at_memory(self) -> None:
        self.web_rss = max([self.web_rss, *(laboratory.rss_mb(worker) for worker in self.web.children())])
        for part in self.parts:
            try:
                for child in part.children(recursive=True):
                    self.drain_rss = max(self.drain_rss, laboratory.rss_mb(child))
            except psutil.NoSuchProcess:
                # A work-horse ended between listing and looking.
                continue

    def figures(self) -> Figures:
        ordered = quantiles(self.ages, n=100)
        return {
            "boards_age_p50_s": round(ordered[49], 2),
            "boards_age_p99_s": round(ordered[98], 2),
            "boards_age_max_s": round(max(self.ages), 2),
            "web_rss_mb": round(self.web_rss, 1),
            "drain_rss_mb": round(self.drain_rss, 1),
        }
