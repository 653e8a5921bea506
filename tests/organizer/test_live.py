"""What runs now and what is over, on the organizers' pages."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from quiz import clock
from quiz.extensions import Platform, db
from quiz.intake import calls
from quiz.models import Contest, Tally
from quiz.services import live, season
from quiz.services.live import Sample
from tests import seasons

MINUTE = 60_000


def take(platform: Platform, card: calls.RoundCard, person: int, *, hand_in: bool) -> None:
    now = clock.to_ms(clock.now())
    begun = calls.start(
        platform.gateway, platform.signer, 0, platform.season.get(), card, calls.Starter(person, 1, 0), now
    )
    if hand_in:
        signed = platform.signer.verify_paper(begun.token)
        calls.hand_in(platform.gateway, platform.signer, card, signed, [0] * 10, None, now)


def page(browser: FlaskClient, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def figures(said: str) -> list[str]:
    return re.findall(r'<div class="figure-card"><strong>([^<]*)</strong>', said)


def test_the_open_round_is_shown_with_what_waits_and_what_is_stored(
    organizer: FlaskClient, contest: Contest, platform: Platform
) -> None:
    card = next(card for card in platform.season.get().rounds.values() if card.number == 2)
    for person in range(1, 6):
        take(platform, card, person, hand_in=person <= 3)
    db.session.add(Tally(round_id=card.id, unit_id=1, shard=0, participants=40, entries=50, score_sum=100))
    db.session.commit()
    said = page(organizer, "/staff/live")
    # taken, in the last minute, participants, papers open, scored, waiting
    assert figures(said) == ["53", "–", "40", "2", "50", "3"]
    assert "Chưa có tiến trình chấm nào" in said
    platform.queue.set("quiz80:worker:w1", clock.now().isoformat(), ex=15)
    assert "Chưa có tiến trình chấm nào" not in page(organizer, "/staff/live")


def test_the_pace_follows_from_the_scheduler_s_samples(
    organizer: FlaskClient, contest: Contest, platform: Platform
) -> None:
    card = next(card for card in platform.season.get().rounds.values() if card.number == 2)
    now = clock.now()
    clients = platform.gateway.client, platform.queue, platform.cache, platform.season.get()
    assert live.sample(*clients, now - timedelta(seconds=90))
    assert not live.sample(*clients, now - timedelta(seconds=88))  # one every few seconds is enough
    for person in range(1, 8):
        take(platform, card, person, hand_in=True)
    assert live.sample(*clients, now - timedelta(seconds=10))
    assert figures(page(organizer, "/staff/live"))[1] == "7"


def test_nothing_is_sampled_while_nothing_is_open(platform: Platform) -> None:
    season.prime_all(db.session(), platform.gateway.client, clock.now())
    held = platform.season.refresh()
    assert not live.sample(platform.gateway.client, platform.queue, platform.cache, held, clock.now())


def samples(*taken: tuple[int, int, dict[str, int]]) -> list[Sample]:
    """The newest first, from (seconds ago, accepted, refused)."""
    return [Sample(10 * MINUTE - 1_000 * ago, accepted, refused) for ago, accepted, refused in taken]


@pytest.mark.parametrize(
    ("taken", "expected"),
    [
        ([], (None, [], {})),
        ([(0, 9, {})], (None, [], {})),
        ([(0, 90, {}), (30, 80, {}), (59, 50, {}), (61, 40, {}), (100, 10, {})], (50, [50], {})),
        ([(0, 9, {}), (61, 5, {}), (125, 1, {})], (4, [4, 4], {})),
        # A server that began anew counts from 0: what is less than before is no pace and no refusal.
        ([(0, 12, {"x": 1}), (60, 3, {"x": 0}), (70, 500, {"x": 7})], (9, [9], {"x": 1})),
        ([(0, 0, {"a": 4, "b": 9}), (90, 0, {"a": 1})], (0, [0], {"b": 9, "a": 3})),
    ],
)
def test_a_pace_from_samples(
    taken: list[tuple[int, int, dict[str, int]]], expected: tuple[int | None, list[int], dict[str, int]]
) -> None:
    found = live.pace(samples(*taken), 10 * MINUTE)
    assert (found.per_minute, found.minutes, found.refused) == expected


def test_refusals_are_said_in_words(organizer: FlaskClient, contest: Contest, platform: Platform) -> None:
    now = clock.to_ms(clock.now())
    for at, count in ((now - 30_000, 2), (now, 14)):
        platform.queue.lpush(
            "quiz80:live", f'{{"at": {at}, "accepted": 0, "refused": {{"attempts_exhausted": {count}}}}}'
        )
    said = page(organizer, "/staff/live")
    assert "<dd>12</dd>" in said
    assert "attempts_exhausted" not in said


def test_with_nothing_open_it_says_what_comes(organizer: FlaskClient, platform: Platform) -> None:
    assert "/staff/calendar" in page(organizer, "/staff/live")
    made = seasons.contest(db.session())
    to_come = seasons.scheduled_round(db.session(), made)
    to_come.opens_at, to_come.closes_at = clock.now() + timedelta(days=2), clock.now() + timedelta(days=9)
    db.session.commit()
    season.prime_all(db.session(), platform.gateway.client, clock.now())
    platform.season.refresh()
    assert "Tuần tiếp theo mở" in page(organizer, "/staff/live")


# What is over


def test_results_lead_from_the_close_to_the_publication(organizer: FlaskClient, contest: Contest) -> None:
    said = page(organizer, "/staff/results")
    base = f"/staff/contests/{contest.slug}/rounds"
    assert f'href="{base}/1#final"' in said
    assert f'href="{base}/1/ranking"' in said
    assert f'href="{base}/1/key"' in said
    assert f"{base}/2" not in said  # still open
    assert "Chốt kết quả" in said
    first = next(made for made in contest.rounds if made.number == 1)
    first.finalized_at = clock.now()
    db.session.commit()
    assert "Chốt kết quả" not in page(organizer, "/staff/results")


def test_without_results_the_way_leads_to_what_runs(organizer: FlaskClient) -> None:
    assert 'href="/staff/live"' in page(organizer, "/staff/results")
