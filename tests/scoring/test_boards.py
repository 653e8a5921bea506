"""Boards are copies: absolute values from the tallies, and the same again after they were thrown away."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from quiz import clock
from quiz.extensions import Platform, db
from quiz.intake import boards as contract
from quiz.intake.season import RoundCard
from quiz.models import Target, Unit
from scoring import boards
from tests.scoring.conftest import drain, hand_in


def unit(code: str) -> Unit:
    return db.session.scalars(select(Unit).where(Unit.code == code, Unit.valid_to.is_(None))).one()


def refresh(platform: Platform, card: RoundCard, now: Any = None) -> None:
    boards.mark_dirty(platform.cache, [card.id])
    boards.refresh_dirty(db.session(), platform.cache, boards.load_tree(db.session()), now or clock.now())


def rows(platform: Platform, card: RoundCard, name: str) -> dict[str, dict[str, Any]]:
    document = contract.read_document(platform.cache, contract.round_scope(card.id), name)
    assert document is not None
    return {row["code"]: row for row in json.loads(document.body)["rows"]}


def a_commune(province: str) -> Unit:
    return db.session.scalars(
        select(Unit).where(Unit.parent_id == unit(province).id, Unit.valid_to.is_(None)).order_by(Unit.id)
    ).first()


def test_communes_roll_up_to_their_province_and_unions_stand_beside_provinces(
    platform: Platform, card: RoundCard
) -> None:
    commune = a_commune("01")
    hand_in(platform, card, 1, 1, 2, commune.id)
    hand_in(platform, card, 2, 1, 2, unit("01").id)
    hand_in(platform, card, 3, 1, 2, unit("TNQH").id)
    drain(platform, card)
    db.session.add(
        Target(contest_id=card.contest_id, round_id=card.id, unit_id=unit("01").id, participants=8, entries=16)
    )
    db.session.commit()
    refresh(platform, card)
    provinces = rows(platform, card, contract.PROVINCES)
    assert len(provinces) == 34 + 6
    hanoi = provinces["01"]
    assert (hanoi["rank"], hanoi["participants"], hanoi["entries"]) == (1, 2, 2)
    assert (hanoi["participants_target"], hanoi["participants_pct"], hanoi["entries_pct"]) == (8, 25.0, 12.5)
    assert (provinces["TNQH"]["rank"], provinces["TNQH"]["participants_pct"]) == (2, None)
    assert provinces["04"]["rank"] == 3
    assert rows(platform, card, contract.communes_of("01"))[commune.code]["participants"] == 1
    assert len(rows(platform, card, contract.COMMUNES)) == 3321


def test_average_scores_wait_for_the_release(platform: Platform, card: RoundCard) -> None:
    hand_in(platform, card, 1, 1, 3, unit("04").id)
    drain(platform, card)
    refresh(platform, card)
    assert rows(platform, card, contract.PROVINCES)["04"]["average_score"] is None
    refresh(platform, card, clock.from_ms(card.closes) + timedelta(seconds=1))
    assert rows(platform, card, contract.PROVINCES)["04"]["average_score"] == 3.0


def test_boards_flushed_and_rebuilt_are_identical_but_for_their_time(platform: Platform, card: RoundCard) -> None:
    hand_in(platform, card, 1, 1, 3, unit("04").id)
    drain(platform, card)
    now = clock.now()
    boards.rebuild_all(db.session(), platform.cache, now)
    before = platform.cache.hgetall(contract.key_of(contract.round_scope(card.id)))
    platform.cache.flushall()
    boards.rebuild_all(db.session(), platform.cache, now)
    assert platform.cache.hgetall(contract.key_of(contract.round_scope(card.id))) == before


def test_a_board_whose_rows_did_not_change_keeps_its_etag_and_time(platform: Platform, card: RoundCard) -> None:
    hand_in(platform, card, 1, 1, 3, a_commune("01").id)
    drain(platform, card)
    refresh(platform, card)
    scope = contract.round_scope(card.id)
    before = contract.read_document(platform.cache, scope, contract.communes_of("04"))
    hand_in(platform, card, 2, 1, 3, a_commune("01").id)
    drain(platform, card)
    refresh(platform, card, clock.now() + timedelta(minutes=1))
    assert contract.read_document(platform.cache, scope, contract.communes_of("04")) == before
    assert contract.read_document(platform.cache, scope, contract.communes_of("01")) != before


def test_of_two_lanes_one_writes_and_the_other_may_when_its_turn_is_over(platform: Platform) -> None:
    assert boards.take_turn(platform.cache, 60)
    assert not boards.take_turn(platform.cache, 60)
    platform.cache.delete(boards._TURN)
    assert boards.take_turn(platform.cache, 0.5)
    left = platform.cache.pttl(boards._TURN)
    assert isinstance(left, int)
    assert 0 < left <= 500
