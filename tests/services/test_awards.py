"""An award list from the standings to the payment; places that change hands; lots; what the database refuses."""

from __future__ import annotations

import datetime as dt
import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from quiz import clock
from quiz.errors import Refusal
from quiz.extensions import db
from quiz.models import AuditEvent, Award, AwardList, Lot, Round, Unit, User
from quiz.services.awards import effects, lists, lots, members, payout, places, reading
from tests.services.awarding import (
    HA_NOI,
    HUE,
    PRIZES,
    Staff,
    announced,
    final_round,
    made_list,
    names,
    person,
    staff,
    winners,
)


@pytest.fixture
def who(app: Flask) -> Staff:
    return staff()


@pytest.fixture
def people(who: Staff) -> list[int]:
    return [person(f"Nguyễn Văn {letter}") for letter in "ABCDEF"]


def scored(people: list[int], *scores: int, **given: Any) -> Round:
    return final_round(dict(zip(people, scores, strict=False)), **given)


def refused(act: Any) -> str:
    with pytest.raises(Refusal) as refusal:
        act()
    db.session.rollback()
    return str(refusal.value.errors[0].field)


def acts(prefix: str = "award") -> list[str]:
    return list(
        db.session.scalars(select(AuditEvent.action).where(AuditEvent.action.like(f"{prefix}%")).order_by("id"))
    )


# The steps


def test_from_the_standings_to_the_payment(who: Staff, people: list[int]) -> None:
    awarded = scored(people, 20, 19, 18, 17)
    made = made_list(awarded, who)
    assert made.state == "provisional"
    assert names(made, people) == [("first", 0), ("second", 1), ("second", 2)]
    session, now = db.session(), clock.now()
    assert refused(lambda: lists.check(session, made.id, now, actor_id=who.maker)) == "list"
    assert refused(lambda: lists.announce(session, made.id, "1", now, actor_id=who.maker)) == "list"
    for _ in range(2):
        lists.check(session, made.id, now, actor_id=who.checker)
    assert refused(lambda: lists.announce(session, made.id, "2", now, actor_id=who.maker)) == "typed"
    lists.check(session, made.id, now, actor_id=who.checker)
    for _ in range(2):
        lists.announce(session, made.id, "1", now, actor_id=who.maker)
    session.commit()
    everything = {award.id for award in made.awards}
    today = now.date()
    assert refused(lambda: lists.pay(session, made.id, everything, None, "x", now, actor_id=who.maker)) == "paid_on"
    assert refused(lambda: lists.pay(session, made.id, everything, today, " ", now, actor_id=who.maker)) == "reference"
    first = min(everything)
    lists.pay(session, made.id, {first}, today, "UNC 01", now, actor_id=who.maker)
    assert made.state == "announced"
    for _ in range(2):
        lists.pay(session, made.id, everything, today, "UNC 02", now, actor_id=who.maker)
    session.commit()
    assert made.state == "paid"
    assert session.get_one(Award, first).paid_reference == "UNC 01"
    steps = ["awards.asked", "awards.made", "awards.checked", "awards.announced", "awards.paid", "awards.paid"]
    assert acts("awards") == steps


def test_nothing_is_made_of_a_result_that_can_change_or_of_rules_without_prizes(who: Staff, people: list[int]) -> None:
    awarded = scored(people, 20)
    awarded.finalized_at, awarded.published_at = None, None
    db.session.commit()
    assert refused(lambda: lists.begin(db.session(), awarded, clock.now(), actor_id=who.maker)) == "round"
    none = scored(people, 20, number=2, rules={"prizes": []}, of=awarded.contest)
    assert refused(lambda: lists.begin(db.session(), none, clock.now(), actor_id=who.maker)) == "round"


def test_a_list_made_anew_keeps_who_stays_and_the_trace_of_who_goes(who: Staff, people: list[int]) -> None:
    awarded = scored(people, 20, 19, 18, 17)
    made = made_list(awarded, who)
    before = {award.person_id: award.id for award in made.awards}
    db.session.execute(
        text("UPDATE users SET barred_at = now(), barred_reason = 'x' WHERE id = :id"), {"id": people[1]}
    )
    made_list(awarded, who)
    assert made.version == 1
    assert names(made, people) == [("first", 0), ("second", 2), ("second", 3)]
    kept = {award.person_id: award.id for award in lists.living(made)}
    assert kept[people[0]] == before[people[0]]
    gone = [award for award in made.awards if not award.living]
    assert {award.state for award in gone} == {"superseded"}
    assert [(name, why) for name, _, why in reading.passed_over(db.session(), made)] == [
        ("Nguyễn Văn B", reading.reason_text("barred"))
    ]


# Brackets, collective and spreading prizes


def test_a_bracket_is_a_line_of_its_own_and_caps_reach_over_lines(who: Staff, people: list[int]) -> None:
    for who_, year in zip(people, (1980, 2008, 1980, 2009, 1970), strict=False):
        db.session.get_one(User, who_).birth_year = year
    young = {"key": "young", "name": "Giải trẻ", "kind": "individual", "count": 2, "value": 0, "bracket": "tre"}
    rules = {
        "brackets": [{"key": "tre", "name": "Trẻ", "max_age": 20}],
        "prizes": [*PRIZES, young],
        "prize_caps": {"person_round": 1},
    }
    made = made_list(scored(people, 20, 19, 18, 17, 16, rules=rules), who)
    assert names(made, people) == [("first", 0), ("second", 1), ("second", 2), ("young", 3)]
    assert reading.passed_over(db.session(), made)[0][2] == reading.reason_text("person_round")


def test_people_outside_of_a_province_are_a_bracket(who: Staff, people: list[int]) -> None:
    guest = person("Trần Khách", HUE)
    rules = {
        "brackets": [{"key": "ngoai", "name": "Ngoài", "units": [HA_NOI], "outside": True}],
        "prizes": [{"key": "guest", "name": "Giải khách", "kind": "individual", "count": 3, "bracket": "ngoai"}],
    }
    made = made_list(final_round({people[0]: 20, guest: 3}, rules=rules), who)
    assert winners(made) == {("guest", 1): guest}


def unit_id(code: str) -> int:
    return db.session.scalars(select(Unit.id).where(Unit.code == code, Unit.valid_to.is_(None))).one()


@pytest.mark.parametrize(
    ("by", "order"),
    [("participants", [HA_NOI, HUE]), ("member_share", [HUE, HA_NOI]), ("perfect_papers", [HUE])],
)
def test_units_are_measured_as_the_rules_say(who: Staff, people: list[int], by: str, order: list[str]) -> None:
    prize = {"key": "unit", "name": "Tập thể", "kind": "collective", "count": 3, "by": by, "level": "province"}
    guest = person("Trần Khách", HUE)
    awarded = final_round({**dict.fromkeys(people, 5), guest: 20}, rules={"prizes": [{**prize, "min_participants": 1}]})
    session = db.session()
    session.execute(
        text(
            "INSERT INTO tally (round_id, unit_id, shard, participants, entries, score_sum) "
            "SELECT round_id, unit_id, 0, count(*), count(*), sum(score) FROM standing GROUP BY 1, 2"
        )
    )
    session.execute(
        text(
            "INSERT INTO entry (round_id, participant_id, issuer, attempt, unit_id, bank_version, key_version, kind, "
            "score, correct, duration_ms, started_at, received_at, counted, questions, answers, merit) "
            "SELECT round_id, person_id, 0, 1, unit_id, 1, 1, 1, score, correct, 1, received_at, received_at, true, "
            "'', '', merit FROM standing"
        )
    )
    members.take(session, f"Mã,Số đoàn viên\n{HA_NOI},1000\n{HUE},10\n".encode(), clock.now(), actor_id=who.maker)
    made = made_list(awarded, who)
    assert [made_id for _, made_id in sorted(winners(made).items())] == [unit_id(code) for code in order]
    db.session.execute(text("UPDATE unit SET members = NULL"))
    db.session.commit()


def test_a_bad_line_of_members_is_named_and_nothing_taken(who: Staff) -> None:
    with pytest.raises(members.BadFile) as bad:
        members.take(db.session(), b"M\xc3\xa3,Members\n01,12\nXX,5\n46,none\n", clock.now(), actor_id=who.maker)
    assert [line.number for line in bad.value.lines] == [3, 4]
    assert members.counted(db.session()) == 0


def test_spreading_counts_persons_who_came_by_the_link_and_took_part(who: Staff, people: list[int]) -> None:
    one, other, *_ = people
    brought = [person(f"Khách {number}", invited_by=one) for number in range(3)]
    merged = person("Một", invited_by=other)
    twice = person("Hai", invited_by=other)
    away = person("Ba", invited_by=other)
    db.session.execute(text("UPDATE users SET person_id = :other WHERE id = :id"), {"other": other, "id": merged})
    prize = {"key": "spread", "name": "Lan tỏa", "kind": "spreading", "count": 5}
    playing = dict.fromkeys([one, other, *brought[:2], merged, twice], 5)
    made = made_list(final_round(playing, rules={"prizes": [prize]}), who)
    assert away not in playing
    assert [(each.person_id, each.why["people"]) for each in lists.living(made)] == [(one, 2), (other, 1)]


# Caps over the season


def test_prizes_of_another_round_count_for_the_season(who: Staff, people: list[int]) -> None:
    rules = {"prize_caps": {"person_season": 1}}
    one = scored(people, 20, 19, 18, rules=rules)
    made_list(one, who)
    two = scored(people, 20, 19, 18, 17, number=2, rules=rules, of=one.contest)
    assert names(made_list(two, who), people) == [("first", 3)]


@pytest.mark.parametrize("cap", ["person_round", "person_season", "unit_round", "unit_season"])
def test_the_database_holds_the_caps_too(who: Staff, people: list[int], cap: str) -> None:
    made = made_list(scored(people, 20, rules={"prize_caps": {cap: 1}}), who)
    held = made.awards[0]
    more = {name: getattr(held, name) for name in ("list_id", "name", "kind", "value", "person_id", "home_id", "why")}
    db.session.add(Award(prize="second", place=1, state="held", reason="", made_at=clock.now(), **more))
    db.session.flush()
    with pytest.raises(IntegrityError, match="award_keeps_to_the_caps"):
        db.session.commit()
    db.session.rollback()


def test_no_row_is_ever_deleted_and_a_place_has_one_winner(who: Staff, people: list[int]) -> None:
    made = made_list(scored(people, 20, 19), who)
    for table in ("award", "award_list", "award_lot"):
        if table == "award_lot":
            db.session.add(
                Lot(list_id=made.id, line="x", places=[], ids="", members=[], sha256="", made_at=clock.now())
            )
            db.session.commit()
        with pytest.raises(DBAPIError, match="append-only"):
            db.session.execute(text(f"DELETE FROM {table}"))
        db.session.rollback()
    with pytest.raises(IntegrityError, match="award_one_living_a_place"):
        db.session.execute(text("UPDATE award SET prize = 'first', place = 1"))
    db.session.rollback()


# Disqualified


def test_before_it_is_checked_everybody_moves_up(who: Staff, people: list[int]) -> None:
    made = made_list(scored(people, 20, 19, 18, 17), who)
    award = made.awards[0]
    places.disqualify(db.session(), award.id, "Thi hộ", clock.now(), actor_id=who.checker)
    assert made.state == "making"
    lists.fill(db.session(), made.id, clock.now())
    assert names(made, people) == [("first", 1), ("second", 2), ("second", 3)]
    assert (award.state, award.reason) == ("disqualified", "Thi hộ")
    places.reinstate(db.session(), award.id, "Nhầm người", clock.now(), actor_id=who.checker)
    lists.fill(db.session(), made.id, clock.now())
    assert names(made, people) == [("first", 0), ("second", 1), ("second", 2)]
    assert award.state == "disqualified"
    assert award.lifted_at is not None


def test_afterwards_the_place_is_offered_to_the_next_in_line(who: Staff, people: list[int]) -> None:
    awarded = scored(people, 20, 19, 18, 17, 16)
    made = announced(awarded, who)
    award = next(award for award in made.awards if award.prize == "first")
    session, now = db.session(), clock.now()
    assert refused(lambda: places.disqualify(session, award.id, " ", now, actor_id=who.maker)) == "reason"
    for _ in range(2):
        places.disqualify(session, award.id, "Thi hộ", now, actor_id=who.maker)
    assert names(made, people) == [("first", 3), ("second", 1), ("second", 2)]
    offered = next(award for award in lists.living(made) if award.state == "offered")
    assert [place.award.person_id for place in reading.public_places(session, made)] == people[1:3]
    assert refused(lambda: places.accept(session, offered.id, now, actor_id=who.maker)) == "award"
    for _ in range(2):
        places.accept(session, offered.id, now, actor_id=who.checker)
    session.commit()
    assert [place.award.person_id for place in reading.public_places(session, made)] == [people[3], *people[1:3]]
    # The place is another's by now; once it is free again, it can go back.
    assert refused(lambda: places.reinstate(session, award.id, "Nhầm", now, actor_id=who.maker)) == "award"
    places.disqualify(session, offered.id, "Từ chối", now, actor_id=who.checker)
    places.reinstate(session, award.id, "Nhầm", now, actor_id=who.maker)
    assert names(made, people)[0] == ("first", 0)
    history = [(place.award.person_id, place.award.state) for place in reading.history(session, made)]
    assert sorted(history) == sorted(
        [(people[0], "disqualified"), (people[3], "disqualified"), (people[4], "superseded")]
    )


def test_the_next_in_line_is_one_whom_the_caps_let(who: Staff, people: list[int]) -> None:
    rules = {"prize_caps": {"person_season": 1}}
    one = scored([people[3]], 20, rules=rules)
    made_list(one, who)
    made = announced(scored(people, 20, 19, 18, 17, 16, number=2, rules=rules, of=one.contest), who)
    places.disqualify(db.session(), made.awards[0].id, "Thi hộ", clock.now(), actor_id=who.maker)
    assert names(made, people) == [("first", 4), ("second", 1), ("second", 2)]


def test_equals_who_are_next_draw_a_lot_for_the_place(who: Staff, people: list[int]) -> None:
    made = announced(scored(people, 20, 19, 18, 17, 17), who)
    session = db.session()
    places.disqualify(session, made.awards[0].id, "Thi hộ", clock.now(), actor_id=who.maker)
    session.commit()
    session.refresh(made)
    [lot] = made.lots
    assert (lot.places, set(lot.members)) == ([["first", 1]], set(people[3:5]))
    lots.publish(session, lot.id, "Xổ số miền Bắc 25/11", clock.now(), actor_id=who.maker)
    session.commit()
    lots.draw(session, lot.id, "20418", clock.now(), actor_id=who.maker)
    places.after_the_draw(session, lot, clock.now(), actor_id=who.maker)
    assert winners(made)["first", 1] == lots.order_of(lot)[0]
    assert next(award for award in lists.living(made) if award.prize == "first").state == "offered"


# Lots


def tied(who: Staff, people: list[int]) -> tuple[AwardList, Lot]:
    made = made_list(scored(people, 20, 18, 18, 18, 10), who)
    [lot] = made.lots
    return made, lot


def test_a_tie_at_the_cut_waits_for_a_lot_that_anyone_can_check(who: Staff, people: list[int], tmp_path: Path) -> None:
    made, lot = tied(who, people)
    session = db.session()
    assert winners(made) == {("first", 1): people[0]}
    assert refused(lambda: lists.check(session, made.id, clock.now(), actor_id=who.checker)) == "list"
    assert refused(lambda: lots.draw(session, lot.id, "1", clock.now(), actor_id=who.maker)) == "lot"
    with pytest.raises(Refusal):
        lots.public(session, lot.id)
    assert refused(lambda: lots.publish(session, lot.id, "", clock.now(), actor_id=who.maker)) == "seed_source"
    lots.publish(session, lot.id, "Xổ số miền Bắc ngày 25/11", clock.now(), actor_id=who.maker)
    session.commit()
    assert lots.public(session, lot.id).sha256 == hashlib.sha256(lot.ids.encode()).hexdigest()
    assert all(str(member) not in lot.ids.split() for member in lot.members)
    assert refused(lambda: lots.draw(session, lot.id, " ", clock.now(), actor_id=who.maker)) == "seed"
    for _ in range(2):
        lots.draw(session, lot.id, "20418", clock.now(), actor_id=who.maker)
    assert refused(lambda: lots.draw(session, lot.id, "99999", clock.now(), actor_id=who.maker)) == "lot"
    lots.draw(session, lot.id, "20418", clock.now(), actor_id=who.maker)
    places.after_the_draw(session, lot, clock.now(), actor_id=who.maker)
    lists.fill(session, made.id, clock.now())
    drawn = [winners(made)["second", place] for place in (1, 2)]
    # The script outside of the project finds the same winners.
    (tmp_path / "lot.txt").write_text(lot.ids)
    command = [sys.executable, "-I", str(lots.SCRIPT), "lot.txt", lot.sha256, "20418", "2"]
    run = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    ids = [row.split()[1] for row in run.stdout.splitlines()]
    assert ids == [lots.pseudonym(made.secret, lot.line, winner or 0) for winner in drawn]
    lists.check(session, made.id, clock.now(), actor_id=who.checker)
    assert made.state == "checked"


def test_a_lot_that_nobody_needs_any_more_is_void_and_one_for_the_same_stays(who: Staff, people: list[int]) -> None:
    made, lot = tied(who, people)
    lots.publish(db.session(), lot.id, "Xổ số", clock.now(), actor_id=who.maker)
    made_list(made.round, who)
    assert [each.state for each in made.lots] == ["published"]
    db.session.execute(
        text("UPDATE users SET barred_at = now(), barred_reason = 'x' WHERE id = :id"), {"id": people[1]}
    )
    made_list(made.round, who)
    db.session.refresh(made)
    assert [each.state for each in made.lots] == ["void"]
    assert names(made, people) == [("first", 0), ("second", 2), ("second", 3)]


# Doubt, and another version


def lower(made: Round, who_: int) -> None:
    """As if a correction had taken this person's points."""
    db.session.execute(
        text("UPDATE standing SET merit = '\\x00', score = 0 WHERE round_id = :round AND person_id = :who"),
        {"round": made.id, "who": who_},
    )


def test_a_change_flags_an_announced_list_and_changes_no_winner(who: Staff, people: list[int]) -> None:
    awarded = scored(people, 20, 19, 18, 17)
    made = announced(awarded, who)
    lists.pay(
        db.session(), made.id, {made.awards[1].id}, dt.date(2026, 1, 20), "UNC 7", clock.now(), actor_id=who.maker
    )
    before = winners(made)
    effects.doubt(db.session(), awarded.id, "key", clock.now(), actor_id=who.maker, reason="x")
    assert made.doubt is None
    lower(awarded, people[0])
    effects.doubt(db.session(), awarded.id, "key", clock.now(), actor_id=who.maker, reason="Sửa đáp án")
    assert winners(made) == before
    assert made.doubt is not None
    assert made.doubt["places"] == [
        {"prize": "first", "before": ["person", people[0]], "after": ["person", people[1]]},
        {"prize": "second", "before": ["person", people[1]], "after": ["person", people[3]]},
    ]
    second = made_list(awarded, who)
    assert (second.version, made.state) == (2, "announced")
    lists.check(db.session(), second.id, clock.now(), actor_id=who.checker)
    lists.announce(db.session(), second.id, "1", clock.now(), actor_id=who.maker)
    assert (made.state, second.state) == ("replaced", "announced")
    assert names(second, people) == [("first", 1), ("second", 2), ("second", 3)]
    [(_, shown, held)] = reading.announced(db.session(), awarded.contest_id)
    assert (shown.id, len(held)) == (second.id, 3)


def test_what_was_paid_stays_with_who_wins_again(who: Staff, people: list[int]) -> None:
    awarded = scored(people, 20, 19, 18, 17)
    made = announced(awarded, who)
    third = next(award for award in made.awards if award.person_id == people[2])
    lists.pay(db.session(), made.id, {third.id}, dt.date(2026, 1, 20), "UNC 7", clock.now(), actor_id=who.maker)
    lower(awarded, people[1])
    second = announced(awarded, who)
    paid = [(award.person_id, award.paid_reference) for award in lists.living(second) if award.paid_on]
    assert paid == [(people[2], "UNC 7")]


def test_a_list_in_doubt_can_be_kept_with_a_reason_and_not_checked_before(who: Staff, people: list[int]) -> None:
    awarded = scored(people, 20, 19, 18, 17)
    made = made_list(awarded, who)
    lower(awarded, people[0])
    effects.doubt(db.session(), awarded.id, "exclusion", clock.now(), actor_id=who.maker, reason="x")
    db.session.commit()
    session = db.session()
    assert refused(lambda: lists.check(session, made.id, clock.now(), actor_id=who.checker)) == "list"
    assert refused(lambda: lists.keep(session, made.id, " ", clock.now(), actor_id=who.checker)) == "reason"
    lists.keep(session, made.id, "Quyết định của ban tổ chức", clock.now(), actor_id=who.checker)
    lists.check(session, made.id, clock.now(), actor_id=who.checker)
    assert made.state == "checked"


# What people see


def test_the_payout_has_numbers_only_for_who_may_see_them(who: Staff, people: list[int]) -> None:
    made = announced(scored(people, 20), who)
    db.session.execute(
        text("INSERT INTO identity (user_id, kind, value, created_at) VALUES (:id, 'phone', '+84911222333', now())"),
        {"id": people[0]},
    )
    without = payout.write(db.session(), made, "csv", phones=False).decode("utf-8-sig")
    assert "Nguyễn Văn A" in without
    assert "222" not in without
    assert "0911 222 333" in payout.write(db.session(), made, "csv", phones=True).decode("utf-8-sig")
    assert payout.write(db.session(), made, "xlsx", phones=False).startswith(b"PK")


def test_winners_learn_of_it_once_it_is_announced(who: Staff, people: list[int]) -> None:
    awarded = scored(people, 20)
    made_list(awarded, who)
    assert reading.of_person(db.session(), people[0]) == []
    announced(awarded, who)
    [own] = reading.of_person(db.session(), people[0])
    assert (own.round, own.name, own.value) == (1, "Giải Nhất", 4_000_000)
    assert reading.of_person(db.session(), people[1]) == []
