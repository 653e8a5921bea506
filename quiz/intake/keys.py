"""Names of the keys. All keys of one call share a hash tag, so intake can move to a Redis Cluster as it is."""

from __future__ import annotations

import functools
from typing import NamedTuple

SEASON = "quiz80:season"
"""The season document (intake.season), replaced as a whole; its absence means intake was never primed."""
SEASON_VERSION = "quiz80:season:version"
DEAD_LETTERS = "quiz80:dead"
"""Stream of what could not be decoded or stored, with the error."""

DRAINED = "quiz80:drained"
"""Hash: worker → messages it has taken off the streams, ever."""

FORGOTTEN = "quiz80:forgotten"
"""Set of final rounds whose shards were taken out of intake."""


def shard_of(participant_id: int, shards: int) -> int:
    return participant_id % shards


def bank(round_id: int, version: int) -> str:
    return f"{{r{round_id}}}:bank:{version}"


def config(round_id: int, shard: int) -> str:
    """Hash: the shard's own copy of window, cap, limit, grace and late rule. Absent = not primed."""
    return f"{{r{round_id}:s{shard}}}:config"


def attempts(round_id: int, shard: int) -> str:
    """Hash: `PID` → started, open attempt; `PID:ATTEMPT` → the attempt's record (see lua/)."""
    return f"{{r{round_id}:s{shard}}}:attempts"


def open_attempts(round_id: int, shard: int) -> str:
    """Sorted set: `PID:ATTEMPT` by deadline in ms, for the sweeper."""
    return f"{{r{round_id}:s{shard}}}:open"


def drafts(round_id: int, shard: int) -> str:
    """Hash: `PID:ATTEMPT` → seq and the draft event, until the attempt is handed in."""
    return f"{{r{round_id}:s{shard}}}:drafts"


def bars(round_id: int, shard: int) -> str:
    """Hash: `PID` → lowest auth epoch that may start, or `x` for barred; `PID:c` → `x`, barred from this contest."""
    return f"{{r{round_id}:s{shard}}}:bars"


def entries(round_id: int, shard: int) -> str:
    """Stream of entry events."""
    return f"{{r{round_id}:s{shard}}}:entries"


class OfHandIn(NamedTuple):
    """The keys of lua/hand_in.lua in its order."""

    config: str
    attempts: str
    open: str
    drafts: str
    entries: str


@functools.lru_cache(maxsize=4096)
def of_hand_in(round_id: int, shard: int) -> OfHandIn:
    """Put together once for a shard, because every hand-in names them."""
    return OfHandIn(
        config(round_id, shard),
        attempts(round_id, shard),
        open_attempts(round_id, shard),
        drafts(round_id, shard),
        entries(round_id, shard),
    )


class OfStart(NamedTuple):
    """The keys of lua/start.lua in its order."""

    config: str
    attempts: str
    open: str
    drafts: str
    bars: str


@functools.lru_cache(maxsize=4096)
def of_start(round_id: int, shard: int) -> OfStart:
    return OfStart(
        config(round_id, shard),
        attempts(round_id, shard),
        open_attempts(round_id, shard),
        drafts(round_id, shard),
        bars(round_id, shard),
    )
