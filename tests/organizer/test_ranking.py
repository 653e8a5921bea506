"""The ranking that organizers answer for: ranks, and why each stands above the next."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from quiz.extensions import Platform, db
from quiz.models import Contest, Round
from quiz.services import why
from tests.golden import Golden, Play, person
from tests.published import CONTESTS

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


def test_before_the_first_entry_the_page_says_so(organizer: FlaskClient, contest: Contest) -> None:
    page = organizer.get(f"/staff/contests/{contest.slug}/rounds/2/ranking").get_data(as_text=True)
    assert "Chưa ai có bài được tính." in page
    assert "tạm thời" in page
    assert f"/staff/contests/{contest.slug}/rounds/2/ranking" in organizer.get(
        f"/staff/contests/{contest.slug}/rounds/2"
    ).get_data(as_text=True)
