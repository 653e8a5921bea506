"""bench/results/latest.json: one flat object, the newest figure of each name; and the table for people."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from deploy import embedded

FILE = Path(__file__).resolve().parent / "results" / "latest.json"
Figures = dict[str, Any]

# name → what has to be reached, as (comparison, figure)
GOALS: Mapping[str, tuple[str, float]] = {
    "submit_ratio": (">=", 0.60),
    "submit_p99_ms": ("<=", 60),
    "paper_ratio": (">=", 0.45),
    "million_seconds": ("<=", 600),
    "boards_age_p99_s": ("<=", 2),
    "boards_age_max_s": ("<=", 5),
    "drain_entries_per_s": (">=", 25_000),
    "catch_up_seconds": ("<=", 240),
    "catch_up_lock_waits": ("<=", 0),
    "catch_up_deadlocks": ("<=", 0),
    "flat_submit_ratio": (">=", 0.9),
    "flat_drain_ratio": (">=", 0.9),
    "board_pages_p99_ms": ("<=", 20),
    "my_rank_ms": ("<=", 5),
    "recount_seconds": ("<=", 120),
    "rescore_seconds": ("<=", 30),
    "rescore_apply_seconds": ("<=", 30),
    "correction_dry_run_seconds": ("<=", 60),
    "correction_apply_seconds": ("<=", 30),
    "signals_seconds": ("<=", 180),
    "start_p99_ms": ("<=", 1000),
    "start_5xx": ("<=", 0),
    # Who is told to wait is answered quickly too: without this the line above would say little.
    "start_waited": ("<=", 0),
    "storm_submit_p99_ratio": ("<=", 2),
    "waiting_ratio": (">=", 0.95),
    "waiting_lost": ("<=", 0),
    "boards_ratio": (">=", 0.7),
    "boards_304_ratio": (">=", 0.85),
    "web_rss_mb": ("<=", 130),
    "drain_rss_mb": ("<=", 250),
    "redis_bytes_per_attempt": ("<=", 300),
}


def middle(values: list[float], digits: int = 1) -> float:
    return round(median(values), digits)


def keep(figures: Figures) -> None:
    """Join new figures to those of other parts; each part notes when and on what it was measured."""
    known: Figures = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    known.update(machine())
    known.update(figures)
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(json.dumps(known, indent=2, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


def machine() -> Figures:
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "cpu": _cpu(),
        "cpu_count": os.cpu_count(),
        "memory_mb": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20,
        "kernel": platform.release(),
        "python_version": platform.python_version(),
        "postgres_version": _program_version(embedded.postgres_programs() / "postgres"),
        "redis_version": _program_version(embedded.redis_program()),
        **{f"{name}_version": version(name) for name in ("flask", "gunicorn", "gevent", "redis", "psycopg", "msgspec")},
    }


def print_table(figures: Figures) -> None:
    width = max(map(len, figures))
    for name, value in figures.items():
        print(f"  {name:<{width}}  {value!s:>12}  {_verdict(name, value)}".rstrip())


def _verdict(name: str, value: Any) -> str:
    if name not in GOALS or value is None:
        return ""
    comparison, goal = GOALS[name]
    reached = value >= goal if comparison == ">=" else value <= goal
    return f"{'reached' if reached else 'NOT reached'} ({comparison} {goal:g})"


def _commit() -> str:
    done = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _program_version(program: Path) -> str:
    said = subprocess.run([str(program), "--version"], capture_output=True, text=True, check=True).stdout
    return said.strip()
