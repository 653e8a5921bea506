"""What gunicorn finds out anew for each request, although in one process it is always the same: found out once.

An eighth of what a hand-in cost was that (docs/decisions/direct-answers.md). It leans on inner names of a release that
is pinned: one that is gone stops a process as it starts, and tests/test_server.py looks whether they are still asked.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from gunicorn.http import wsgi
from gunicorn.http.message import HeaderPolicy

PEERS = 4096
"""So many addresses are remembered: twice the connections of a process."""


def settle(configuration: Any) -> None:
    """For a process that is about to serve; takes gunicorn's `Config`."""
    _hold_settings(configuration)
    _remember_peers()
    _make_environments_alike(configuration)


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
