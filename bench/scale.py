"""How large a run is: BENCH_SCALE=1 is what the figures of docs/performance.md mean, 0.05 is a check in a minute."""

from __future__ import annotations

import os


def scale() -> float:
    return float(os.environ.get("BENCH_SCALE") or "1")


def sized(full: int, least: int = 1) -> int:
    """`full` at scale 1, never below `least`."""
    return max(least, int(full * scale()))
