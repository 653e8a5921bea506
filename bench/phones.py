"""People with phones: each makes several requests one after the other, on a connection of its own, beginning at a
given time whatever became of the others (open loop). wrk keeps nothing between answers, so it can't play them.

One thread with epoll and sockets; a request costs it about 50 µs of a core, which is a part of what is measured.
"""

from __future__ import annotations

import errno
import heapq
import select
import socket
import time
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

Journey = Generator["Ask", "Answer", None]
"""Yields what to ask and is sent what came back."""

_READ = 32_768
_HEAD_END = b"\r\n\r\n"


@dataclass(slots=True)
class Ask:
    """A request, or a pause before the next one."""

    name: str
    request: bytes = b""
    pause: float = 0.0


@dataclass(slots=True)
class Answer:
    status: int
    head: bytes
    body: bytes

    def header(self, name: bytes) -> str | None:
        """Of the last one with this name (lower case)."""
        place = self.head.lower().rfind(b"\r\n" + name + b": ")
        if place < 0:
            return None
        begins = place + len(name) + 4
        ends = self.head.find(b"\r\n", begins)
        return self.head[begins : ends if ends >= 0 else None].decode("latin-1")


@dataclass(slots=True)
class Seen:
    """What was measured; times in seconds since the run began."""

    took: dict[str, list[float]] = field(default_factory=dict)
    """Seconds of each request by its name; of a journey's first from the moment at which it should have begun."""
    ended: dict[str, list[float]] = field(default_factory=dict)
    statuses: dict[tuple[str, int], int] = field(default_factory=dict)
    broken: int = 0
    seconds: float = 0.0

    def percentile_ms(self, name: str, share: float) -> float:
        times = sorted(self.took.get(name, ()))
        return 1000 * times[min(len(times) - 1, int(len(times) * share))] if times else 0.0

    def with_status(self, wanted: Callable[[int], bool]) -> int:
        return sum(count for (_, status), count in self.statuses.items() if wanted(status))


class _Phone:
    __slots__ = ("ask", "is_connecting", "journey", "received", "since", "socket")

    def __init__(self, journey: Journey, due: float) -> None:
        self.journey = journey
        self.ask = next(journey)
        self.since = due
        self.socket: socket.socket | None = None
        self.is_connecting = False
        self.received = b""


class Crowd:
    """Everybody of one run."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self._where = (parts.hostname or "", parts.port or 80)
        self._poll = select.epoll()
        self._phones: dict[int, _Phone] = {}
        self._timers: list[tuple[float, int, _Phone]] = []
        self._count = 0
        self._seen = Seen()
        self._began = 0.0

    def run(self, journeys: Iterable[tuple[float, Journey]], at_most: float) -> Seen:
        """Let everybody begin at their time; returns when all are through or after `at_most` seconds."""
        coming = iter(journeys)
        following = next(coming, None)
        self._began = time.perf_counter()
        while (now := self._now()) < at_most and (following or self._timers or self._phones):
            while following and following[0] <= now:
                self._send(_Phone(following[1], following[0]))
                following = next(coming, None)
            while self._timers and self._timers[0][0] <= now:
                self._send(heapq.heappop(self._timers)[2])
            waits = [at for at in (following and following[0], self._timers and self._timers[0][0]) if at]
            for number, event in self._poll.poll(max(0.0, min([*waits, now + 0.1]) - now)):
                phone = self._phones[number]
                if phone.is_connecting and event & select.EPOLLOUT:
                    self._connected(phone)
                else:
                    self._receive(phone)
        self._seen.seconds = self._now()
        self._seen.broken += len(self._phones)
        for phone in list(self._phones.values()):
            self._hang_up(phone)
        self._poll.close()
        return self._seen

    def _now(self) -> float:
        return time.perf_counter() - self._began

    def _send(self, phone: _Phone) -> None:
        if phone.socket is None:
            self._connect(phone)
            return
        try:
            phone.socket.sendall(phone.ask.request)
        except OSError:
            self._break(phone)

    def _connect(self, phone: _Phone) -> None:
        """Begun only: while the server's queue is full this one waits, and nobody else does."""
        made = phone.socket = socket.socket()
        made.setblocking(False)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._phones[made.fileno()] = phone
        phone.is_connecting = True
        self._poll.register(made, select.EPOLLOUT)
        if made.connect_ex(self._where) not in (0, errno.EINPROGRESS):
            self._break(phone)

    def _connected(self, phone: _Phone) -> None:
        held = phone.socket
        if held is None or held.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self._break(phone)
            return
        phone.is_connecting = False
        self._poll.modify(held, select.EPOLLIN)
        self._send(phone)

    def _receive(self, phone: _Phone) -> None:
        try:
            data = phone.socket.recv(_READ) if phone.socket else b""
        except OSError:
            data = b""
        phone.received += data
        if not data:
            self._break(phone)
            return
        head, found, body = phone.received.partition(_HEAD_END)
        if found:
            answer = Answer(int(head[9:12]), head, body)
            if len(body) >= int(answer.header(b"content-length") or 0):
                self._answered(phone, answer)

    def _answered(self, phone: _Phone, answer: Answer) -> None:
        now, name = self._now(), phone.ask.name
        self._seen.took.setdefault(name, []).append(now - phone.since)
        self._seen.ended.setdefault(name, []).append(now)
        self._seen.statuses[name, answer.status] = self._seen.statuses.get((name, answer.status), 0) + 1
        phone.received = b""
        try:
            phone.ask = phone.journey.send(answer)
        except StopIteration:
            self._hang_up(phone)
            return
        phone.since = now + phone.ask.pause
        if not phone.ask.pause:
            self._send(phone)
            return
        self._hang_up(phone)
        self._count += 1
        heapq.heappush(self._timers, (phone.since, self._count, phone))

    def _break(self, phone: _Phone) -> None:
        self._seen.broken += 1
        self._hang_up(phone)

    def _hang_up(self, phone: _Phone) -> None:
        held: Any = phone.socket
        if held is not None:
            self._phones.pop(held.fileno(), None)
            held.close()
            phone.socket = None
