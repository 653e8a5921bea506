"""Under gevent hashing happens in threads that stand back; the loop's own thread keeps its priority."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

# A process of its own: patching by gevent can't be undone.
PROGRAM = """
from gevent import monkey; monkey.patch_all()
import os
from quiz.services import passwords
assert passwords.verify(passwords.hash_password("matkhau-dai-9"), "matkhau-dai-9")
print(os.getpriority(os.PRIO_PROCESS, 0), passwords._gevent_pool().apply(os.getpriority, (os.PRIO_PROCESS, 0)))
"""


def test_hashing_threads_stand_back() -> None:
    said = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    own, hashing = map(int, said.split())
    assert hashing == max(own, 15)
