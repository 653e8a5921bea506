"""Ten times as many as can be served, in front of the door: what is served then, against the best; and that nobody
loses a place.

The best is what people get through without a door who begin anew as soon as they are done. Then ten times
as many a second begin their first start, wait as they are told, and take the quiz; all have to come through.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from bench import lab as laboratory
from bench import papers, start, submit
from bench.lab import Lab
from bench.phones import Crowd, Journey
from bench.results import Figures
from bench.scale import sized
from quiz.intake.season import RoundCard

CONNECTIONS = 32
TIMES = 10
AT_MOST = 600.0


def run() -> Figures:
    seconds = sized(6, 2)
    with laboratory.lab() as lab:
        contest = laboratory.add_contest(lab)
        card = laboratory.open_round(lab, contest)
        laboratory.publish(lab, contest, [card])
        with laboratory.scoring(lab):
            best, used = _best(lab, card, 2 * seconds)
            with laboratory.web(lab, ready="/api/v1/contest") as (ours, _):
                people = range(used, used + round(best * TIMES * seconds))
                begun = ((at / (best * TIMES), each) for at, each in enumerate(_each(lab, card, people)))
                seen = Crowd(ours).run(begun, AT_MOST)
        submit.check(lab, card)
    through = sorted(seen.ended.get("hand-in", []))
    # The last ones come when they were told to, one by one: no crowd is left then.
    most = through[: round(len(people) * 0.9)]
    served = len(most) / most[-1]
    coming = sum(at <= seconds for at in through) / seconds
    return {
        "waiting_best_per_s": round(best),
        "waiting_people": len(people),
        "waiting_served_per_s": round(served),
        "waiting_ratio": round(served / best, 3),
        "waiting_while_they_come_ratio": round(coming / best, 3),
        "waiting_lost": len(people) - len(through),
        "waiting_asked_again": len(seen.ended.get("again", [])),
        "waiting_start_p99_ms": round(seen.percentile_ms("start", 0.99), 1),
        "waiting_hand_in_p99_ms": round(seen.percentile_ms("hand-in", 0.99), 1),
        "waiting_5xx": seen.with_status(lambda status: status >= 500),
    }


def _best(lab: Lab, card: RoundCard, seconds: int) -> tuple[float, int]:
    """What is served a second without a door, and the first person who did not take part."""
    people = 1 + CONNECTIONS * 50 * seconds
    with laboratory.web(lab, ready="/api/v1/contest", QUIZ80_DOOR_PATIENCE_MS="0") as (ours, _):
        shares = [
            _one_after_the_other(lab, card, range(1 + first, people, CONNECTIONS)) for first in range(CONNECTIONS)
        ]
        seen = Crowd(ours).run(((0.0, each) for each in shares), seconds)
    return len(seen.ended["hand-in"]) / seconds, people


def _each(lab: Lab, card: RoundCard, people: range) -> Iterator[Journey]:
    chance = random.Random(1)
    prepared = [papers.bearer_of(lab, person) for person in people]
    return (start.paper(token, card, chance) for token in prepared)


def _one_after_the_other(lab: Lab, card: RoundCard, people: range) -> Journey:
    chance = random.Random(people.start)
    for person in people:
        yield from start.paper(papers.bearer_of(lab, person), card, chance)
