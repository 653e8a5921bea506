"""Who gets the prizes; the worked numbers are those of docs/awards.md."""

from __future__ import annotations

import hashlib
import itertools
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quiz.services.awards import lots
from quiz.services.awards.choosing import Candidate, Caps, Held, Line, Outcome, Slot, choose

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "awards.md").read_text(encoding="utf-8")
NAMES = ["Anh", "Bình", "Chi", "Dũng", "Giang", "Hà", "Khánh", "Linh", "Minh"]


def tables(heading: str) -> list[list[list[str]]]:
    """The rows of the tested tables under a heading of the page."""
    section = PAGE.split(f"## {heading}\n", 1)[1].split("\n## ")[0]
    found = []
    for part in section.split("*Tested.*")[1:]:
        rows = [line for line in part.splitlines() if line.startswith("|")]
        found.append([[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]])
    return found


def line(key: str = "individual", **counts: int) -> Line:
    return Line(key, "person", tuple(Slot(prize, n) for prize, count in counts.items() for n in range(1, count + 1)))


def results(outcome: Outcome) -> dict[int, str]:
    """Person → prize, why not, or lot."""
    found = {each.candidate.id: each.slot.prize for each in outcome.given}
    found |= {each.candidate.id: each.reason for each in outcome.passed}
    return found | {member.id: "lot" for tie in outcome.ties for member in tie.members}


def people(*scores: int, home: int | None = None) -> list[Candidate]:
    return [Candidate(place, score, home) for place, score in enumerate(scores, 1)]


def test_places_and_caps_as_the_page_says() -> None:
    [rows] = tables("Places and caps")
    homes = {name: place for place, name in enumerate(dict.fromkeys(row[2] for row in rows))}
    candidates = [
        Candidate(NAMES.index(name), int(points), homes[home], "barred" if besides == "barred" else None)
        for name, points, home, besides, _ in rows
    ]
    out = {("person", NAMES.index(row[0])) for row in rows if row[3] == "disqualified"}
    outcome = choose([(line(first=1, second=2, third=2), candidates)], Caps(1, None, 2), Held(), out=out)  # type: ignore[arg-type]
    assert results(outcome) == {NAMES.index(row[0]): row[4] for row in rows}


@pytest.mark.parametrize("rows", tables("Ties"))
def test_ties_as_the_page_says(rows: list[list[str]]) -> None:
    candidates = [Candidate(NAMES.index(name), int(points)) for name, points, _ in rows]
    outcome = choose([(line(first=1, second=2), candidates)], Caps(), Held())
    assert results(outcome) == {NAMES.index(name): gets for name, _, gets in rows}


def test_the_lot_as_the_page_says(tmp_path: Path) -> None:
    [rows] = tables("The lot")
    ids = [row[0] for row in rows]
    order = sorted(ids, key=lambda one: int(dict(map(tuple, rows))[one]))
    assert lots.drawn_order(ids, "20418") == order
    # And the script, which knows nothing of this project, says the same.
    file = tmp_path / "lot.txt"
    file.write_text("".join(f"{one}\n" for one in ids))
    hashed = hashlib.sha256(file.read_bytes()).hexdigest()
    command = [sys.executable, "-I", str(lots.SCRIPT), str(file), hashed, "20418"]
    run = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert [each.split()[1] for each in run.stdout.splitlines()] == order
    file.write_text("".join(f"{one}\n" for one in ids[::-1]))
    changed = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert changed.returncode == 1
    assert "NOT the one" in changed.stderr
    assert changed.stdout == ""


def test_the_script_is_short_and_needs_nothing_but_python() -> None:
    code = lots.SCRIPT.read_text()
    imports = [row for row in code.splitlines() if row.startswith(("import ", "from "))]
    assert imports == ["import hashlib", "import sys"]
    assert len(code.splitlines()) <= 36


def test_a_drawn_order_decides_and_the_rest_is_next_in_line() -> None:
    outcome = choose(
        [(line(first=1, second=2), people(100, 90, 90, 90))], Caps(), Held(), orders={"individual": [[4, 2, 3]]}
    )
    assert results(outcome) == {1: "first", 4: "second", 2: "second", 3: "next"}
    assert [each.by_lot for each in outcome.given] == [False, True, True]


def test_an_order_drawn_for_others_decides_nothing() -> None:
    outcome = choose([(line(first=1), people(90, 90))], Caps(), Held(), orders={"individual": [[1, 3]]})
    assert [tie.members for tie in outcome.ties] == [tuple(people(90, 90))]


def test_a_cap_that_would_tell_equals_apart_needs_a_lot_too() -> None:
    """Two places of one prize, two equals of one province, room for one of them."""
    equals = [Candidate(1, 90, 7), Candidate(2, 90, 7)]
    outcome = choose([(line(first=2), equals)], Caps(unit_round=1), Held())
    assert len(outcome.ties) == 1
    drawn = choose([(line(first=2), equals)], Caps(unit_round=1), Held(), orders={"individual": [[2, 1]]})
    assert results(drawn) == {2: "first", 1: "unit_round"}


def test_prizes_of_other_rounds_count_for_the_season() -> None:
    held = Held(persons=Counter({1: 2}), homes=Counter({7: 5}))
    candidates = [Candidate(1, 100, 8), Candidate(2, 90, 7), Candidate(3, 80, 8)]
    outcome = choose([(line(first=1), candidates)], Caps(person_season=2, unit_season=5), held)
    assert results(outcome) == {1: "person_season", 2: "unit_season", 3: "first"}


def test_who_won_in_one_line_is_passed_over_in_the_next_one() -> None:
    best = people(100, 90)
    outcome = choose(
        [(line(first=1), best), (line("individual:young", young=1), best)], Caps(person_round=1), Held(), spare=0
    )
    assert [(each.slot.prize, each.candidate.id) for each in outcome.given] == [("first", 1), ("young", 2)]


def test_a_unit_counts_against_no_cap() -> None:
    units = Line("collective:participants:province:0", "unit", (Slot("most", 1), Slot("most", 2)))
    outcome = choose([(units, people(50, 40))], Caps(1, 1, 1, 1), Held())
    assert [each.candidate.id for each in outcome.given] == [1, 2]


def test_no_more_is_read_than_the_places_reach() -> None:
    def endless() -> Iterator[Candidate]:
        for number in itertools.count(1):
            assert number < 50, "read on without need"
            yield Candidate(number, -number)

    outcome = choose([(line(first=1, second=10), endless())], Caps(), Held())
    assert len(outcome.given) == 11


_scores = st.lists(st.integers(0, 4), max_size=12).map(lambda scores: sorted(scores, reverse=True))
_caps = st.builds(Caps, *[st.none() | st.integers(1, 3)] * 4)


@settings(max_examples=300)
@given(scores=_scores, homes=st.lists(st.integers(1, 3), min_size=12, max_size=12), caps=_caps, counts=st.tuples(
    st.integers(1, 2), st.integers(0, 4)))  # fmt: skip
def test_whatever_comes_the_caps_hold_and_nobody_worse_goes_before(
    scores: list[int], homes: list[int], caps: Caps, counts: tuple[int, int]
) -> None:
    candidates = [Candidate(place, score, homes[place]) for place, score in enumerate(scores)]
    outcome = choose([(line(first=counts[0], second=counts[1]), candidates)], caps, Held())
    winners = [each.candidate for each in outcome.given]
    assert len({each.slot for each in outcome.given}) == len(winners) == len({winner.id for winner in winners})
    by_home = Counter(winner.home for winner in winners)
    for limit in (caps.unit_round, caps.unit_season):
        assert limit is None or all(count <= limit for count in by_home.values())
    for left, right in itertools.pairwise(winners):
        assert left.tie >= right.tie  # type: ignore[operator]
    # Whoever got nothing and stood before a winner has a reason.
    said = {each.candidate.id for each in outcome.passed} | {m.id for tie in outcome.ties for m in tie.members}
    worst = min((winner.tie for winner in winners), default=9)
    for candidate in candidates:
        if candidate.tie > worst and candidate not in winners:  # type: ignore[operator]
            assert candidate.id in said
