"""Who may import whom: the table of docs/architecture.md, kept true by reading the code."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OURS = ("quiz", "scoring", "deploy", "bench", "tests", "wsgi", "migrations")
REQUEST = ("flask", "flask_login", "flask_wtf", "werkzeug")
CLOCKS = ("quiz.clock.now", "datetime.now", "datetime.utcnow", "datetime.today", "time.time", "time.time_ns")


@dataclass(frozen=True)
class Room:
    """A part of the house. Names are matched by their beginning: `quiz.models` stands for all that is in it."""

    files: tuple[str, ...]
    ours: tuple[str, ...] = ()
    """What of our own code it may import."""
    libraries: tuple[str, ...] | None = None
    """What else it may import beside the standard library; None: anything but `never`."""
    never: tuple[str, ...] = ()


PURE = Room(
    files=("scoring/rules/", "scoring/rules_schema.py", "scoring/ordering.py", "quiz/phases.py"),
    ours=("scoring.rules",),
    libraries=(),
)
JOBS = ("scoring/jobs.py", "scoring/worker.py", "scoring/schedule.py")

# The first room that a file fits is its room.
ROOMS = {
    "pure": PURE,
    "clock and settings": Room(files=("quiz/clock.py", "quiz/config.py"), libraries=()),
    "figures": Room(
        files=("quiz/metrics.py",),
        ours=("quiz.intake.counts",),
        libraries=("prometheus_client", "redis", "msgspec"),
    ),
    "intake": Room(
        files=("quiz/intake/",), ours=("quiz.intake",), libraries=("redis", "hiredis", "msgspec"), never=CLOCKS
    ),
    "models": Room(
        files=("quiz/models/",),
        ours=("quiz.models", "quiz.extensions", "quiz.phases"),
        never=(*REQUEST, "rq", "redis", *CLOCKS),
    ),
    "services": Room(
        files=("quiz/services/",),
        ours=(
            *("quiz.services", "quiz.models", "quiz.intake", "scoring.rules", "scoring.rules_schema"),
            *(
                "scoring.ordering",
                "quiz.errors",
                "quiz.phases",
                "quiz.clock",
                "quiz.wording",
                "quiz.config",
                "quiz.metrics",
            ),
        ),
        never=(*REQUEST, "rq", *CLOCKS),
    ),
    "blueprints": Room(
        files=("quiz/blueprints/",),
        ours=(
            *("quiz.services", "quiz.intake", "quiz.models", "quiz.errors"),
            *("quiz.extensions", "quiz.web", "quiz.clock", "quiz.phases", "quiz.config", "quiz.metrics"),
            *(
                "quiz.sessions",
                "quiz.staff_session",
                "quiz.pages",
                "quiz.shells",
                "quiz.logs",
                "quiz.application",
                "quiz.wording",
            ),
        ),
        never=("redis", "rq"),
    ),
    "jobs": Room(
        files=JOBS,
        ours=(
            *("scoring", "quiz.models", "quiz.intake", "quiz.create_app", "quiz.extensions", "quiz.services"),
            *("quiz.config", "quiz.clock", "quiz.phases", "quiz.errors", "quiz.metrics", "quiz.logs", "quiz.memory"),
        ),
    ),
    "scoring": Room(
        files=("scoring/",),
        ours=("scoring", "quiz.models", "quiz.intake", "quiz.phases", "quiz.clock", "quiz.metrics", "quiz.logs"),
        never=(*REQUEST, "rq", *CLOCKS),
    ),
    "commands": Room(
        files=("quiz/cli/",),
        ours=("quiz", "scoring"),
        never=("quiz.blueprints", "scoring.jobs", "scoring.worker", "scoring.schedule", "rq"),
    ),
    "application": Room(files=("quiz/", "wsgi.py"), ours=("quiz",), never=("rq",)),
}


def room_of(path: str) -> tuple[str, Room]:
    for name, room in ROOMS.items():
        for place in room.files:
            if path == place or (place.endswith("/") and path.startswith(place)):
                return name, room
    raise AssertionError(f"{path} is in no room")


def imported(tree: ast.Module, package: str) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of all that a module imports, wherever in it, and of the clocks it reads."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                module = ".".join([*above, *([module] if module else [])])
            for alias in node.names:
                yield node.lineno, f"{module}.{alias.name}"
        elif isinstance(node, ast.Attribute) and (full := f"{ast.unparse(node.value)}.{node.attr}"):
            # `clock.now()` and `dt.datetime.now()` are read by their last two words.
            short = ".".join(full.split(".")[-2:])
            if short == "clock.now":
                yield node.lineno, "quiz.clock.now"
            elif short in CLOCKS:
                yield node.lineno, short


def begins(name: str, beginnings: tuple[str, ...]) -> bool:
    return any(name == beginning or name.startswith(f"{beginning}.") for beginning in beginnings)


def problem_with(name: str, path: str, room: Room) -> str | None:
    if begins(name, room.never):
        return "never"
    if name.startswith("quiz.blueprints.") or name == "quiz.blueprints":
        own = ".".join(Path(path).parts[:3])
        binds_them = path in ("quiz/__init__.py", "quiz/blueprints/__init__.py")
        return None if binds_them or begins(name, (own,)) else "another blueprint"
    root = name.partition(".")[0]
    if root in OURS:
        return None if begins(name, room.ours) else "not for this room"
    if room.libraries is not None and root not in room.libraries and root not in sys.stdlib_module_names:
        return "not for this room"
    return None


def violations(root: Path) -> list[str]:
    found = []
    files = [*root.glob("quiz/**/*.py"), *root.glob("scoring/**/*.py"), *root.glob("wsgi.py")]
    for file in sorted(files):
        path = file.relative_to(root).as_posix()
        name, room = room_of(path)
        package = ".".join(file.relative_to(root).parent.parts)
        for line, what in imported(ast.parse(file.read_text(encoding="utf-8")), package):
            if problem := problem_with(what, path, room):
                found.append(f"{path}:{line} ({name}) imports {what}: {problem}")
    return found


def test_the_rooms_keep_to_their_table() -> None:
    assert violations(ROOT) == []


PLANTED = {
    "a blueprint that scores": ("quiz/blueprints/play/views.py", "from scoring.rules import score"),
    "a blueprint in another's room": ("quiz/blueprints/play/views.py", "from quiz.blueprints.account import forms"),
    "a blueprint that speaks to Redis": ("quiz/blueprints/play/views.py", "import redis"),
    "a blueprint that enqueues": ("quiz/blueprints/play/views.py", "def view():\n    from rq import Queue"),
    "a service that reads the request": ("quiz/services/papers.py", "from flask import request"),
    "a service that asks who is signed in": ("quiz/services/papers.py", "from flask_login import current_user"),
    "a service with a clock": ("quiz/services/papers.py", "from quiz import clock\nclock.now()"),
    "a service with another clock": ("quiz/services/papers.py", "import datetime as dt\ndt.datetime.now(dt.UTC)"),
    "a service that drains": ("quiz/services/papers.py", "from scoring import drain"),
    "a service that knows a blueprint": ("quiz/services/papers.py", "from quiz.blueprints import play"),
    "a model that knows a service": ("quiz/models/round.py", "from quiz.services import papers"),
    "intake with Flask": ("quiz/intake/calls.py", "import flask"),
    "intake with a model": ("quiz/intake/calls.py", "from quiz.models import Round"),
    "intake with a relative way to a model": ("quiz/intake/calls.py", "from ..models import Round"),
    "intake that reads a clock": ("quiz/intake/calls.py", "import time\ntime.time()"),
    "a drain that names RQ": ("scoring/drain.py", "import rq"),
    "a drain with a request": ("scoring/drain.py", "from flask import request"),
    "rules that know a library": ("scoring/rules/document.py", "import msgspec"),
    "rules that know the tables": ("scoring/rules/document.py", "from quiz.models import Round"),
    "phases that know Flask": ("quiz/phases.py", "import flask"),
    "settings that know the database": ("quiz/config.py", "import sqlalchemy"),
    "the application that knows the launcher": ("quiz/web.py", "from deploy import stack"),
    "a command that names RQ": ("quiz/cli/boards.py", "from rq import Queue"),
}


@pytest.mark.parametrize(("path", "code"), PLANTED.values(), ids=PLANTED.keys())
def test_a_planted_violation_is_found(tmp_path: Path, path: str, code: str) -> None:
    planted = tmp_path / path
    planted.parent.mkdir(parents=True)
    planted.write_text(code, encoding="utf-8")
    assert violations(tmp_path)


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("quiz/blueprints/play/views.py", "from quiz.blueprints.play import forms\nfrom quiz.services import papers"),
        ("quiz/services/papers.py", "from quiz.clock import to_ms\nfrom scoring.rules import rules_from"),
        ("quiz/intake/calls.py", "import time, redis, msgspec\nfrom quiz.intake import keys\ntime.monotonic()"),
        ("quiz/blueprints/__init__.py", "from quiz.blueprints import play"),
        ("scoring/jobs.py", "import rq\nfrom quiz import clock\nclock.now()"),
        ("scoring/drain.py", "from quiz.models import Entry\nfrom quiz.intake import events"),
    ],
)
def test_what_the_table_allows_is_allowed(tmp_path: Path, path: str, code: str) -> None:
    planted = tmp_path / path
    planted.parent.mkdir(parents=True)
    planted.write_text(code, encoding="utf-8")
    assert violations(tmp_path) == []
