"""Memory of a process once everything is made that it keeps: packages, views, the season, the frozen banks."""

from __future__ import annotations

import ctypes
import errno
import gc
import mmap
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from quiz.logs import get_logger

HUGE = 2 * 2**20
"""Bytes of a huge page."""
COLLECT_AT = 10_000
"""Objects made and not freed after which the youngest are gone through."""
MAPS = Path("/proc/self/maps")
_COLLAPSE = 25
"""MADV_COLLAPSE of Linux 6.1, which Python does not name yet: make the huge pages now and not some time."""

log = get_logger(__name__)


def freeze() -> None:
    """What lives now lives on: the garbage collector does not look through it again.

    That would hold up whatever the process does for a tenth of a second. What is made from here on it goes through less
    often than Python's 700 objects ask for: nearly all of it is freed without the collector.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AT, 10, 10)


def settle() -> int:
    """Freeze, and put the heap onto huge pages: for a process that is about to serve and forks no more.

    A request touches so much of the heap that with small pages the processor keeps looking up where they are.

    Returns:
        How many bytes lie on huge pages now: 0 where the system has none.
    """
    freeze()
    refused: Counter[str] = Counter()
    moved = sum(_collapse(first, last, refused) for first, last in _heap(refused))
    # Without them everything works as well, only slower: a line says how much was refused, and why.
    log.info("memory_settled", frozen=gc.get_freeze_count(), huge_mb=moved // 2**20, refused=dict(refused))
    return moved


def _heap(refused: Counter[str]) -> Iterator[tuple[int, int]]:
    """From where to where this process's own data lies, cut to whole huge pages."""
    try:
        # Bytes: the names of files in it need not be text.
        lines = MAPS.read_bytes().splitlines()
    except OSError as error:
        refused[errno.errorcode.get(error.errno or 0, "unknown")] += 1
        return
    for line in lines:
        place, rights, _, _, _, *name = line.split(maxsplit=5)
        if rights == b"rw-p" and (not name or name[0] == b"[heap]"):
            first, last = (int(end, 16) for end in place.split(b"-"))
            first, last = -(-first // HUGE) * HUGE, last // HUGE * HUGE
            if first < last:
                yield first, last


def _collapse(first: int, last: int, refused: Counter[str]) -> int:
    """How many bytes between these addresses are on huge pages now; notes what the kernel says to the rest."""
    if not _advise(first, last - first, getattr(mmap, "MADV_HUGEPAGE", 14), refused):
        return 0
    return sum(HUGE for piece in range(first, last, HUGE) if _advise(piece, HUGE, _COLLAPSE, refused))


def _advise(start: int, size: int, advice: int, refused: Counter[str]) -> bool:
    """madvise(2): whether the kernel does it."""
    if _madvise(ctypes.c_void_p(start), ctypes.c_size_t(size), advice) == 0:
        return True
    refused[errno.errorcode.get(ctypes.get_errno(), "unknown")] += 1
    return False


_madvise = ctypes.CDLL(None, use_errno=True).madvise
