"""What gunicorn does anew for each request, although once for a process is enough; and what it never does: to give a
line up that falls silent in the middle of a request.

A tenth of what a hand-in cost was that (docs/decisions/once-a-process.md). It leans on inner names of a release that
is pinned: one that is gone stops a process as it starts, and tests/test_server.py looks whether they are still asked.
"""

from __future__ import annotations

from functools import lru_cache
from time import monotonic
from types import TracebackType
from typing import Any

from gevent import get_hub, getcurrent
from gunicorn.http import wsgi
from gunicorn.http.message import HeaderPolicy
from gunicorn.http.unreader import SocketUnreader

PEERS = 4096
"""So many addresses are remembered: twice the connections of a process."""
PATIENCE = 10
"""Seconds that a line may be silent in the middle of a request, beyond those that it may be silent between two."""


def settle(worker: Any) -> None:
    """For a gunicorn worker that is about to serve."""
    _hold_settings(worker.cfg)
    _remember_peers()
    _make_environments_alike(worker.cfg)
    keep_alive = KeepAlive(worker.cfg.keepalive)
    worker.timeout_ctx = lambda: keep_alive
    _give_silent_lines_up(KeepAlive(worker.cfg.keepalive + PATIENCE))


def _hold_settings(configuration: Any) -> None:
    """A request asks for some forty of them, each by way of `__getattr__` and a getter: attributes are there at once.

    They don't change; others come with other processes.
    """
    vars(configuration).update({name: setting.get() for name, setting in configuration.settings.items()})


def _remember_peers() -> None:
    """Whether an address is that of a proxy, which may say by what scheme it was reached (`forwarded_allow_ips`)."""
    decide = HeaderPolicy._peer_is_trusted_proxy

    @lru_cache(PEERS)
    def is_proxy(address: str, configuration: Any) -> bool:
        asked = HeaderPolicy()
        asked.peer_addr, asked.cfg = (address,), configuration
        return bool(decide(asked))

    def remembered(request: Any) -> bool:
        peer = request.peer_addr
        return is_proxy(peer[0], request.cfg) if isinstance(peer, tuple) else bool(decide(request))

    HeaderPolicy._peer_is_trusted_proxy = remembered


def _make_environments_alike(configuration: Any) -> None:
    """Every environment begins alike. Its error stream above all, which for each request is opened and closed again."""
    beginning = wsgi.base_environ(configuration)
    wsgi.base_environ = lambda _configuration: beginning.copy()


def _give_silent_lines_up(patience: KeepAlive) -> None:
    """gunicorn waits for ever for the rest of a body. A phone that lost its line, or means ill, would keep its place
    among the connections of the process."""
    receive = SocketUnreader.chunk

    def chunk(unreader: Any, size_hint: int | None = None) -> bytes:
        with patience:
            received: bytes = receive(unreader, size_hint)
            return received
        raise TimeoutError("nothing more came of a request")

    SocketUnreader.chunk = chunk


class KeepAlive:
    """The context of whoever waits for a connection to say something, for all of a process: who has waited for so many
    seconds leaves it.

    gevent's Timeout makes, starts and stops a timer around each request, which costs as much as to read its headers.
    This looks round now and then, so a connection lasts a little longer than it would.
    """

    def __init__(self, seconds: float, every: float = 1.0) -> None:
        self._seconds = seconds
        self._since: dict[Any, float] = {}
        """Greenlet → when it began to wait."""
        self._timer = get_hub().loop.timer(every, every, ref=False)
        self._timer.start(self._look_round)

    def __enter__(self) -> None:
        self._since[getcurrent()] = monotonic()

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None) -> bool:
        del self._since[getcurrent()]
        return isinstance(error, _Silent) and error.waited_for is self

    def _look_round(self) -> None:
        """In the hub, where nobody else runs: who is found waiting has not been given its request meanwhile."""
        over = monotonic() - self._seconds
        for waiting, since in list(self._since.items()):
            if since <= over:
                waiting.throw(_Silent(self))


class _Silent(BaseException):
    """No error, and nothing that a parser's handlers may take for one."""

    def __init__(self, waited_for: KeepAlive) -> None:
        self.waited_for = waited_for
