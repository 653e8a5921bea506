"""One drain worker from stream to commit: entries/s, with everything counted and PostgreSQL on the same machine.

Two thirds as many people as entries: half of them hand in twice. Units at random over all communes, which is the
worst case for tallies: a round opens for the whole country.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

import psutil

from bench import lab as laboratory
from bench.lab import Lab
from bench.results import Figures, middle
from bench.scale import sized
from quiz import clock
from quiz.extensions import db
from quiz.intake import keys
from quiz.intake.draw import draw
from quiz.intake.events import Paper, encode_event, encode_paper
from quiz.intake.season import RoundCard
from scoring import recount
from scoring.drain import Drain

RUNS = 3


def run() -> Figures:
    with laboratory.lab() as lab:
        contest = laboratory.add_contest(lab)
        cards = [laboratory.open_round(lab, contest, number) for number in range(1, RUNS + 1)]
        laboratory.publish(lab, contest, cards)
        entries = sized(200_000, 5_000)
        speeds, python_us, postgres_us = [], [], []
        for card in cards:
            fill(lab, card, entries)
            speed, own, database = timed(lab, card, entries)
            print(f"  {speed:,.0f} entries/s; an entry: {own:.1f} us here, {database:.1f} us in PostgreSQL", flush=True)
            speeds.append(speed)
            python_us.append(own)
            postgres_us.append(database)
        differences = recount.check(lab.session, [card.id for card in cards])
        if differences:
            raise RuntimeError(f"the drain counted wrong: {differences[:3]}")
        return {
            "drain_entries_per_s": middle(speeds, 0),
            "drain_python_us_per_entry": middle(python_us),
            "drain_postgres_us_per_entry": middle(postgres_us),
        }


def timed(lab: Lab, card: RoundCard, entries: int) -> tuple[float, float, float]:
    """(entries/s, CPU us an entry in the drain, CPU us an entry in PostgreSQL) until the streams are empty."""
    drain = Drain(db.engine, lab.platform.gateway.client, "bench")
    postgres = psutil.Process(lab.servers.postgres.pid)
    own_before, postgres_before = time.process_time(), _cpu_of_children(postgres)
    began = time.perf_counter()
    inserted = 0
    while inserted < entries:
        result = drain.turn([card], 0, 1)
        if result.dead or not result.read:
            raise RuntimeError(f"{entries - inserted} of {entries} entries are missing, {result.dead} unreadable")
        inserted += result.inserted
    seconds = time.perf_counter() - began
    own = time.process_time() - own_before
    database = _cpu_of_children(postgres) - postgres_before
    return entries / seconds, own / entries * 1e6, database / entries * 1e6


def _cpu_of_children(parent: psutil.Process) -> float:
    total = 0.0
    for child in parent.children():
        times = child.cpu_times()
        total += times.user + times.system
    return total


def fill(lab: Lab, card: RoundCard, entries: int, *, first: int = 1, among: int | None = None) -> None:
    """Write entry events into the round's streams as Lua does after a hand-in.

    Args:
        first: number of the first person; the others follow.
        among: spread them over so many people instead.
    """
    redis = lab.platform.gateway.client
    pipeline = redis.pipeline(transaction=False)
    for number, (participant, event) in enumerate(events(lab, card, entries, first, among), 1):
        pipeline.xadd(keys.entries(card.id, keys.shard_of(participant, card.shards)), {"e": event})
        if number % 2_000 == 0:
            pipeline.execute()
    pipeline.execute()


def events(
    lab: Lab, card: RoundCard, entries: int, first: int, among: int | None = None
) -> Iterator[tuple[int, bytes]]:
    chance = random.Random(card.id)
    people = entries * 2 // 3
    plan = card.draw_plan()
    attempts = [(first + index % people, 1 + index // people) for index in range(entries)]
    # Shuffled within the two attempts: a person's second comes after the first.
    for start in range(0, entries, people):
        block = attempts[start : start + people]
        chance.shuffle(block)
        attempts[start : start + people] = block
    now = clock.to_ms(clock.now())
    for place, (number, attempt) in enumerate(attempts):
        participant = number if among is None else 1 + number * 7919 % among
        questions = draw(card.draw_secret, participant, attempt, plan)
        started = now - 300_000 + place
        paper = Paper(
            issuer=0, round_id=card.id, participant=participant, attempt=attempt,
            unit=laboratory.unit_of(lab, participant), bank=1, questions=questions, started=started,
            deadline=started + card.limit,
        )  # fmt: skip
        answers = [1 << chance.randrange(4) for _ in questions]
        received = started + 60_000 + chance.randrange(240_000)
        yield participant, encode_event(encode_paper(paper), answers, None, received) + b"\x01"
