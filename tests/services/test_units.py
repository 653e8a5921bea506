"""The official units are in the tables once, and are found the way people type."""

import datetime as dt

import pytest
from sqlalchemy import func, select

from quiz.errors import Refusal
from quiz.extensions import db
from quiz.models import Unit, UnitChange
from quiz.services import units

pytestmark = pytest.mark.usefixtures("app")


def _count(*conditions) -> int:
    return db.session.scalar(select(func.count()).select_from(Unit).where(*conditions))


def test_every_official_unit_is_there_with_its_dates() -> None:
    today = Unit.valid_to.is_(None)
    assert _count(today, Unit.kind == "province") == 34
    assert _count(today, Unit.kind == "commune") == 3321
    assert _count(today, Unit.kind == "union") == 6
    assert _count(today, Unit.kind == "central") == 1
    old = Unit.valid_to == dt.date(2025, 7, 1)
    assert _count(old, Unit.kind == "province") == 63
    assert _count(old, Unit.kind == "commune") == 10051
    assert db.session.scalar(select(func.count()).select_from(UnitChange)) == 10617


def test_loading_again_changes_nothing() -> None:
    before = db.session.execute(select(Unit.id, Unit.code, Unit.name, Unit.parent_id).order_by(Unit.id)).all()
    loaded = units.load(db.session())
    db.session.commit()
    assert loaded.added == 0
    assert loaded.changes == 10617
    assert len(loaded.unnamed) == 10
    assert db.session.execute(select(Unit.id, Unit.code, Unit.name, Unit.parent_id).order_by(Unit.id)).all() == before


def test_a_code_names_another_unit_before_the_reform() -> None:
    names = dict(
        db.session.execute(select(Unit.valid_to, Unit.name).where(Unit.code == "82", Unit.kind == "province")).all()
    )
    assert names == {None: "Tỉnh Đồng Tháp", dt.date(2025, 7, 1): "Tỉnh Tiền Giang"}
    assert units.get(db.session(), "82").name == "Tỉnh Đồng Tháp"


def test_an_old_unit_knows_where_it_went() -> None:
    gone = db.session.scalar(select(Unit).where(Unit.code == "02", Unit.valid_to.isnot(None)))
    assert gone is not None
    change = db.session.scalar(select(UnitChange).where(UnitChange.from_unit_id == gone.id))
    assert change is not None
    assert db.session.get_one(Unit, change.to_unit_id).name == "Tỉnh Tuyên Quang"
    assert gone.parent is not None
    assert gone.parent.code == "TW"


def test_first_level_lists_provinces_by_name_then_unions() -> None:
    listed = units.children(db.session())
    assert len(listed) == 40
    assert [unit.kind for unit in listed] == ["province"] * 34 + ["union"] * 6
    assert {unit.parent_code for unit in listed} == {None}
    names = [unit.name.split(" ", 2 if unit.name.startswith("Thành") else 1)[-1] for unit in listed[:34]]
    assert names[:7] == ["An Giang", "Bắc Ninh", "Cà Mau", "Cao Bằng", "Cần Thơ", "Đà Nẵng", "Đắk Lắk"]
    assert names[-1] == "Vĩnh Long"


def test_communes_of_a_province() -> None:
    listed = units.children(db.session(), "01")
    assert len(listed) == 126
    assert {unit.parent_code for unit in listed} == {"01"}
    assert {unit.kind for unit in listed} == {"commune"}


@pytest.mark.parametrize("typed", ["ba dinh", "Ba Đình", "BA ĐÌNH", "đình ba", "phuong ba dinh", "00004"])
def test_search_finds_with_and_without_accents_and_by_code(typed: str) -> None:
    found = units.children(db.session(), "01", typed)
    assert "Phường Ba Đình" in [unit.name for unit in found]
    assert len(found) < 5


def test_search_puts_beginnings_of_words_first() -> None:
    found = [unit.name for unit in units.children(db.session(), None, "an")]
    assert found[:2] == ["Tỉnh An Giang", "Tỉnh Nghệ An"]
    assert "Tỉnh Cao Bằng" in found[2:]


@pytest.mark.parametrize("typed", ["%", "_", "!!", "khong co dau", "\x00", "0\x00"])
def test_search_finds_nothing_where_nothing_is(typed: str) -> None:
    assert units.children(db.session(), "01", typed) == []


@pytest.mark.parametrize("code", ["99", "", " ", "00001", "x" * 5000, "tw2", "0\x001"])
def test_an_unknown_parent_is_refused(code: str) -> None:
    with pytest.raises(Refusal, match="unknown_unit"):
        units.get(db.session(), code)


def test_home_tells_the_province() -> None:
    session = db.session()
    commune = units.get(session, "00004")
    assert units.home_of(session, commune.id).province_code == "01"
    assert units.home_of(session, units.get(session, "01").id).province_code == "01"
    assert units.home_of(session, units.get(session, "tnqh").id).province_code is None


def test_subtree_holds_the_unit_and_all_below() -> None:
    session = db.session()
    assert len(units.subtree(session, units.get(session, "01").id)) == 127
    assert len(units.subtree(session, units.get(session, "TW").id)) == 1 + 40 + 3321 + 63 + 10051
