"""Every contest that published its rules, set up as it was and played in a small round worked out by hand."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from quiz.clock import CONTEST_ZONE, from_ms, to_ms
from quiz.errors import Refusal
from quiz.extensions import Platform, db
from quiz.intake.errors import AttemptsExhausted, IntakeRefusal, NotEligible
from quiz.models import KeyVersion, Round
from quiz.services import why
from scoring import recount, regrade
from tests.golden import Golden, Play, person
from tests.published import CONTESTS, INVENTED
from tests.scoring.conftest import drain

Ranks = dict[str, tuple[int, int, int]]
"""Name → (rank, the attempt that counts, its score)."""


@dataclass(frozen=True)
class Case:
    plays: list[Play]
    ranks: Ranks
    decided: list[str | None]
    """Which key decides between neighbours, from the first down."""
    refused: list[tuple[Play, type[IntakeRefusal]]] = field(default_factory=list)
    """Attempts that the rules don't allow, after the others."""
    most_right: int = 1
    closes: str = ""
    """The round's close as the contest's calendar says it."""


CASES = {
    # Four people take part, so 4 is the number to predict. Gaps: An 5, Bình 1, Chi 1, Dũng 0.
    "bau-cu-2026": Case(
        plays=[
            *(Play("An", at, right=at // 1_000 + 3) for at in range(1_000, 7_000, 1_000)),
            Play("An", 7_000, right=10, prediction=9),
            Play("Bình", 9_000, right=10, prediction=5),
            Play("Chi", 8_000, right=10, prediction=3),
            Play("Dũng", 1_000, right=9, prediction=4),
        ],
        ranks={"Chi": (1, 1, 10), "Bình": (2, 1, 10), "An": (3, 7, 10), "Dũng": (4, 1, 9)},
        decided=["received_at", "prediction_gap", "score"],
        refused=[(Play("An", 10_000, right=10), AttemptsExhausted)],
        closes="Monday 12.01.2026 00:00",
    ),
    "dai-hoi-dang-2025": Case(
        plays=[
            Play("An", 10_000, right=9),
            Play("An", 20_000, right=9),
            Play("Bình", 5_000, right=9),
            Play("Chi", 60_000, right=10),
        ],
        ranks={"Chi": (1, 1, 10), "Bình": (2, 1, 9), "An": (3, 1, 9)},
        decided=["score", "received_at"],
        refused=[(Play("Thư ký", 5_000, right=10), NotEligible)],
        closes="Monday 08.09.2025 00:00",
    ),
    # Three people have all right. Gaps: An 1, Bình 1, Chi 27, Dũng 0. Time decides nothing here.
    "cong-dan-2026": Case(
        plays=[
            Play("An", 9_000, right=10, prediction=2),
            Play("Bình", 3_000, right=10, prediction=4),
            Play("Chi", 1_000, right=10, prediction=30),
            Play("Dũng", 1_000, right=9, prediction=3),
        ],
        ranks={"An": (1, 1, 10), "Bình": (1, 1, 10), "Chi": (3, 1, 10), "Dũng": (4, 1, 9)},
        decided=[None, "prediction_gap", "score"],
        refused=[(Play("An", 20_000, right=10, prediction=3), AttemptsExhausted)],
        closes="Friday 06.02.2026 17:59",
    ),
    # Three people have all right. Of An's entries the nearest prediction counts, and the earlier of two alike.
    # Bình and Chi hand in within the same second: they share the rank.
    "lich-su-dang-2019": Case(
        plays=[
            Play("An", 1_000, right=4, prediction=3),
            Play("An", 2_000, right=5, prediction=1_000),
            Play("An", 30_000, right=5, prediction=3),
            *(Play("An", at, right=5, prediction=3) for at in range(40_000, 46_000, 1_000)),
            Play("Bình", 20_900, right=5, prediction=3),
            Play("Chi", 20_100, right=5, prediction=3),
            Play("Dũng", 1_000, right=4, prediction=3),
        ],
        ranks={"Bình": (1, 1, 5), "Chi": (1, 1, 5), "An": (3, 3, 5), "Dũng": (4, 1, 4)},
        decided=[None, "received_second", "score"],
        closes="Monday 09.09.2019 09:00",
    ),
    # Questions have 1 to 4 right options; a wrong answer here lacks one of them. Út is 14 this year, Em 13.
    # Two people have all right.
    "tuyen-giao-2020": Case(
        plays=[
            Play("An", 5_000, right=10, prediction=2),
            Play("Út", 4_000, right=10, prediction=2),
            Play("Bình", 1_000, right=9, prediction=2),
            Play("Bình", 2_000, right=0, prediction=2),
        ],
        ranks={"Út": (1, 1, 10), "An": (2, 1, 10), "Bình": (3, 1, 9)},
        decided=["received_second", "score"],
        refused=[
            (Play("Em", 5_000, right=10), NotEligible),
            (Play("Không rõ", 5_000, right=10), NotEligible),
            (Play("Thư ký", 5_000, right=10), NotEligible),
        ],
        most_right=4,
        closes="Monday 13.04.2020 09:00",
    ),
    # Nearly everybody has all right: the time decides, to the millisecond.
    "viet-lao-2022": Case(
        plays=[
            *(Play("An", at, right=at // 1_000) for at in range(1_000, 11_000, 1_000)),
            Play("Bình", 9_999, right=10),
            Play("Chi", 10_001, right=10),
        ],
        ranks={"Bình": (1, 1, 10), "An": (2, 10, 10), "Chi": (3, 1, 10)},
        decided=["received_at", "received_at"],
        closes="Monday 16.05.2022 15:00",
    ),
    # Three people take part. Gaps: An 0, Bình 1; Chi predicts nothing.
    "phap-luat-2021": Case(
        plays=[
            Play("An", 1_199_000, right=19, prediction=3, takes=1_199_000),
            Play("Bình", 1_000, right=19, prediction=2),
            Play("Chi", 1_000, right=19),
        ],
        ranks={"An": (1, 1, 19), "Bình": (2, 1, 19), "Chi": (3, 1, 19)},
        decided=["prediction_gap", "prediction_gap"],
        closes="Saturday 01.05.2021 00:00",
    ),
    # Two people have all right and predict it; Bình is the faster one, though An hands in before.
    "quang-nam-2014": Case(
        plays=[
            Play("An", 90_000, right=15, prediction=2, takes=90_000),
            Play("Bình", 150_000, right=15, prediction=2, takes=60_000),
            Play("Chi", 1_000, right=14, prediction=2),
        ],
        ranks={"Bình": (1, 1, 15), "An": (2, 1, 15), "Chi": (3, 1, 14)},
        decided=["duration", "score"],
        refused=[(Play("Chi", 200_000, right=15, prediction=2), AttemptsExhausted)],
        closes="Monday 17.03.2014 00:00",
    ),
    # Points alone: whoever has as many shares the rank.
    "cong-doan-2023": Case(
        plays=[
            Play("An", 1_000, right=18),
            Play("An", 2_000, right=20),
            Play("Bình", 900_000, right=20),
            Play("Chi", 1_000, right=19),
        ],
        ranks={"An": (1, 2, 20), "Bình": (1, 1, 20), "Chi": (3, 1, 19)},
        decided=[None, "score"],
        refused=[(Play("An", 3_000, right=20), AttemptsExhausted)],
        closes="Monday 09.10.2023 00:00",
    ),
}


def golden(platform: Platform, name: str) -> Golden:
    session, contest, case = db.session(), CONTESTS[name], CASES[name]
    people = [person(session, who) for who in ("An", "Bình", "Chi", "Dũng")]
    people += [person(session, "Út", 2006), person(session, "Em", 2007), person(session, "Không rõ", None)]
    people += [person(session, "Thư ký", barred=contest.start)]
    return Golden(platform, session, contest, people, case.most_right)


def test_every_published_contest_is_played() -> None:
    assert CASES.keys() == CONTESTS.keys()


@pytest.mark.parametrize("name", CONTESTS)
def test_a_published_contest_ranks_as_its_rules_say(platform: Platform, name: str) -> None:
    case, made = CASES[name], golden(platform, name)
    for played in case.plays:
        made.play(played)
    for played, refusal in case.refused:
        with pytest.raises(refusal):
            made.play(played)
    made.make_final()
    assert made.ranks() == case.ranks
    session = db.session()
    board = why.down_the_board(session, session.get_one(Round, made.card.id), 100)
    assert [pair.decision and pair.decision.key for pair in board] == case.decided
    assert recount.check(session, [made.card.id]) == []


@pytest.mark.parametrize("name", CONTESTS)
def test_a_published_contest_keeps_its_calendar(platform: Platform, name: str) -> None:
    made, contest = golden(platform, name), CONTESTS[name]
    assert [row.number for row in made.rounds] == list(range(1, contest.rounds + 1))
    assert made.rounds[0].opens_at == contest.start
    assert f"{made.rounds[0].closes_at.astimezone(CONTEST_ZONE):%A %d.%m.%Y %H:%M}" == CASES[name].closes
    with pytest.raises(Refusal, match="round_not_open"):
        made.play(Play("An", made.card.closes - made.card.opens, right=1, takes=0))


def test_a_contest_that_uses_everything_else(platform: Platform) -> None:
    """Windows by weekday and hour, a draw in parts, the last entry, complete sheets only, ages, a late sheet, a lot."""
    session = db.session()
    people = [person(session, who) for who in ("An", "Bình", "Chi", "Dũng", "Giang")]
    people += [person(session, "Em", 2011), person(session, "Bà"), person(session, "Cụ", 1989)]
    made = Golden(platform, session, INVENTED, people)
    first = to_ms(INVENTED.windows(INVENTED.start)[0][0]) - made.card.opens  # type: ignore[misc]
    day = 24 * 3600 * 1000
    with pytest.raises(Refusal, match="round_not_open"):
        made.play(Play("An", first - 1, right=6, takes=0))
    # 10 points a question. The last entry counts, even if it is worse.
    made.play(Play("An", first + 1_000, right=3))
    made.play(Play("An", first + day + 1_000, right=6))
    made.play(Play("Bình", first + 1_000, right=6))
    made.play(Play("Bình", first + 2_000, right=5))
    made.play(Play("Chi", first + 5_000, right=6))
    made.play(Play("Dũng", first + 2_000, right=6))
    # One question left out: nothing at all. A sheet that comes too late takes part, with no points.
    made.play(Play("Giang", first + 3_000, right=5, answered=5))
    made.play(Play("Bà", first + 400_000, right=6, takes=300_000))
    for who in ("Em", "Cụ"):
        with pytest.raises(NotEligible):
            made.play(Play(who, first + 1_000, right=6))
    made.make_final()
    ranks = made.ranks()
    assert {name: (attempt, score) for name, (_, attempt, score) in ranks.items()} == {
        "An": (2, 60), "Bình": (2, 50), "Chi": (1, 60), "Dũng": (1, 60), "Giang": (1, 0), "Bà": (1, 0),
    }  # fmt: skip
    # Chi and Dũng needed one attempt and differ by lot; An needed two; Giang and Bà differ by lot.
    assert {ranks["Chi"][0], ranks["Dũng"][0]} == {1, 2}
    assert (ranks["An"][0], ranks["Bình"][0]) == (3, 4)
    assert {ranks["Giang"][0], ranks["Bà"][0]} == {5, 6}
    board = why.down_the_board(session, session.get_one(Round, made.card.id), 10)
    assert [pair.decision and pair.decision.key for pair in board] == ["lot", "attempts", "correct", "correct", "lot"]
    assert recount.check(session, [made.card.id]) == []
    assert from_ms(made.card.closes) == INVENTED.start + INVENTED.length


def test_a_late_sheet_has_nothing_right_under_any_key(platform: Platform) -> None:
    session = db.session()
    made = Golden(platform, session, INVENTED, [person(session, "An"), person(session, "Bà")])
    first = to_ms(INVENTED.windows(INVENTED.start)[0][0]) - made.card.opens  # type: ignore[misc]
    made.play(Play("An", first + 1_000, right=4))
    made.play(Play("Bà", first + 400_000, right=6, takes=300_000))
    drain(platform, made.card)
    assert made.scores() == {"An": (40, 4), "Bà": (0, 0)}
    bank = made.rounds[0].bank_version
    everything = [{"accept": [], "void": True}] * 40
    session.add(
        KeyVersion(
            round_id=made.card.id, bank_version=bank, version=2, key=everything, created_at=INVENTED.start, reason="sai"
        )
    )
    session.commit()
    regrade.apply(session, made.card.id, 2, INVENTED.start, reason="sai", actor_id=None)
    session.commit()
    assert made.scores() == {"An": (60, 6), "Bà": (0, 0)}
