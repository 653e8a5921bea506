"""The key never leaves before its release: not in a page, an answer, a log, a cache, an error, an id or an order.

Two worlds are built that differ in nothing but the right flags of the bank, the same people do the same things in
both, and everything that comes out has to be the same, byte for byte. Then the two are compared after the release,
where they must differ: otherwise the comparison would see nothing.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis
from sqlalchemy import select, text
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from quiz import clock
from quiz.extensions import Platform, db
from quiz.intake import keys
from quiz.intake.calls import Starter
from quiz.models import KeyVersion
from quiz.services import accounts, papers, releases, season
from quiz.services.papers import Desk
from quiz.services.questions import QuestionDraft
from quiz.services.season import banks, contests
from tests import seasons
from tests.api.conftest import PASSWORD, RULES, Caller, Clock, World
from tests.conftest import _empty

PHONES = {"hoa": 12_345_678, "nam": 87_654_321}
"""Hoa always takes the first option that is shown, Nam the last: of any bank they know different parts."""
ANYBODY = "anybody"
VARYING_HEADERS = {"Set-Cookie", "X-Request-Id", "Date"}
VARYING_KEYS = re.compile(r"quiz80:(season:version|metrics:.*)")
CSRF = re.compile(r'(name="csrf_token" value=")[^"]*')


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The time of the server, moved by the test."""
    hand = Clock()
    monkeypatch.setattr(clock, "now", lambda: hand.now)
    return hand


# Two worlds


def flags(right: Callable[[int], int], count: int = 20) -> list[QuestionDraft]:
    """Questions of four options; `right` says which option of each is right."""
    return [
        replace(
            draft,
            options=tuple(replace(option, right=place == right(number)) for place, option in enumerate(draft.options)),
        )
        for number, draft in enumerate(seasons.drafts(count))
    ]


def build(app: Flask, at: Clock, bank: list[QuestionDraft]) -> World:
    """Empty tables and Redis, then a contest of a closed, an open and a coming round with this bank."""
    db.session.rollback()
    _empty(app)
    at.now = Clock().now
    session = db.session()
    contest = seasons.contest(session)
    made = {n: seasons.scheduled_round(session, contest, n, rules=RULES, bank=bank) for n in (1, 2, 3)}
    session.commit()
    world = World(app.extensions["quiz80"], at, made)
    world.prime()
    return world


# What comes out


@dataclass
class Out:
    """Everything that left the house, in order, each with where it came from."""

    seen: list[tuple[str, Any]] = field(default_factory=list)

    def add(self, where: str, answer: TestResponse) -> TestResponse:
        headers = sorted((name, value) for name, value in answer.headers if name not in VARYING_HEADERS)
        self.seen.append((where, (answer.status_code, headers, CSRF.sub(r"\1", answer.get_data(as_text=True)))))
        return answer

    def differences(self, other: Out) -> list[str]:
        assert [where for where, _ in self.seen] == [where for where, _ in other.seen]
        return [where for (where, mine), (_, theirs) in zip(self.seen, other.seen, strict=True) if mine != theirs]


class Person:
    """Somebody at the API and, with the same account, at the pages."""

    def __init__(self, app: Flask, out: Out, name: str) -> None:
        self.name = name
        self.out = out
        self.pages = app.test_client()
        self.caller = Caller(app.test_client(), PHONES.get(name, 0))
        self.receipt = "A" * 24

    def api(self, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
        answer = self.caller.client.open(
            f"/api/v1{path}", method=method, json=body, headers={**self.caller.headers, **headers}
        )
        return self.out.add(f"{self.name} {method} /api/v1{path} {headers}", answer)

    def page(self, method: str, path: str, **form: Any) -> TestResponse:
        return self.out.add(f"{self.name} {method} {path}", self.pages.open(path, method=method, data=form or None))

    def enter(self) -> None:
        self.caller.token = self.api(
            "POST",
            "/participants",
            {
                "phone": self.caller.phone,
                "password": PASSWORD,
                "full_name": f"Nguyễn {self.name}",
                "unit_code": "00004",
                "consent": True,
            },
        ).json["token"]
        self.page("POST", "/sign-in", phone=self.caller.phone, password=PASSWORD)

    def choice(self, question: dict[str, Any]) -> list[str]:
        return [question["options"][0 if self.name == "hoa" else -1]["id"]]

    def take_part(self, number: int) -> None:
        """All that can be done with a paper, the wrong ways too."""
        paper = self.api("POST", f"/rounds/{number}/papers", {}).json
        self.api("POST", f"/rounds/{number}/papers", {})
        answers = {question["id"]: self.choice(question) for question in paper["questions"]}
        sheet = {"paper": paper["paper"], "answers": answers, "prediction": 5}
        self.api("PUT", "/papers/draft", {**sheet, "seq": 1})
        for wrong in (
            {**sheet, "answers": {**answers, "99": ["1"]}},
            {**sheet, "answers": {question: ["9"] for question in answers}},
            {**sheet, "answers": {question: ["1", "2"] for question in answers}},
            {**sheet, "answers": None},
            {**sheet, "paper": sheet["paper"][:-2] + "AA"},
            {**sheet, "prediction": "five"},
        ):
            self.api("POST", "/entries", wrong)
        self.receipt = self.api("POST", "/entries", sheet).json["receipt"]
        self.api("POST", "/entries", {**sheet, "answers": {}})

    def take_part_on_pages(self, number: int) -> None:
        self.page("GET", "/")
        self.page("POST", f"/rounds/{number}/start")
        shown = self.page("GET", "/paper").get_data(as_text=True)
        token = re.search(r'name="paper" value="([^"]+)"', shown)
        assert token, "the page shows its paper"
        options = re.findall(r'name="q(\d+)" value="([^"]+)"', shown)
        answers = {f"q{question}": option for question, option in options}  # the last of each
        self.page("POST", "/paper", paper=token[1], act="keep", **answers)
        self.page("GET", "/paper")
        self.page("POST", "/paper", paper=token[1], act="hand_in", sure="1", **answers)
        self.page("GET", "/paper")
        with self.pages.session_transaction() as held:
            self.out.seen.append((f"{self.name} session", {k: v for k, v in held.items() if k != "csrf_token"}))

    def look_at_everything(self, app: Flask, number: int, *languages: str) -> None:
        """Every address that can be read."""
        for path in readable(app, number, self.receipt):
            for language in languages:
                if path.startswith("/api/"):
                    self.api("GET", path.removeprefix("/api/v1"), **{"Accept-Language": language})
                else:
                    answer = self.pages.get(path, headers={"Accept-Language": language})
                    self.out.add(f"{self.name} GET {path} {language}", answer)


LOOKED_AT_APART = {"asset", "static", "api_docs.read", "api_docs.openapi", "ops.ready", "ops.alive", "ops.figures"}
"""Files and pages that hold nothing of a contest; of /metrics the counts are compared, without what time changes."""


def readable(app: Flask, number: int, receipt: str) -> list[str]:
    """Every GET address of the application, with the arguments that lead somewhere.

    An address with an argument that nobody named here fails: it would not be looked at. Staff's addresses refuse the
    people of this piece whatever stands in them.
    """
    # There is no lot before a result is final: its addresses answer as if they were unknown.
    known = {"number": number, "receipt": receipt, "slug": "cuoc-thi", "lot_id": 1, "code": "00000000"}
    searches = {
        "units": ["", "?parent=01", "?q=ba+dinh"],
        "boards/units": [
            "",
            f"?round={number}",
            f"?round={number}&level=commune",
            f"?round={number}&level=commune&parent=01",
            "?level=commune",
        ],
        "boards/participants": ["", f"?round={number}", f"?round={number}&unit=00004", "?unit=01"],
        "boards": ["", f"?round={number}", f"?round={number}&parent=01", "?parent=01"],
        "boards/people": ["", f"?round={number}", f"?round={number}&unit=00004"],
    }
    found = []
    for rule in sorted(app.url_map.iter_rules(), key=str):
        if "GET" not in (rule.methods or ()) or rule.endpoint in LOOKED_AT_APART:
            continue
        given = {**dict.fromkeys(rule.arguments, 1), **known} if rule.rule.startswith("/staff") else known
        assert rule.arguments <= given.keys(), f"{rule}: say here what leads somewhere"
        path = re.sub(r"<(?:\w+:)?(\w+)>", lambda match, given=given: str(given[match[1]]), rule.rule)
        plain = re.sub(r"^/(api/v1/(contests/[^/]+/)?)?", "", path)
        found += [path + search for search in searches.get(plain, [""])]
    return found


def held_by_redis(redis: Redis) -> dict[str, Any]:
    """Every value of every key: caches, records, drafts, boards, queues."""
    found: dict[str, Any] = {}
    for raw in redis.scan_iter():
        name = raw.decode()
        if VARYING_KEYS.fullmatch(name):
            continue
        readers: dict[bytes, Callable[[], Any]] = {
            b"string": lambda name=name: redis.get(name),
            b"hash": lambda name=name: redis.hgetall(name),
            b"set": lambda name=name: redis.smembers(name),
            b"zset": lambda name=name: redis.zrange(name, 0, -1, withscores=True),
            b"list": lambda name=name: redis.lrange(name, 0, -1),
            # Ids carry Redis's own clock.
            b"stream": lambda name=name: [fields for _, fields in redis.xrange(name)],
        }
        found[name] = readers[redis.type(name)]()
    return found


def figures(client: FlaskClient) -> Counter[str]:
    """The counts of /metrics, without what time and the machine change."""
    page = client.get("/metrics").get_data(as_text=True)
    counted: Counter[str] = Counter()
    for line in page.splitlines():
        name, _, value = line.rpartition(" ")
        if not line.startswith("#") and not re.match(r"quiz80_(process|request_seconds|boards_age|oldest)", name):
            counted[name] = int(float(value))
    return counted


def said(lines: str) -> list[dict[str, Any]]:
    """Log lines without time and request ids."""
    varying = {"timestamp", "ms", "request_id", "seconds"}
    return [
        {name: value for name, value in json.loads(line).items() if name not in varying} for line in lines.splitlines()
    ]


# The comparison


class Theatre:
    """Plays the same piece in worlds that differ in their right flags only."""

    def __init__(self, app: Flask, at: Clock, capsys: pytest.CaptureFixture[str]) -> None:
        self.app = app
        self.at = at
        self.capsys = capsys

    def play(self, right: Callable[[int], int], *, after_the_close: bool = False) -> Out:
        world = build(self.app, self.at, flags(right))
        platform = world.platform
        self.capsys.readouterr()
        before = figures(self.app.test_client())
        out = Out()
        people = [Person(self.app, out, name) for name in (*PHONES, ANYBODY)]
        for person in people[:2]:
            person.enter()
            person.take_part(2)
            person.take_part_on_pages(2)
            self.at.forward(seconds=30)
        people[0].look_at_everything(self.app, 2, "vi")
        # An attempt stays open over the drain and lies in Redis.
        people[0].api("POST", "/rounds/2/papers", {})
        out.seen.append(("entries drained", world.drain()))
        # What processes hold for a while is looked up again.
        self.at.forward(minutes=2)
        if after_the_close:
            self.at.now = seasons.OPENS + 2 * seasons.WEEK
            world.write_boards()
        for person, languages in zip(people, (("en",), ("vi",), ("vi", "en")), strict=True):
            person.look_at_everything(self.app, 2, *languages)
        out.seen.append(("redis", held_by_redis(platform.cache)))
        counted = figures(self.app.test_client())
        counted.subtract(before)
        out.seen.append(("figures", dict(counted)))
        out.seen.append(("log", said(self.capsys.readouterr().err)))
        return out


@pytest.fixture
def theatre(app: Flask, at: Clock, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Theatre:
    # The rounds' secrets are chance; here both worlds get the same.
    monkeypatch.setattr(contests.secrets, "token_bytes", lambda size: b"\x2a" * size)
    return Theatre(app, at, capsys)


def first(_number: int) -> int:
    return 0


def another(number: int) -> int:
    return 1 + number % 3


def test_nothing_that_comes_out_before_the_release_depends_on_the_key(theatre: Theatre) -> None:
    one, other = theatre.play(first), theatre.play(another)
    assert one.differences(other) == []
    assert len(one.seen) > 150


def test_no_log_line_has_what_people_trust_us_with(
    app: Flask, at: Clock, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Phone numbers, passwords, tokens, papers, receipts and names, when it goes well and when it does not."""
    build(app, at, flags(first))
    out = Out()
    capsys.readouterr()
    hoa = Person(app, out, "hoa")
    hoa.enter()
    hoa.take_part(2)
    hoa.take_part_on_pages(2)
    secrets = {hoa.caller.phone, hoa.caller.phone[1:], PASSWORD, hoa.caller.token, hoa.receipt, "Nguyễn hoa"}
    secrets |= set(re.findall(r'"paper":"([^"]+)"', "".join(str(seen) for _, seen in out.seen)))
    # The number is taken; the password is wrong; PostgreSQL's own words come up in an error that nobody expected.
    hoa.api("POST", "/participants", {"phone": hoa.caller.phone, "password": PASSWORD, "full_name": "Nguyễn hoa"})
    hoa.api("POST", "/tokens", {"phone": hoa.caller.phone, "password": "not " + PASSWORD})
    with monkeypatch.context() as broken:
        broken.setattr(accounts, "sign_in", _stumble)
        answer = hoa.api("POST", "/tokens", {"phone": hoa.caller.phone, "password": PASSWORD})
        assert answer.status_code == 500
    lines = capsys.readouterr().err
    assert "internal_error" in lines
    assert "IntegrityError" in lines
    assert [secret for secret in secrets if secret in lines] == []
    assert len(secrets) > 6


def _stumble(session: Session, *_: object) -> None:
    """Insert the same identity twice: the database's refusal quotes the row."""
    session.execute(text("INSERT INTO identity SELECT * FROM identity"))


def test_the_comparison_sees_what_is_released_after_the_close(theatre: Theatre) -> None:
    one, other = (theatre.play(right, after_the_close=True) for right in (first, another))
    different = one.differences(other)
    assert any("/me/entries" in where for where in different)
    assert any("GET /boards/people" in where for where in different)
    assert "redis" in different  # the average scores of the boards


@pytest.mark.parametrize(
    ("leak", "places"),
    [
        ("score_is_out", ["/api/v1/me/entries", "/api/v1/boards/participants", "GET /boards/people", "GET /entries"]),
        ("key_is_out", ["/api/v1/entries/", "GET /entries/"]),
    ],
)
def test_the_comparison_sees_a_leak(
    theatre: Theatre, monkeypatch: pytest.MonkeyPatch, leak: str, places: list[str]
) -> None:
    monkeypatch.setattr(releases, leak, lambda *_: True)
    different = theatre.play(first).differences(theatre.play(another))
    assert [place for place in places if not any(place in where for where in different)] == []


def test_the_comparison_sees_an_order_that_comes_from_the_key(
    theatre: Theatre, monkeypatch: pytest.MonkeyPatch
) -> None:
    def right_first(_secret: bytes) -> Callable[[bytes, Sequence[Any]], list[Any]]:
        return lambda _what, things: sorted(things, key=lambda thing: not getattr(thing, "right", False))

    monkeypatch.setattr(banks, "_shuffler", right_first)
    different = theatre.play(first).differences(theatre.play(another))
    assert any("/rounds/2/papers" in where for where in different)


# Ids and places

LIMIT = 21.1
"""Chi square of four kinds: a fair draw is above it once in ten thousand. The secrets are fixed, so it never flakes."""


def chi_square(counts: Counter[int]) -> float:
    expected = sum(counts.values()) / 4
    return sum((counts[kind] - expected) ** 2 / expected for kind in range(4))


@dataclass
class Frozen:
    """The bank of a round after freezing: what papers show, and what only this test may know."""

    desk: Desk
    round_id: int

    def right_texts(self) -> dict[str, str]:
        """Question id → text of its right option."""
        card = self.desk.seasons.get().rounds[self.round_id]
        key = db.session.scalars(
            select(KeyVersion.key).where(
                KeyVersion.round_id == self.round_id, KeyVersion.bank_version == card.bank_version
            )
        ).one()
        bank = self.desk.seasons.bank(card)
        return {
            question.id: question.options[answer["accept"][0].bit_length() - 1].text
            for question, answer in zip(bank.questions, key, strict=True)
        }

    def papers(self, count: int, now: int) -> Iterator[list[papers.ShownQuestion]]:
        card = self.desk.seasons.get().rounds[self.round_id]
        for participant in range(1, count + 1):
            started = papers.start(self.desk, card, Starter(participant, 1, 0), now, db.session)
            yield papers.shown_questions(self.desk, card, started.paper)


def frozen(platform: Platform, at: Clock, secret: bytes, number: int = 2) -> Frozen:
    """A round that is open, whose right option is the first of every question as the organizer typed it."""
    session = db.session()
    contest = seasons.contest(session)
    made = seasons.draft_round(session, contest, number, bank=flags(first))
    made.draw_secret = secret
    season.freeze_bank(session, made, seasons.OPENS - seasons.WEEK)
    season.schedule_round(session, made, seasons.OPENS - seasons.WEEK)
    seasons.published(session, platform.gateway.client, made, at.now)
    platform.season.forget()
    return Frozen(Desk(platform.gateway, platform.signer, 0, platform.season), made.id)


def places(held: Frozen, at: Clock, count: int) -> tuple[Counter[int], Counter[int]]:
    """How often the right option stands at each place, and how often its id has each rank among the question's."""
    right = held.right_texts()
    shown: Counter[int] = Counter()
    ranked: Counter[int] = Counter()
    for paper in held.papers(count, int(at.now.timestamp() * 1000)):
        for question in paper:
            place = [option.text for option in question.options].index(right[question.id])
            shown[place] += 1
            ranked[sorted(option.id for option in question.options).index(question.options[place].id)] += 1
    return shown, ranked


def test_the_right_option_has_every_place_and_every_id_as_often(platform: Platform, at: Clock) -> None:
    """Over 1,000 papers of one bank, whatever its order."""
    for found in places(frozen(platform, at, b"\x07" * 32), at, 1_000):
        assert sum(found.values()) == 10_000
        assert chi_square(found) < LIMIT


def test_that_measure_sees_options_that_are_not_turned(
    platform: Platform, at: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(papers, "rotations", lambda _secret, _participant, _attempt, count: [0] * count)
    for found in places(frozen(platform, at, b"\x07" * 32), at, 1_000):
        assert chi_square(found) > LIMIT


def ranks_of_ids(freezes: int) -> Counter[int]:
    """The rank of the right option's id among its question's ids: four papers of ten questions a freeze."""
    session = db.session()
    contest = seasons.contest(session)
    made = seasons.draft_round(session, contest, 2, bank=flags(first, 40))
    found: Counter[int] = Counter()
    for freeze in range(freezes):
        made.draw_secret = freeze.to_bytes(32)
        session.flush()
        bank = season.freeze_bank(session, made, seasons.OPENS - seasons.WEEK)
        key = session.scalars(
            select(KeyVersion.key).where(KeyVersion.round_id == made.id, KeyVersion.bank_version == bank.version)
        ).one()
        for question, answer in zip(bank.content, key, strict=True):
            ids = sorted(option["id"] for option in question["options"])
            right = question["options"][answer["accept"][0].bit_length() - 1]["id"]
            found[ids.index(right)] += 1
    return found


def test_the_right_options_id_has_every_rank_as_often(app: Flask) -> None:
    """A round's ids are as its freeze shuffled them: what can be learnt from all rounds is nothing."""
    found = ranks_of_ids(250)
    assert sum(found.values()) == 10_000
    assert chi_square(found) < LIMIT


def test_that_measure_sees_ids_in_the_order_of_the_form(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(banks, "_shuffler", lambda _secret: lambda _what, things: list(things))
    assert chi_square(ranks_of_ids(10)) > 500


def test_no_document_that_processes_hold_has_a_right_flag(platform: Platform, at: Clock) -> None:
    held = frozen(platform, at, b"\x07" * 32)
    card = platform.season.get().rounds[held.round_id]
    redis = platform.gateway.client
    for name in (keys.SEASON, keys.bank(card.id, card.bank_version or 0)):
        document = redis.get(name)
        assert isinstance(document, bytes)
        assert "Giải thích".encode() not in document  # an explanation gives the answer away
        names = set(fields_in(msgspec.msgpack.decode(document, strict=False)))
        assert not names & {"right", "accept", "void", "mask", "correct"}
        assert names & {"options", "rounds"}


def fields_in(value: Any) -> Iterator[str]:
    """The names of all fields of a document."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from fields_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from fields_in(inner)
