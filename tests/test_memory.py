"""A settled process: looked at from outside, because to freeze the tests' own memory would change all that follow."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

THP = Path("/sys/kernel/mm/transparent_hugepage/enabled")

PROGRAM = """
import gc, json, re
from quiz import memory
held = [[number] for number in range(400_000)]
moved = memory.settle()
gc.collect()
rollup = open("/proc/self/smaps_rollup").read()
huge = int(re.search(r"AnonHugePages: +([0-9]+) kB", rollup)[1]) * 1024
watched = any(one is held for one in gc.get_objects())
print(json.dumps({"moved": moved, "huge": huge, "watched": watched, "sum": sum(one[0] for one in held)}))
"""


@pytest.fixture(scope="module")
def settled() -> dict[str, int]:
    ran = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=60)
    found: dict[str, int] = json.loads(ran.stdout.splitlines()[-1])
    return found


def test_the_collector_no_longer_looks_at_what_was_there(settled: dict[str, int]) -> None:
    assert not settled["watched"]


def test_the_heap_lies_on_huge_pages_where_the_system_has_them(settled: dict[str, int]) -> None:
    if not THP.exists() or "[never]" in THP.read_text():
        assert settled["moved"] == 0
    else:
        # 400,000 lists are 50 MB; not every piece of it need be free to move.
        assert settled["moved"] > 20 * 2**20
        assert settled["huge"] > 20 * 2**20


def test_a_system_that_shows_no_map_of_the_memory_still_serves() -> None:
    program = PROGRAM.replace("held =", 'memory.MAPS = memory.Path("/nowhere/maps")\nheld =')
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    found = json.loads(ran.stdout.splitlines()[-1])
    assert found["moved"] == 0
    assert not found["watched"]


def test_nothing_in_it_is_lost(settled: dict[str, int]) -> None:
    assert settled["sum"] == sum(range(400_000))
