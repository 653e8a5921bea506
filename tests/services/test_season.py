import json
from collections import Counter
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from flask import Flask
from redis import Redis
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session, joinedload

from quiz import clock
from quiz.errors import Refusal
from quiz.extensions import Platform, db
from quiz.intake import keys
from quiz.intake.draw import BY_LOT, NEWEST, by_lot, draw
from quiz.intake.errors import IntakeUnavailable
from quiz.intake.season import RoundCard
from quiz.models import AuditEvent, Bank, Contest, KeyVersion, Option, Question, Round
from quiz.models.base import lock
from quiz.phases import Phase
from quiz.services import questions, season
from quiz.services.questions import OptionDraft, QuestionDraft
from scoring.rules import key_from, rules_document, rules_from
from tests import seasons
from tests.seasons import OPENS, WEEK


@pytest.fixture
def session(app: Flask) -> Session:
    return db.session()


@pytest.fixture
def contest(session: Session) -> Contest:
    return seasons.contest(session)


def fields_of(refusal: pytest.ExceptionInfo[Refusal]) -> list[str]:
    assert refusal.value.code == "invalid_request"
    return [error.field for error in refusal.value.errors]


def key_of(session: Session, made: Round) -> list[Any]:
    return session.scalars(select(KeyVersion.key).where(KeyVersion.round_id == made.id)).one()


# Contests and rounds


def test_a_round_that_was_read_with_its_contest_can_be_locked(session: Session, contest: Contest) -> None:
    round_id = seasons.scheduled_round(session, contest).id
    session.commit()
    session.expunge_all()
    held = session.scalars(select(Round).options(joinedload(Round.contest)).where(Round.id == round_id)).one()
    lock(session, held)
    with db.engine.connect() as other:
        other.execute(text("SELECT 1 FROM contest FOR UPDATE NOWAIT"))
        with pytest.raises(OperationalError, match="could not obtain lock"):
            other.execute(text("SELECT 1 FROM round FOR UPDATE NOWAIT"))


def test_a_new_current_contest_takes_the_place_of_the_old_one(session: Session, contest: Contest) -> None:
    seasons.contest(session, "sau")
    session.commit()
    assert session.scalars(select(Contest.slug).where(Contest.is_current)).all() == ["sau"]


@pytest.mark.parametrize("slug", ["", "Hoa", "a b", "-a", "a--b", "chào"])
def test_a_slug_is_plain(session: Session, slug: str) -> None:
    with pytest.raises(Refusal) as refusal:
        seasons.contest(session, slug)
    assert fields_of(refusal) == ["slug"]


def test_a_round_is_a_draft_with_partitions_a_secret_and_complete_rules(session: Session, contest: Contest) -> None:
    first, second = (seasons.draft_round(session, contest, number) for number in (1, 2))
    session.commit()
    assert first.phase(OPENS) is Phase.DRAFT
    assert len(first.draw_secret) == 32
    assert first.draw_secret != second.draw_secret
    assert first.shards == 16
    assert first.rules == rules_document(rules_from({}))
    for table in ("entry", "standing"):
        assert session.scalar(text(f"SELECT to_regclass('{table}_r{first.id}')::text")) == f"{table}_r{first.id}"


def test_a_rolled_back_round_leaves_no_partition(session: Session, contest: Contest) -> None:
    session.commit()
    number = seasons.draft_round(session, contest).id
    session.rollback()
    assert session.scalar(text(f"SELECT to_regclass('entry_r{number}')")) is None


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"rules": {"cap": 0}}, "rules.cap"),
        ({"rules": {"questions": 5, "draw": [{"count": 4}]}}, "rules.draw"),
        ({"rules": {"wrong": 1}}, "rules.wrong"),
        ({"windows": []}, "windows"),
        ({"windows": [(OPENS - timedelta(hours=1), OPENS + timedelta(hours=1))]}, "windows"),
        ({"windows": [(OPENS + timedelta(hours=2), OPENS + timedelta(hours=3)), (OPENS, OPENS + WEEK)]}, "windows"),
    ],
)
def test_a_round_with_bad_rules_is_refused(
    session: Session, contest: Contest, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(Refusal) as refusal:
        seasons.draft_round(session, contest, **changes)
    assert fields_of(refusal) == [field]


def test_two_rounds_of_a_contest_are_never_open_at_once(session: Session, contest: Contest) -> None:
    seasons.draft_round(session, contest)
    season.create_round(session, contest, 2, "Chồng lên", OPENS + timedelta(days=6), OPENS + 2 * WEEK, {})
    with pytest.raises(IntegrityError, match="round_windows_never_overlap"):
        session.commit()


def test_a_round_is_scheduled_only_with_a_frozen_bank(session: Session, contest: Contest) -> None:
    made = seasons.draft_round(session, contest)
    with pytest.raises(Refusal) as refusal:
        season.schedule_round(session, made, OPENS)
    assert fields_of(refusal) == ["bank"]
    season.freeze_bank(session, made, OPENS)
    season.schedule_round(session, made, OPENS - timedelta(days=1))
    season.schedule_round(session, made, OPENS)
    assert made.scheduled_at == OPENS - timedelta(days=1)
    assert made.phase(OPENS) is Phase.OPEN
    trail = session.execute(select(AuditEvent.action, AuditEvent.subject).order_by(AuditEvent.id)).all()
    assert trail == [("bank.frozen", f"round:{made.id}"), ("round.scheduled", f"round:{made.id}")]


# Freezing


def test_a_frozen_bank_is_the_questions_shuffled_with_a_key_beside_it(session: Session, contest: Contest) -> None:
    made = seasons.draft_round(session, contest)
    bank = season.freeze_bank(session, made, OPENS)
    session.commit()
    assert (bank.version, made.bank_version, made.key_version) == (1, 1, 1)
    key = key_from(key_of(session, made))
    assert [question["id"] for question in bank.content] == [str(number) for number in range(1, 21)]
    for place, question in enumerate(bank.content):
        row = session.get_one(Question, question["question_id"])
        assert (question["text"], question["topic"], question["difficulty"]) == (row.text, row.topic, row.difficulty)
        assert [option["id"] for option in question["options"]] == ["1", "2", "3", "4"]
        rights = {session.get_one(Option, option["option_id"]).right for option in question["options"]}
        assert rights == {True, False}
        mask = sum(
            1 << bit
            for bit, option in enumerate(question["options"])
            if session.get_one(Option, option["option_id"]).right
        )
        assert key[place].accept == {mask}
        assert not key[place].void
    assert [question["text"] for question in bank.content] != [draft.text for draft in seasons.drafts()]


def test_no_place_and_no_id_tells_which_option_is_right(session: Session, contest: Contest) -> None:
    """All right options stand first in the file; frozen, every place has its share."""
    made = seasons.draft_round(session, contest, bank=seasons.drafts(1200))
    made.draw_secret = b"\x07" * 32
    season.freeze_bank(session, made, OPENS)
    places = Counter(item["accept"][0].bit_length() for item in key_of(session, made))
    chi_square = sum((places[place] - 300) ** 2 / 300 for place in (1, 2, 3, 4))
    assert chi_square < 16.27  # 1 in 1,000 for 3 degrees of freedom
    assert sum(places.values()) == 1200


def test_a_bank_with_other_right_options_is_the_same_bank(session: Session, contest: Contest, redis: Redis) -> None:
    made = seasons.draft_round(session, contest)
    first = season.freeze_bank(session, made, OPENS)
    old_key = key_of(session, made)
    session.execute(update(Option).values(right=Option.position == 3))
    second = season.freeze_bank(session, made, OPENS)
    assert second.version == 2
    assert json.dumps(second.content) == json.dumps(first.content)
    new_key = session.scalars(select(KeyVersion.key).where(KeyVersion.version == 2)).one()
    assert all(old["accept"] != new["accept"] for old, new in zip(old_key, new_key, strict=True))
    season.schedule_round(session, made, OPENS)
    seasons.published(session, redis, made)
    assert redis.get(keys.bank(made.id, 1)) == redis.get(keys.bank(made.id, 2))


def test_two_rounds_with_the_same_questions_are_shuffled_differently(session: Session, contest: Contest) -> None:
    first, second = (seasons.draft_round(session, contest, number) for number in (1, 2))
    texts = [[question["text"] for question in season.freeze_bank(session, r, OPENS).content] for r in (first, second)]
    assert texts[0] != texts[1]
    assert sorted(texts[0]) == sorted(texts[1])


def test_several_right_options_make_one_accepted_set(session: Session, contest: Contest) -> None:
    both = QuestionDraft("Chọn hai?", tuple(OptionDraft(str(n), n in (1, 3)) for n in range(5)))
    made = seasons.draft_round(session, contest, bank=[both], rules={"questions": 1})
    bank = season.freeze_bank(session, made, OPENS)
    assert bank.content[0]["multiple"] is True
    (item,) = key_of(session, made)
    chosen = [option["text"] for bit, option in enumerate(bank.content[0]["options"]) if item["accept"][0] >> bit & 1]
    assert sorted(chosen) == ["1", "3"]


def test_a_question_without_a_right_option_freezes_nothing(session: Session, contest: Contest) -> None:
    made = seasons.draft_round(session, contest)
    wrong = session.scalars(select(Question).where(Question.text == "Câu hỏi 7?")).one()
    session.execute(update(Option).where(Option.question_id == wrong.id).values(right=False))
    with pytest.raises(Refusal) as refusal:
        season.freeze_bank(session, made, OPENS)
    assert fields_of(refusal) == [f"questions.{wrong.id}"]
    assert made.bank_version is None
    assert session.scalar(select(func.count()).select_from(Bank)) == 0


def test_only_the_newest_version_of_a_question_is_frozen_and_no_retired_one(session: Session, contest: Contest) -> None:
    made = seasons.draft_round(session, contest, bank=seasons.drafts(12))
    old, retired = session.scalars(select(Question).order_by(Question.id).limit(2))
    session.add(
        Question(
            stem_id=old.stem_id,
            version=2,
            text="Câu hỏi 1, sửa?",
            contest_id=contest.id,
            round_id=made.id,
            created_at=OPENS,
            options=[Option(position=n, text=str(n), right=n == 1) for n in range(1, 5)],
        )
    )
    retired.retired_at = OPENS
    session.flush()
    texts = {question["text"] for question in season.freeze_bank(session, made, OPENS).content}
    assert len(texts) == 11
    assert "Câu hỏi 1, sửa?" in texts
    assert not texts & {"Câu hỏi 1?", "Câu hỏi 2?"}


def test_a_bank_is_frozen_again_until_papers_may_be_drawn(session: Session, contest: Contest) -> None:
    made = seasons.scheduled_round(session, contest)
    questions.add_questions(session, made, [QuestionDraft("Thêm?", (OptionDraft("a", True), OptionDraft("b")))], OPENS)
    assert len(season.freeze_bank(session, made, OPENS - timedelta(seconds=1)).content) == 21
    assert (made.bank_version, made.key_version) == (2, 2)
    with pytest.raises(Refusal) as refusal:
        season.freeze_bank(session, made, OPENS)
    assert refusal.value.code == "forbidden"


# Strata


def test_without_a_draw_all_questions_are_one_stratum(session: Session, contest: Contest) -> None:
    made = seasons.draft_round(session, contest)
    bank = season.freeze_bank(session, made, OPENS)
    assert season.round_card(made, bank).strata == [(list(range(20)), 10)]


def test_a_fixed_set_is_the_bank_as_it_stands(session: Session, contest: Contest) -> None:
    made = seasons.draft_round(session, contest, rules={"questions": 20, "fixed": True})
    plan = season.round_card(made, season.freeze_bank(session, made, OPENS)).draw_plan()
    assert [draw(b"secret", who, 1, plan) for who in (1, 2)] == [list(range(20))] * 2


def test_a_bank_is_drawn_as_when_it_was_frozen(session: Session, contest: Contest) -> None:
    """An upgrade in the middle of a round changes nobody's paper."""
    made = seasons.draft_round(session, contest)
    bank = season.freeze_bank(session, made, OPENS)
    assert season.round_card(made, bank).draw_plan().way == NEWEST
    bank.draw_way = BY_LOT
    card = season.round_card(made, bank)
    assert draw(b"secret", 7, 2, card.draw_plan()) == by_lot(b"secret", 7, 2, card.draw_plan().strata)
    # A season document of the code before says nothing about ways.
    document = {name: value for name, value in msgspec.to_builtins(card).items() if name != "draw_way"}
    assert msgspec.convert(document, RoundCard).draw_plan() == card.draw_plan()


def test_a_draw_by_topic_and_difficulty_never_gives_a_question_twice(session: Session, contest: Contest) -> None:
    parts = [{"count": 3, "topic": "chẵn"}, {"count": 2, "difficulty": 1}, {"count": 1}]
    made = seasons.draft_round(session, contest, rules={"questions": 6, "draw": parts})
    content = season.freeze_bank(session, made, OPENS).content
    strata = season.strata_of(rules_from(made.rules), content)
    assert [count for _, count in strata] == [3, 2, 1]
    assert {content[place]["topic"] for place in strata[0][0]} == {"chẵn"}
    assert {(content[place]["topic"], content[place]["difficulty"]) for place in strata[1][0]} == {("lẻ", 1)}
    assert sorted(place for places, _ in strata for place in places) == list(range(20))


@pytest.mark.parametrize(
    "rules",
    [
        {"questions": 21},
        {"questions": 12, "draw": [{"count": 11, "topic": "chẵn"}, {"count": 1}]},
        # A fixed set is neither smaller nor greater than a paper.
        {"questions": 19, "fixed": True},
        {"questions": 21, "fixed": True},
        # The first part takes all that fit it: nothing is left for the second.
        {"questions": 2, "draw": [{"count": 1, "topic": "lẻ"}, {"count": 1, "topic": "lẻ"}]},
    ],
)
def test_a_bank_too_small_for_the_draw_is_refused(session: Session, contest: Contest, rules: dict[str, Any]) -> None:
    with pytest.raises(Refusal) as refusal:
        season.freeze_bank(session, seasons.draft_round(session, contest, rules=rules), OPENS)
    assert fields_of(refusal) == ["bank"]


# Publishing


def test_what_is_published_is_what_the_tables_say(
    session: Session, contest: Contest, redis: Redis, platform: Platform
) -> None:
    windows = [(OPENS, OPENS + timedelta(hours=8)), (OPENS + timedelta(hours=9), OPENS + WEEK)]
    rules = {"cap": None, "seconds": 300, "grace_seconds": 10, "late": {"accept_minutes": 3, "counts": "no"}}
    made = seasons.scheduled_round(session, contest, windows=windows, rules=rules)
    seasons.draft_round(session, contest, 2)
    seasons.published(session, redis, made)
    read = platform.season.refresh()
    assert read.current is not None
    assert [card.number for card in read.current.rounds] == [1]  # the draft stays at home
    card = read.rounds[made.id]
    assert card.windows == [(clock.to_ms(opens), clock.to_ms(closes)) for opens, closes in windows]
    assert (card.cap, card.limit, card.grace, card.late) == (None, 300_000, 10_000, 180_000)
    assert (card.opens, card.closes, card.theme) == (clock.to_ms(OPENS), clock.to_ms(OPENS + WEEK), "Chủ đề 1")
    bank = platform.season.bank(card)
    content = session.scalars(select(Bank.content)).one()
    assert [question.text for question in bank.questions] == [question["text"] for question in content]
    assert bank.option_bits[0][0] == {"1": 1, "2": 2, "3": 4, "4": 8}


def test_nothing_published_names_rows_or_the_key(session: Session, contest: Contest, redis: Redis) -> None:
    made = seasons.scheduled_round(session, contest)
    seasons.published(session, redis, made)
    document = redis.get(keys.bank(made.id, 1))
    assert isinstance(document, bytes)
    for word in (b"option_id", b"question_id", b"right", b"accept", b"explanation"):
        assert word not in document


def test_an_installation_without_contests_publishes_an_empty_season(
    session: Session, redis: Redis, platform: Platform
) -> None:
    with pytest.raises(IntakeUnavailable):
        platform.season.refresh()
    season.prime_all(session, redis, OPENS)
    assert platform.season.refresh().rounds == {}
