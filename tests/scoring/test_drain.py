"""From the stream to the tables: once, whatever happens."""

from __future__ import annotations

import psycopg
import pytest
from sqlalchemy import text

from quiz import clock
from quiz.extensions import Platform, db
from quiz.intake import calls, keys
from quiz.intake.season import RoundCard
from quiz.models import KeyVersion
from scoring import recount
from scoring.drain import Drain
from tests.scoring.conftest import drain, hand_in


def tallies(card: RoundCard) -> dict[int, tuple[int, int, int]]:
    rows = db.session.execute(
        text("SELECT unit_id, sum(participants), sum(entries), sum(score_sum) FROM tally GROUP BY 1")
    )
    return {row[0]: (int(row[1]), int(row[2]), int(row[3])) for row in rows}


def test_entries_become_standings_and_tallies(platform: Platform, card: RoundCard) -> None:
    for participant, attempt, right, unit in [(1, 1, 2, 10), (1, 2, 4, 10), (2, 1, 3, 10), (3, 1, 0, 11)]:
        hand_in(platform, card, participant, attempt, right, unit)
    assert drain(platform, card) == 4
    assert tallies(card) == {10: (2, 3, 7), 11: (1, 1, 0)}
    best = db.session.execute(text("SELECT person_id, attempt, score, entries FROM standing ORDER BY 1")).all()
    assert [tuple(row) for row in best] == [(1, 2, 4, 2), (2, 1, 3, 1), (3, 1, 0, 1)]
    assert recount.check(db.session(), [card.id]) == []
    assert on_the_streams(platform, card) == 0


def test_a_later_batch_moves_a_standing_and_its_tally(platform: Platform, card: RoundCard) -> None:
    hand_in(platform, card, 1, 1, 1, 10)
    drain(platform, card)
    hand_in(platform, card, 1, 2, 3, 11)
    drain(platform, card)
    hand_in(platform, card, 1, 3, 2, 11)
    drain(platform, card)
    # The home unit stays the one of the first entry, whatever unit the later papers name.
    assert tallies(card) == {10: (1, 3, 3)}
    assert recount.check(db.session(), [card.id]) == []


def test_the_same_event_twice_counts_once(platform: Platform, card: RoundCard) -> None:
    event = hand_in(platform, card, 1, 1, 2)
    stream = keys.entries(card.id, keys.shard_of(1, card.shards))
    for _ in range(3):
        platform.gateway.client.xadd(stream, {"e": event})
    assert drain(platform, card) == 1
    assert tallies(card) == {1: (1, 1, 2)}


def on_the_streams(platform: Platform, card: RoundCard) -> int:
    return sum(platform.gateway.client.xlen(keys.entries(card.id, shard)) for shard in range(card.shards))


def taken_off(platform: Platform) -> int:
    return sum(map(int, platform.gateway.client.hvals(keys.DRAINED)))


def test_a_batch_committed_but_not_taken_off_counts_once(platform: Platform, card: RoundCard) -> None:
    hand_in(platform, card, 1, 1, 2)

    class DiesBeforeItTakesOff(Drain):
        def _take_off(self, batch):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        DiesBeforeItTakesOff(db.engine, platform.gateway.client, "test").turn([card], 0, 1, block_ms=1)
    assert tallies(card) == {1: (1, 1, 2)}
    db.session.rollback()
    assert drain(platform, card) == 0
    assert tallies(card) == {1: (1, 1, 2)}
    assert on_the_streams(platform, card) == platform.gateway.client.xlen(keys.DEAD_LETTERS) == 0


def test_two_drains_of_a_lane_count_each_entry_once_and_pass_over_none(platform: Platform, card: RoundCard) -> None:
    """What another drain stores, and what comes in, between a drain's reading and its storing and taking off."""
    for participant in (1, 2, 5):
        hand_in(platform, card, participant, 1, 2)
    other = Drain(db.engine, platform.gateway.client, "other")

    class Overtaken(Drain):
        overtaken = False

        def _store_at_once(self, portion, *, again):
            if not self.overtaken:
                self.overtaken = True
                hand_in(platform, card, 9, 1, 2)
                assert other.turn([card], 0, 1, block_ms=1).inserted == 4
                hand_in(platform, card, 13, 1, 2)
            return super()._store_at_once(portion, again=again)

    assert Overtaken(db.engine, platform.gateway.client, "test").turn([card], 0, 1, block_ms=1).inserted == 0
    assert on_the_streams(platform, card) == 1
    assert other.turn([card], 0, 1, block_ms=1).inserted == 1
    assert taken_off(platform) == 5
    assert platform.gateway.client.xlen(keys.DEAD_LETTERS) == 0
    assert tallies(card) == {1: (5, 5, 10)}
    assert recount.check(db.session(), [card.id]) == []


def test_a_stream_that_begins_anew_with_lower_ids_is_read_from_its_beginning(
    platform: Platform, card: RoundCard
) -> None:
    """Redis lost its data, and its clock is behind."""
    event = hand_in(platform, card, 1, 1, 2)
    runner = Drain(db.engine, platform.gateway.client, "test")
    assert runner.turn([card], 0, 1, block_ms=1).inserted == 1
    stream = keys.entries(card.id, keys.shard_of(1, card.shards))
    platform.gateway.client.delete(stream)
    platform.gateway.client.xadd(stream, {"e": event}, id="1-1")
    assert runner.turn([card], 0, 1, block_ms=1).read == 1
    assert on_the_streams(platform, card) == 0


def test_a_bad_message_stands_alone_in_the_dead_letters(platform: Platform, card: RoundCard) -> None:
    shard = keys.shard_of(1, card.shards)
    for participant in range(1, 41, 4):
        hand_in(platform, card, participant, 1, 2)
    platform.gateway.client.xadd(keys.entries(card.id, shard), {"e": b"\x01garbage\x01"})
    future = calls.Paper(0, card.id, 401, 1, 1, 1, [0, 1, 2, 99], 0, 1)
    _, signed = platform.signer.sign_paper(future)
    event = calls.encode_event(signed.payload, [1, 1, 1, 1], None, 5) + b"\x01"
    platform.gateway.client.xadd(keys.entries(card.id, shard), {"e": event})
    assert drain(platform, card) == 10
    dead = platform.gateway.client.xrange(keys.DEAD_LETTERS)
    assert [message[1][b"error"].split(b":")[0] for message in dead] == [b"UnreadableEvent", b"IndexError"]
    assert on_the_streams(platform, card) == 0
    assert taken_off(platform) == 12
    assert recount.check(db.session(), [card.id]) == []


def test_a_wrong_tally_or_standing_is_found_and_repaired(platform: Platform, card: RoundCard) -> None:
    hand_in(platform, card, 1, 1, 2)
    hand_in(platform, card, 2, 1, 2)
    drain(platform, card)
    db.session.execute(text("UPDATE tally SET entries = entries + 1 WHERE shard = 0"))
    db.session.execute(text("UPDATE standing SET score = 4 WHERE person_id = 2"))
    db.session.execute(text("UPDATE contest_tally SET participants = participants + 1 WHERE shard = 0"))
    tables = {difference.table for difference in recount.check(db.session(), [card.id])}
    assert tables == {"standing", "tally", "contest_standing", "contest_tally"}
    recount.repair(db.session(), [card.id])
    assert recount.check(db.session(), [card.id]) == []


def test_each_lane_adds_to_tally_rows_of_its_own(platform: Platform, card: RoundCard) -> None:
    """Lanes have people of their own, so no row is left that two drains could wait for."""
    for participant in range(1, 9):
        hand_in(platform, card, participant, 1, 2, 10)
    for lane in range(2):
        Drain(db.engine, platform.gateway.client, "test").turn([card], lane, 2, block_ms=1)
    for table in ("tally", "contest_tally"):
        rows = db.session.execute(text(f"SELECT unit_id, shard, participants, entries FROM {table} ORDER BY 2")).all()
        assert [tuple(row) for row in rows] == [(10, 0, 4, 4), (10, 1, 4, 4)]
    assert recount.check(db.session(), [card.id]) == []


def test_what_was_packed_ahead_under_an_older_key_is_packed_again(
    platform: Platform, card: RoundCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scoring.drain.BATCH", 2)
    monkeypatch.setattr("scoring.drain.LEAST", 1)
    for participant in range(1, 13):
        hand_in(platform, card, participant, 1, 2)
    runner = Drain(db.engine, platform.gateway.client, "test")
    runner.turn([card], 0, 1, block_ms=1)
    # By now the third batch is read and packed with the first key.
    runner.turn([card], 0, 1, block_ms=1)
    session = db.session()
    everything = [{"accept": [1, 2], "void": False}] * 4
    session.add(KeyVersion(round_id=card.id, bank_version=1, version=2, key=everything, created_at=clock.now()))
    session.execute(text("UPDATE round SET key_version = 2"))
    session.commit()
    while runner.turn([card], 0, 1, block_ms=1).read:
        pass
    scores = session.execute(text("SELECT key_version, score, count(*) FROM entry GROUP BY 1, 2 ORDER BY 1")).all()
    assert [tuple(row) for row in scores] == [(1, 2, 8), (2, 4, 4)]
    assert recount.check(session, [card.id]) == []


def test_after_a_failure_the_same_drain_reads_again_what_it_had_and_what_it_had_read_ahead(
    platform: Platform, card: RoundCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scoring.drain.BATCH", 2)
    monkeypatch.setattr("scoring.drain.LEAST", 1)
    for participant in range(1, 9):
        hand_in(platform, card, participant, 1, 2)

    class FailsOnce(Drain):
        failures = 1

        def _store_at_once(self, portion, *, again):
            if self.failures:
                self.failures -= 1
                raise psycopg.OperationalError("the server went away")
            return super()._store_at_once(portion, again=again)

    runner = FailsOnce(db.engine, platform.gateway.client, "test")
    with pytest.raises(psycopg.OperationalError):
        runner.turn([card], 0, 1, block_ms=1)
    # The oldest first: to take off a later batch would take these off, too.
    inserted = runner.turn([card], 0, 1, block_ms=1).inserted
    assert set(db.session.scalars(text("SELECT participant_id FROM entry"))) == {1, 2, 3, 4}
    db.session.rollback()
    while (result := runner.turn([card], 0, 1, block_ms=1)).read:
        inserted += result.inserted
    assert inserted == 8
    assert on_the_streams(platform, card) == 0
    assert recount.check(db.session(), [card.id]) == []
