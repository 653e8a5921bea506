"""The map of the code is true: links lead somewhere, and what the operator's page names is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

ROOT = Path(__file__).resolve().parent.parent
PAGES = [
    *(ROOT / page for page in ("README.md", "CHANGELOG.md", "bench/README.md")),
    *sorted(ROOT.glob("docs/**/*.md")),
]
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_that_are_named_exist(page: Path) -> None:
    named = re.findall(r"`((?:quiz|scoring|deploy|tests|bench|docs|migrations)/[\w./-]*)`", page.read_text("utf-8"))
    missing = [name for name in named if not (ROOT / name).exists()]
    assert missing == []


def test_every_variable_has_its_line() -> None:
    settings = (ROOT / "quiz" / "config.py").read_text(encoding="utf-8")
    read = set(re.findall(r'"((?:[A-Z0-9]+_)+[A-Z0-9]+)"', settings)) - {"QUIZ80_EMBEDDED"}  # the launcher's own
    assert len(read) > 8
    assert {name for name in read if f"`{name}`" not in OPERATIONS} == set()


def test_every_figure_has_its_line_and_every_line_its_figure(client: FlaskClient) -> None:
    shown = set(re.findall(r"^# TYPE (quiz80_\w+)", client.get("/metrics").get_data(as_text=True), re.MULTILINE))
    described = {re.sub(r"_\*$", "", name) for name in re.findall(r"`(quiz80_[\w*]+)", OPERATIONS)}
    assert {name for name in shown if not any(name.startswith(known) for known in described)} == set()
    assert {known for known in described if not any(name.startswith(known) for name in shown)} == set()


def test_every_event_that_is_described_is_logged() -> None:
    section = OPERATIONS.split("| event | means |")[1].split("\n## ")[0]
    events = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    code = "".join(file.read_text("utf-8") for room in ("quiz", "scoring") for file in (ROOT / room).rglob("*.py"))
    assert len(events) > 5
    assert [event for event in events if f'"{event}"' not in code and f'"event":"{event}"' not in code] == []
