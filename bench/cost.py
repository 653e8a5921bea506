"""What a request costs in processor time, and in calls of the system: for finding where the time goes.

Processor time is what other programs disturb least, so a change is judged by it first. Each kind of request is driven
in turn, as often as BENCH_TURNS says.
"""

from __future__ import annotations

import os
import re
import resource
import shutil
import subprocess
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

import psutil

from bench import boards as boards_bench
from bench import drain as draining
from bench import lab as laboratory
from bench import load, submit
from bench.load import Load, Split
from bench.results import Figures
from quiz import clock
from scoring import boards

SECONDS = 2
PER_S = 7_000
WARM = 2_000


@dataclass(frozen=True)
class Cost:
    """Of one request. Microseconds but where another unit is named."""

    per_s: float
    p99_ms: float
    web_user: float
    web_system: float
    redis: float
    wrk: float
    batch: float
    """Requests that share one reading of Redis."""
    calls: float
    split: str
    """Of the processor time over the workers, in percent: one sometimes gets all connections."""

    @property
    def whole(self) -> float:
        return self.web_user + self.web_system + self.redis + self.wrk


def run() -> Figures:
    load.ensure_wrk()
    turns = int(os.environ.get("BENCH_TURNS") or "3")
    with laboratory.lab() as lab:
        card = laboratory.open_round(lab, contest := laboratory.add_contest(lab))
        laboratory.publish(lab, contest, [card])
        draining.fill(lab, card, 2_000)
        submit.drain_all(lab, card)
        boards.rebuild_all(lab.session, lab.platform.cache, clock.now())
        lab.session.rollback()
        with (
            laboratory.web(lab, "bench.bare:app", ready="/") as (bare, bare_master),
            laboratory.web(lab, ready="/api/v1/contest") as (ours, master),
        ):
            redis = psutil.Process(lab.servers.redis.pid)
            client = lab.platform.gateway.client
            path = ours + boards_bench.PATH
            with urllib.request.urlopen(path) as answer:  # noqa: S310 - our own http address
                condition = {"If-None-Match": answer.headers["ETag"]}
            people = 100_000

            def next_people(count: int) -> range:
                nonlocal people
                people += count
                return range(people - count, people)

            kinds: dict[str, Callable[[], Cost]] = {
                "bare": lambda: cost(bare_master, redis, client, lambda: load.repeat(bare + "/", SECONDS)),
                "hand_in": lambda: replayed(submit.sheets(lab, card, next_people(SECONDS * PER_S))),
                "paper": lambda: replayed(submit.starts(lab, card, next_people(SECONDS * PER_S))),
                "boards": lambda: cost(master, redis, client, lambda: load.repeat(path, SECONDS)),
                "boards_304": lambda: cost(
                    master, redis, client, lambda: load.repeat(path, SECONDS, headers=condition)
                ),
            }

            def replayed(prefix: object) -> Cost:
                return cost(master, redis, client, lambda: submit.replay(ours, prefix, SECONDS))  # type: ignore[arg-type]

            load.repeat(bare + "/", 1)
            load.replay_all(ours, submit.sheets(lab, card, next_people(WARM)))
            seen: dict[str, list[Cost]] = {name: [] for name in kinds}
            wanted = (os.environ.get("BENCH_KINDS") or " ".join(kinds)).split()
            for _ in range(turns):
                for name in wanted:
                    seen[name].append(kinds[name]())
                    _say(name, seen[name][-1])
            return _figures({name: costs for name, costs in seen.items() if costs})


def cost(master: psutil.Process, redis: psutil.Process, client: Any, drive: Callable[[], Load]) -> Cost:
    workers = master.children()
    before = [worker.cpu_times() for worker in workers]
    reads = _reads(client)
    redis_split, split = Split(redis, alone=True), Split(master)
    wrk = resource.getrusage(resource.RUSAGE_CHILDREN)
    with _Calls([worker.pid for worker in workers]) as calls:
        found = drive()
    after = [worker.cpu_times() for worker in workers]
    wrk_after = resource.getrusage(resource.RUSAGE_CHILDREN)
    each = 1e6 / found.requests
    return Cost(
        per_s=found.per_s,
        p99_ms=found.p99_ms,
        web_user=sum(b.user - a.user for a, b in zip(before, after, strict=True)) * each,
        web_system=sum(b.system - a.system for a, b in zip(before, after, strict=True)) * each,
        redis=sum(redis_split.seconds()) * each,
        wrk=(wrk_after.ru_utime + wrk_after.ru_stime - wrk.ru_utime - wrk.ru_stime) * each,
        batch=found.requests / max(1, _reads(client) - reads),
        calls=calls.count / found.requests,
        split=split.text(),
    )


def _reads(client: Any) -> int:
    return int(client.info("stats")["total_reads_processed"])


class _Calls:
    """Calls of the system by these processes, as perf counts them; 0 where perf may not."""

    def __init__(self, pids: list[int]) -> None:
        self._pids = ",".join(map(str, pids))
        self._perf: subprocess.Popen[str] | None = None
        self.count = 0

    def __enter__(self) -> _Calls:
        if shutil.which("perf") and os.geteuid() == 0 and os.environ.get("BENCH_CALLS"):
            self._perf = subprocess.Popen(
                ["perf", "stat", "-x,", "-e", "raw_syscalls:sys_enter", "-p", self._pids],
                stderr=subprocess.PIPE, text=True,
            )  # fmt: skip
        return self

    def __exit__(self, *_: object) -> None:
        if self._perf is not None:
            self._perf.send_signal(2)
            said = self._perf.communicate()[1]
            found = re.search(r"^(\d+),.*sys_enter", said, re.MULTILINE)
            self.count = int(found[1]) if found else 0


def _say(name: str, one: Cost) -> None:
    print(
        f"  {name:<10} {one.per_s:>6,.0f}/s p99 {one.p99_ms:>4.0f} ms  {one.whole:>4.0f} us = web {one.web_user:.0f} + "
        f"{one.web_system:.0f} system, redis {one.redis:.0f}, wrk {one.wrk:.0f};  {one.batch:.1f} a batch, "
        f"{one.calls:.1f} calls, workers {one.split}",
        flush=True,
    )


def _figures(seen: dict[str, list[Cost]]) -> Figures:
    figures: Figures = {}
    for name, costs in seen.items():
        figures[f"cost_{name}_us"] = round(median(one.whole for one in costs))
        if name != "bare" and "bare" in seen:
            pairs = zip(costs, seen["bare"], strict=True)
            figures[f"cost_{name}_ratio"] = round(median(bare.per_s / one.per_s for one, bare in pairs) ** -1, 3)
            pairs = zip(costs, seen["bare"], strict=True)
            figures[f"cost_{name}_us_ratio"] = round(median(bare.whole / one.whole for one, bare in pairs), 3)
    return figures
