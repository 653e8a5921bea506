"""Figures of this process, and how they get to /metrics from all processes.

Every process counts in plain integers and publishes a snapshot to the cache Redis once a second, under a key that
expires; whichever web process is asked for /metrics merges the snapshots of those that are alive. No shared files, and
a process on another machine is seen like one on this. A figure belongs to a process and starts at 0 with it, as
Prometheus expects of counters.
"""

from __future__ import annotations

import os
import resource
import sys
import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator

import msgspec
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector, CollectorRegistry
from redis import Redis
from redis.exceptions import RedisError

from quiz.intake.counts import COUNTS

EVERY_SECONDS = 1.0
KEY = "quiz80:metrics:"
EXPIRES_MS = 5_000

BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Upper ends in seconds; the last bucket has none."""


class Latency:
    """Requests of one endpoint: how many ended in which status, and how long they took."""

    __slots__ = ("buckets", "seconds", "statuses")

    def __init__(self) -> None:
        self.statuses: dict[int, int] = {}
        self.buckets = [0] * (len(BUCKETS) + 1)
        self.seconds = 0.0

    def add(self, status: int, seconds: float) -> None:
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self.buckets[bisect_left(BUCKETS, seconds)] += 1
        self.seconds += seconds


class _Figures:
    def __init__(self) -> None:
        self.since = time.time()
        self.refused: dict[str, int] = {}
        self.endpoints: dict[str, Latency] = {}


_figures = _Figures()


def refused(code: str) -> None:
    """A request was refused with this code of the API contract."""
    _figures.refused[code] = _figures.refused.get(code, 0) + 1


def served(endpoint: str, status: int, seconds: float) -> None:
    latency = _figures.endpoints.get(endpoint)
    if latency is None:
        latency = _figures.endpoints[endpoint] = Latency()
    latency.add(status, seconds)


def _forget() -> None:
    """A forked process begins at 0; what its parent counted, the parent publishes."""
    global _figures  # noqa: PLW0603 - the figures of this process
    _figures = _Figures()
    for name in COUNTS:
        COUNTS[name] = 0


os.register_at_fork(after_in_child=_forget)


# Snapshots


class Requests(msgspec.Struct, array_like=True):
    endpoint: str
    statuses: dict[int, int]
    buckets: list[int]
    seconds: float


class Snapshot(msgspec.Struct):
    """What a process publishes."""

    process: str
    since: float
    intake: dict[str, int]
    refused: dict[str, int]
    requests: list[Requests]
    cpu_seconds: float
    memory_bytes: int


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Snapshot)


def snapshot(process: str) -> Snapshot:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return Snapshot(
        process=process,
        since=_figures.since,
        intake=dict(COUNTS),
        refused=dict(_figures.refused),
        requests=[
            Requests(endpoint, dict(latency.statuses), list(latency.buckets), latency.seconds)
            for endpoint, latency in list(_figures.endpoints.items())
        ],
        cpu_seconds=usage.ru_utime + usage.ru_stime,
        memory_bytes=_resident_bytes(),
    )


def _resident_bytes() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def publish(cache: Redis, process: str) -> None:
    """Raises redis.RedisError."""
    cache.set(KEY + process, _encoder.encode(snapshot(process)), px=EXPIRES_MS)


def published(cache: Redis) -> list[Snapshot]:
    """The snapshots of all processes that are alive. Raises redis.RedisError."""
    names = sorted(cache.scan_iter(match=KEY + "*", count=1_000))
    documents = cache.mget(names) if names else []
    return [_decoder.decode(document) for document in documents if isinstance(document, bytes)]


def published_or_none(cache: Redis) -> list[Snapshot]:
    """The same for a page that has to come also while the cache is away; quiz80_redis_up says so there."""
    try:
        return published(cache)
    except (RedisError, OSError):
        return []


class Beat:
    """A background thread (a greenlet where threading is patched) that does small duties once a second."""

    def __init__(self, duties: Iterable[Callable[[], None]]) -> None:
        self._duties = list(duties)
        self._failing = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="beat", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Do the duties a last time and end."""
        self._stop.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while True:
            ended = self._stop.wait(EVERY_SECONDS)
            self._do_duties()
            if ended:
                return

    def _do_duties(self) -> None:
        failed = ""
        for duty in self._duties:
            try:
                duty()
            except (RedisError, OSError) as error:
                failed = type(error).__name__
        # Only the figures are late; said when it begins and when it ends, not every second.
        if bool(failed) != self._failing:
            self._failing = bool(failed)
            event = "figures_not_published" if failed else "figures_published_again"
            sys.stderr.write(f'{{"level":"warning","event":"{event}","error":"{failed}"}}\n')


# The page


class Gauge(msgspec.Struct):
    """A figure that was read for this page: of the house, not of a process."""

    name: str
    help: str
    values: list[tuple[dict[str, str], float]]
    counter: bool = False
    """True: it only grows."""


def page(snapshots: Iterable[Snapshot], gauges: Iterable[Gauge]) -> bytes:
    """The Prometheus text of everything."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Page(list(snapshots), list(gauges)))
    return generate_latest(registry)


_INTAKE = {
    "started": ("quiz80_attempts_started", "Attempts opened."),
    "papers_again": ("quiz80_papers_again", "Papers given again while their attempt was open."),
    "drafts": ("quiz80_drafts", "Drafts kept."),
    "steps": ("quiz80_steps", "Steps of papers whose questions come one by one."),
    "receipts_again": ("quiz80_receipts_again", "Receipts given again for a paper that was handed in before."),
    "tickets": ("quiz80_waiting_tickets", "Places taken in the line before the door."),
    "let_in": ("quiz80_waiting_let_in", "Requests let in because their ticket was called."),
    "lapsed": ("quiz80_attempts_lapsed", "Attempts whose time was over and that had no draft."),
}
_ACCEPTED = "accepted_"


class _Page(Collector):
    def __init__(self, snapshots: list[Snapshot], gauges: list[Gauge]) -> None:
        self._snapshots = snapshots
        self._gauges = gauges

    def collect(self) -> Iterator[Metric]:
        yield self._accepted()
        for name, (metric, text) in _INTAKE.items():
            family = CounterMetricFamily(metric, text, labels=["process"])
            for held in self._snapshots:
                family.add_metric([held.process], held.intake.get(name, 0))
            yield family
        yield self._refused()
        yield from self._requests()
        yield from self._processes()
        for gauge in self._gauges:
            yield _gauge(gauge)

    def _accepted(self) -> Metric:
        family = CounterMetricFamily(
            "quiz80_entries_accepted",
            "Entries taken: by the person, with a receipt, by the deadline.",
            labels=["process", "by"],
        )
        for held in self._snapshots:
            for name, count in held.intake.items():
                if name.startswith(_ACCEPTED):
                    family.add_metric([held.process, name.removeprefix(_ACCEPTED)], count)
        return family

    def _refused(self) -> Metric:
        family = CounterMetricFamily("quiz80_refused", "Requests refused, by code.", labels=["process", "code"])
        for held in self._snapshots:
            for code, count in sorted(held.refused.items()):
                family.add_metric([held.process, code], count)
        return family

    def _requests(self) -> Iterator[Metric]:
        counted = CounterMetricFamily("quiz80_requests", "Requests answered.", labels=["process", "endpoint", "status"])
        timed = HistogramMetricFamily(
            "quiz80_request_seconds", "Time from a request's arrival to its answer.", labels=["process", "endpoint"]
        )
        ends = [*(str(bucket) for bucket in BUCKETS), "+Inf"]
        for held in self._snapshots:
            for requests in held.requests:
                for status, count in sorted(requests.statuses.items()):
                    counted.add_metric([held.process, requests.endpoint, str(status)], count)
                total = 0
                buckets = []
                for end, count in zip(ends, requests.buckets, strict=True):
                    total += count
                    buckets.append((end, total))
                timed.add_metric([held.process, requests.endpoint], buckets, requests.seconds)
        yield counted
        yield timed

    def _processes(self) -> Iterator[Metric]:
        since = GaugeMetricFamily("quiz80_process_start_time_seconds", "When it began.", labels=["process"])
        cpu = CounterMetricFamily("quiz80_process_cpu_seconds", "Processor time used.", labels=["process"])
        memory = GaugeMetricFamily("quiz80_process_resident_bytes", "Memory held.", labels=["process"])
        for held in self._snapshots:
            since.add_metric([held.process], held.since)
            cpu.add_metric([held.process], held.cpu_seconds)
            memory.add_metric([held.process], held.memory_bytes)
        yield from (since, cpu, memory)


def _gauge(gauge: Gauge) -> Metric:
    labels = list(gauge.values[0][0]) if gauge.values else []
    kind = CounterMetricFamily if gauge.counter else GaugeMetricFamily
    family = kind(gauge.name, gauge.help, labels=labels)
    for names, value in gauge.values:
        family.add_metric([names[label] for label in labels], value)
    return family
