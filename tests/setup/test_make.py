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


_PYTHON = """#!/bin/sh
case "$*" in
*CONFIG_ARGS*) exit {is_plain} ;;
"-m venv"*) touch '{chosen}'; exit 1 ;;
esac
exit 0
"""


@pytest.mark.parametrize(
    ("is_plain", "asked_for", "is_chosen"),
    [(0, False, True), (1, False, not Path("/usr/bin/python3.11").exists()), (1, True, True)],
    ids=["optimised", "plain", "plain, but asked for"],
)
def test_the_first_python_is_taken_unless_it_was_compiled_without_a_profile(
    tmp_path: Path, is_plain: int, asked_for: bool, is_chosen: bool
) -> None:
    """pyenv stands first in the PATH, and what it compiles takes a quarter longer than what Debian ships."""
    chosen, project, python = tmp_path / "chosen", tmp_path / "project", tmp_path / "bin" / "python3.11"
    (project / "deploy").mkdir(parents=True)
    shutil.copy(ROOT / "deploy" / "venv.sh", project / "deploy")
    for name in ("requirements.txt", "requirements-embedded.txt"):
        (project / name).touch()
    python.parent.mkdir()
    python.write_text(_PYTHON.format(is_plain=is_plain, chosen=chosen), encoding="utf-8")
    python.chmod(0o755)
    environment = {**_OURS, "PATH": f"{python.parent}:/usr/bin:/bin", "PYTHON": str(python) if asked_for else ""}
    subprocess.run([project / "deploy" / "venv.sh", "run"], env=environment, capture_output=True, check=False)
    assert chosen.exists() == is_chosen
