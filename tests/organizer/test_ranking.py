"""The ranking that organizers answer for: ranks, and why each stands above the next."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from quiz.extensions import Platform, db
from quiz.models import Contest, Round
from quiz.services import why
from tests.golden import Golden, Play, person
from tests.published import CONTESTS, Published, at

WHO = ("An", "Bình", "Chi", "Dũng")


@pytest.fixture
def played(platform: Platform) -> Golden:
    """Bình and Chi within one second, An with a prediction that is off by one, Dũng with a question less."""
    session = db.session()
    made = Golden(platform, session, CONTESTS["lich-su-dang-2019"], [person(session, who) for who in WHO])
    for play in (
        Play("An", 30_000, right=5, prediction=4),
        Play("Bình", 20_900, right=5, prediction=3),
        Play("Chi", 20_100, right=5, prediction=3),
        Play("Dũng", 1_000, right=4, prediction=3),
    ):
        made.play(play)
    made.make_final()
    return made


REASONS = [
    "Bình và Chi đồng hạng: bằng nhau ở mọi điều mà thể lệ xét.",
    "Chi xếp trên An: dự đoán lệch 0 so với 1.",
    "An xếp trên Dũng: 5 điểm so với 4.",
]


def test_each_place_says_why(organizer: FlaskClient, played: Golden) -> None:
    page = organizer.get("/staff/contests/cuoc-thi/rounds/1/ranking").get_data(as_text=True)
    places = [page.index(reason) for reason in REASONS]
    assert places == sorted(places)
    assert "Thứ hạng xét lần lượt theo: nhiều điểm hơn; dự đoán sát hơn; nộp bài sớm hơn, tính đến giây." in page
    assert "tạm thời" not in page


def test_a_page_further_down_goes_on_with_the_right_ranks(played: Golden, organizer: FlaskClient) -> None:
    session = db.session()
    ranked = session.get_one(Round, played.card.id)
    whole = why.ranking(session, ranked, 10)
    assert [(line.name, line.rank) for line in whole] == [("Bình", 1), ("Chi", 1), ("An", 3), ("Dũng", 4)]
    for first in range(5):
        assert why.ranking(session, ranked, 2, offset=first) == whole[first : first + 2]
    # Beyond the end there is nothing, and no number breaks the page.
    for after in ("999999999", "-5", "x"):
        assert organizer.get(f"/staff/contests/cuoc-thi/rounds/1/ranking?after={after}").status_code == 200


def test_brackets_are_ranked_among_themselves(platform: Platform, organizer: FlaskClient, client: FlaskClient) -> None:
    session = db.session()
    brackets = [
        {"key": "tre", "name": "Đến 20 tuổi", "max_age": 20},
        {"key": "sinh-vien", "name": "Sinh viên", "kinds": ["student"]},
        {"key": "khong-ai", "name": "Không ai", "units": ["79"], "kinds": ["soldier"]},
    ]
    published = Published("Bảng", at(2026, 1, 5), 1, {"questions": 5, "brackets": brackets})
    people = [person(session, who, 2006 if who in ("Bình", "Dũng") else 1990) for who in WHO]
    for one in people[:3]:
        one.member_kind = "student"
    made = Golden(platform, session, published, people)
    for played, right in zip(WHO, (5, 4, 4, 3), strict=True):
        made.play(Play(played, 1_000 * (1 + WHO.index(played)), right=right))
    made.make_final()
    ranked = session.get_one(Round, made.card.id)

    def ranks(bracket: str | None, first: int = 0) -> list[tuple[str, int]]:
        return [(line.name, line.rank) for line in why.ranking(session, ranked, 10, first, bracket)]

    assert ranks(None) == [("An", 1), ("Bình", 2), ("Chi", 3), ("Dũng", 4)]
    # The first bracket that fits: Bình is a student as well.
    assert ranks("tre") == [("Bình", 1), ("Dũng", 2)]
    assert ranks("sinh-vien") == [("An", 1), ("Chi", 2)]
    assert ranks("sinh-vien", 1) == [("Chi", 2)]
    assert ranks("khong-ai") == []
    page = organizer.get("/staff/contests/cuoc-thi/rounds/1/ranking?bracket=tre").get_data(as_text=True)
    assert "Bình xếp trên Dũng: 4 điểm so với 3." in page
    assert "Chi xếp trên" not in page
    assert organizer.get("/staff/contests/cuoc-thi/rounds/1/ranking?bracket=x").status_code == 404

    board = client.get("/api/v1/boards/participants?round=1&bracket=sinh-vien").get_json()
    assert [(row["rank"], row["score"]) for row in board["rows"]] == [(1, 5), (2, 4)]
    assert len(client.get("/api/v1/boards/participants?round=1").get_json()["rows"]) == 4
    assert client.get("/api/v1/boards/participants?round=1&bracket=x").status_code == 404
    assert client.get("/api/v1/boards/participants?bracket=tre").status_code == 404
    people_page = client.get("/boards/people?round=1&bracket=tre", headers={"Accept-Language": "vi"})
    assert 'aria-current="page">Đến 20 tuổi</a>' in people_page.get_data(as_text=True)


def test_before_the_first_entry_the_page_says_so(organizer: FlaskClient, contest: Contest) -> None:
    page = organizer.get(f"/staff/contests/{contest.slug}/rounds/2/ranking").get_data(as_text=True)
    assert "Chưa ai có bài được tính." in page
    assert "tạm thời" in page
    assert f"/staff/contests/{contest.slug}/rounds/2/ranking" in organizer.get(
        f"/staff/contests/{contest.slug}/rounds/2"
    ).get_data(as_text=True)
