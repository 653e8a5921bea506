"""make keeps a SIGINT sent to it alone and waits for its child: the child has to notice."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.stack import ROOT

WATCH = """
import time
from deploy.run import Stop, _Parent
parent = _Parent()
print("watching", flush=True)
try:
    while True:
        parent.check()
        time.sleep(0.02)
except Stop:
    print("stopped", flush=True)
"""


# Tests started in the background inherit an ignored SIGINT, and a make that ignores it never hears of it.
_BECOME_MAKE = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execvp("make", sys.argv[1:])
"""
# The tests themselves run below `make test`; a make that is started here must not think that it is its child.
_OURS = {name: value for name, value in os.environ.items() if name not in ("MAKELEVEL", "MAKEFLAGS", "MFLAGS")}


@pytest.fixture
def makefile(tmp_path: Path) -> Path:
    if shutil.which("make") is None:
        pytest.fail("make is missing: the project starts with it")
    script = tmp_path / "watch.py"
    script.write_text(WATCH, encoding="utf-8")
    file = tmp_path / "Makefile"
    file.write_text(f"watch:\n\t@exec '{sys.executable}' '{script}'\n", encoding="utf-8")
    return file


def test_an_interrupt_of_make_alone_is_noticed(makefile: Path) -> None:
    make = subprocess.Popen(
        [sys.executable, "-c", _BECOME_MAKE, "make", "-f", str(makefile), "watch"],
        env={**_OURS, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    try:
        assert make.stdout is not None
        assert make.stdout.readline() == "watching\n"
        make.send_signal(signal.SIGINT)
        said, _ = make.communicate(timeout=10)
        assert said == "stopped\n"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(make.pid, signal.SIGKILL)
        make.communicate()


def test_the_makefile_lists_its_commands() -> None:
    said = subprocess.run(["make", "help"], cwd=ROOT, env=_OURS, capture_output=True, text=True, check=True).stdout
    for command in ("run", "test", "lint", "bench", "setup"):
        assert f"make {command} " in said
