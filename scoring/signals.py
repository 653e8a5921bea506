"""What looks odd in a round, laid before people with its evidence: nothing here excludes or bars anybody.

Four kinds, with thresholds in the open (docs/trust.md): sheets handed in faster than they can be read, the same wrong
answers of neighbours at the same time, many accounts on one device, and group sessions far better than the round.
Work is bounded: a million entries are read by PostgreSQL in stretches of units, what comes out of them is capped, and
no step looks at all pairs of anything.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from quiz.models import Signal, SignalEntry
from scoring import rules as rules_room

Progress = Callable[[int, int], None]
"""Called with (entries looked at, entries of the round); may raise to stop before anything is written."""
EntryName = tuple[int, int, int]
"""(participant, issuer, attempt)"""


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on something is shown. Far enough that what is shown is rare; never so far that it is proof."""

    reading_chars_per_minute: int = 863
    """Silent reading, the mean of 17 languages (IReST: Trauzettel-Klosinski and Dietz 2012)."""
    reading_share: float = 0.2
    """Faster than this share of the time that reading questions and options takes."""
    speed_deviations: float = 3.0
    """And so many deviations below the round's usual time, both as logarithms, measured by quartiles."""
    speed_least_entries: int = 30
    """A round with fewer has no usual time."""
    twin_minutes: int = 10
    twin_same_wrong: int = 3
    twin_alike: float = 0.8
    """Share of the questions that both were asked and answered alike, right or wrong."""
    twin_chance_log10: float = -5.0
    """And by chance at most one pair in 10^5 would be so alike."""
    device_people: int = 5
    """Families share a phone; so many accounts on one in one round are shown."""
    session_entries: int = 10
    session_deviations: float = 4.0
    """So far the share of all-right sheets of a group session lies above that of the round."""
    most: int = 500
    """The strongest of each kind are kept; how many there were stands in the scan."""


LIMITS = Limits()
_STRETCH = 100_000
"""Entries that one statement of the search for twins reads."""
_SAMPLE = 20_000
_PAIRS = 20_000
_RAREST = 6
"""Of an entry's wrong answers so many, the rarest, are looked up: C(6, 3) = 20 patterns of three."""
_NAMED = 200
"""Entries named in one signal; its evidence has their whole number."""


@dataclass(slots=True)
class Found:
    subject: str
    strength: int
    evidence: dict[str, Any]
    entries: list[EntryName] = field(default_factory=list)


def find(
    session: Session, round_id: int, now: datetime, progress: Progress | None = None, limits: Limits = LIMITS
) -> dict[str, Any]:
    """Look through a round and keep what was found. The caller commits. Run again, it makes nothing twice.

    What staff have decided stays as it was; what is open gets the newest evidence.

    Returns:
        Figures of the scan: `{kind: {found, kept}, "limits": …}`.

    Raises:
        LookupError: the round has no key for one of its banks.
    """
    _lay_ground(session, round_id)
    kinds: dict[str, list[Found]] = {
        "speed": _speed(session, round_id, limits),
        "device": _devices(session, round_id, limits),
        "session": _sessions(session, round_id, limits),
        "twins": _twins(session, round_id, limits, progress),
    }
    figures: dict[str, Any] = {"limits": asdict(limits)}
    for kind, each_found in kinds.items():
        found = sorted(each_found, key=lambda each: (-each.strength, each.subject))
        kept = found[: limits.most]
        for each in kept:
            _keep(session, round_id, kind, each, now)
        figures[kind] = {"found": len(found), "kept": len(kept)}
    return figures


def _keep(session: Session, round_id: int, kind: str, found: Found, now: datetime) -> None:
    statement = insert(Signal).values(
        round_id=round_id,
        kind=kind,
        subject=found.subject,
        strength=found.strength,
        evidence=found.evidence,
        state="open",
        found_at=now,
        reason="",
    )
    statement = statement.on_conflict_do_update(
        index_elements=[Signal.round_id, Signal.kind, Signal.subject],
        set_={"strength": statement.excluded.strength, "evidence": statement.excluded.evidence},
        where=Signal.state == "open",
    )
    signal_id = session.scalar(statement.returning(Signal.id))
    if signal_id is None:
        return  # somebody has decided it
    names = [
        {"signal_id": signal_id, "participant_id": participant, "issuer": issuer, "attempt": attempt}
        for participant, issuer, attempt in found.entries[:_NAMED]
    ]
    session.execute(insert(SignalEntry).on_conflict_do_nothing(), names)


# What the searches share


def _lay_ground(session: Session, round_id: int) -> None:
    """`reading`: ms to read each question of the banks. `accepted`: answers that are right; `void`: questions without
    a wrong answer. An answer is named by its item: place of the question times 2^16 plus bit mask."""
    for table, columns in (
        ("reading", "bank_version int, place int, ms float, PRIMARY KEY (bank_version, place)"),
        ("accepted", "bank_version int, item bigint, PRIMARY KEY (bank_version, item)"),
        ("void", "bank_version int, place int, PRIMARY KEY (bank_version, place)"),
    ):
        session.execute(text(f"DROP TABLE IF EXISTS {table}"))
        session.execute(text(f"CREATE TEMP TABLE {table} ({columns}) ON COMMIT DROP"))
    chars_per_ms = LIMITS.reading_chars_per_minute / 60_000
    for version, content in _banks(session, round_id):
        reading = [
            {"b": version, "place": place, "ms": _length(question) / chars_per_ms}
            for place, question in enumerate(content)
        ]
        if reading:
            session.execute(text("INSERT INTO reading VALUES (:b, :place, :ms)"), reading)
    for version, key in _keys(session, round_id):
        right = [{"b": version, "item": place << 16 | mask} for place, each in enumerate(key) for mask in each.accept]
        void = [{"b": version, "place": place} for place, each in enumerate(key) if each.void]
        if right:
            session.execute(text("INSERT INTO accepted VALUES (:b, :item)"), right)
        if void:
            session.execute(text("INSERT INTO void VALUES (:b, :place)"), void)
    for table in ("reading", "accepted", "void"):
        session.execute(text(f"ANALYZE {table}"))


def _banks(session: Session, round_id: int) -> list[tuple[int, Sequence[Mapping[str, Any]]]]:
    rows = session.execute(text("SELECT version, content FROM bank WHERE round_id = :id"), {"id": round_id})
    return [(row.version, row.content) for row in rows]


def _length(question: Mapping[str, Any]) -> int:
    return len(question["text"]) + sum(len(option["text"]) for option in question["options"])


def _keys(session: Session, round_id: int) -> list[tuple[int, list[rules_room.QuestionKey]]]:
    rows = session.execute(
        text(
            "SELECT DISTINCT ON (k.bank_version) k.bank_version, k.key FROM key_version k "
            "JOIN round r ON r.id = k.round_id WHERE k.round_id = :id AND k.version <= r.key_version "
            "ORDER BY k.bank_version, k.version DESC"
        ),
        {"id": round_id},
    )
    return [(row.bank_version, rules_room.key_from(row.key)) for row in rows]


def _unpacked(column: str) -> str:
    """SQL for the i-th of the two-byte numbers in a column."""
    return f"(get_byte({column}, 2 * i) << 8 | get_byte({column}, 2 * i + 1))"


# Impossible speed


def _speed(session: Session, round_id: int, limits: Limits) -> list[Found]:
    """People with sheets that were handed in faster than they can be read, and far faster than others of the round."""
    usual = session.execute(text(_USUAL), {"id": round_id}).one()
    if usual.entries < limits.speed_least_entries:
        return []
    low, middle, high = usual.quartiles
    cut = math.exp(middle - limits.speed_deviations * (high - low) / 1.349)
    rows = session.execute(
        text(_QUICK), {"id": round_id, "cut": cut, "share": limits.reading_share, "most": 20 * limits.most}
    )
    people: dict[int, list[Any]] = {}
    for row in rows:
        people.setdefault(row.person_id, []).append(row)
    return [_quick(person, entries, math.exp(middle), cut) for person, entries in people.items()]


def _quick(person: int, entries: Sequence[Any], usual_ms: float, cut_ms: float) -> Found:
    worst = max(entries, key=_speed_strength)
    return Found(
        subject=str(person),
        strength=_speed_strength(worst),
        evidence={
            "people": 1,
            "entries": len(entries),
            "duration_ms": worst.duration_ms,
            "reading_ms": round(worst.reading_ms),
            "limit_ms": round(worst.limit_ms),
            "usual_ms": round(usual_ms),
            "cut_ms": round(cut_ms),
            "correct": worst.correct,
            "questions": worst.questions,
        },
        entries=[(row.participant_id, row.issuer, row.attempt) for row in entries],
    )


def _speed_strength(row: Any) -> int:
    """Half how far below the limit, half how much of it was right: a random sheet handed in at once gains nothing."""
    strength: float = 50 * (1 - row.duration_ms / row.limit_ms) + 50 * row.correct / row.questions
    return round(strength)


_USUAL = """
SELECT count(*) AS entries,
       percentile_cont(ARRAY[0.25, 0.5, 0.75]) WITHIN GROUP (ORDER BY ln(greatest(duration_ms, 1))) AS quartiles
FROM entry WHERE round_id = :id AND kind = 1 AND counted
"""
# The longest question bounds every sheet: only what is below that can be below its own reading time.
_QUICK = f"""
WITH bound AS (SELECT max(ms) AS longest FROM reading), quick AS (
    SELECT e.participant_id, e.issuer, e.attempt, e.duration_ms, e.correct, length(e.questions) / 2 AS questions,
           (SELECT sum(r.ms) FROM generate_series(0, length(e.questions) / 2 - 1) i
            JOIN reading r ON r.bank_version = e.bank_version AND r.place = {_unpacked("e.questions")}) AS reading_ms
    FROM entry e, bound
    WHERE e.round_id = :id AND e.kind = 1 AND e.counted AND length(e.questions) > 0
      AND e.duration_ms < :cut AND e.duration_ms < :share * bound.longest * length(e.questions) / 2
)
SELECT coalesce(u.person_id, q.participant_id) AS person_id, q.*, :share * q.reading_ms AS limit_ms
FROM quick q LEFT JOIN users u ON u.id = q.participant_id AND u.person_id <> u.id
WHERE q.duration_ms < :share * q.reading_ms
ORDER BY q.duration_ms / q.reading_ms - q.correct::float / q.questions, q.participant_id, q.attempt LIMIT :most
"""


# Devices and group sessions


def _devices(session: Session, round_id: int, limits: Limits) -> list[Found]:
    """Devices on which many people took part, outside group sessions."""
    rows = session.execute(text(_DEVICES), {"id": round_id, "people": limits.device_people, "most": limits.most})
    return [
        Found(
            subject=row.device,
            strength=min(100, 10 * row.people),
            evidence={
                "people": row.people,
                "entries": row.entries,
                "all_right": row.all_right,
                "first": row.first.isoformat(),
                "last": row.last.isoformat(),
                "least_people": limits.device_people,
            },
            entries=[tuple(name) for name in row.names],
        )
        for row in rows
    ]


_DEVICES = """
SELECT e.device, count(DISTINCT coalesce(u.person_id, e.participant_id)) AS people, count(*) AS entries,
       count(*) FILTER (WHERE e.correct = length(e.questions) / 2) AS all_right,
       min(e.received_at) AS first, max(e.received_at) AS last,
       jsonb_agg(jsonb_build_array(e.participant_id, e.issuer, e.attempt)
                 ORDER BY e.received_at, e.participant_id) AS names
FROM entry e LEFT JOIN users u ON u.id = e.participant_id AND u.person_id <> u.id
WHERE e.round_id = :id AND e.device IS NOT NULL AND e.session_id IS NULL
GROUP BY e.device HAVING count(DISTINCT coalesce(u.person_id, e.participant_id)) >= :people
ORDER BY people DESC, e.device LIMIT :most
"""


def _sessions(session: Session, round_id: int, limits: Limits) -> list[Found]:
    """Group sessions whose share of all-right sheets lies far above that of the round."""
    rows = session.execute(
        text(_SESSIONS), {"id": round_id, "least": limits.session_entries, "far": limits.session_deviations}
    )
    return [
        Found(
            subject=str(row.session_id),
            strength=min(100, round(10 * row.deviations)),
            evidence={
                "people": row.people,
                "entries": row.entries,
                "all_right": row.all_right,
                "round_share": round(row.share, 4),
                "deviations": round(row.deviations, 1),
                "usual_ms": round(row.usual_ms),
                "round_usual_ms": round(row.round_usual_ms),
                "least_deviations": limits.session_deviations,
            },
            entries=[tuple(name) for name in row.names],
        )
        for row in rows
    ]


_SESSIONS = """
WITH usual AS (
    SELECT avg((correct = length(questions) / 2)::int)::float AS share,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY duration_ms) AS round_usual_ms
    FROM entry WHERE round_id = :id
), held AS (
    SELECT session_id, count(*) AS entries, count(DISTINCT participant_id) AS people,
           count(*) FILTER (WHERE correct = length(questions) / 2) AS all_right,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY duration_ms) AS usual_ms,
           jsonb_agg(jsonb_build_array(participant_id, issuer, attempt) ORDER BY received_at, participant_id) AS names
    FROM entry WHERE round_id = :id AND session_id IS NOT NULL
    GROUP BY session_id HAVING count(*) >= :least
), measured AS (
    SELECT held.*, usual.*, (held.all_right::float / held.entries - usual.share)
           / sqrt(usual.share * (1 - usual.share) / held.entries) AS deviations
    FROM held, usual WHERE usual.share > 0 AND usual.share < 1
)
SELECT * FROM measured WHERE deviations >= :far
"""


# Twins


class _Sheet(NamedTuple):
    participant: int
    issuer: int
    attempt: int
    bank: int
    questions: bytes
    answers: bytes
    received: datetime

    @property
    def name(self) -> EntryName:
        return self.participant, self.issuer, self.attempt

    def given(self) -> dict[int, int]:
        """Place of the question → bit mask of what was chosen; unanswered ones are left out."""
        pairs = zip(_numbers(self.questions), _numbers(self.answers), strict=True)
        return {place: mask for place, mask in pairs if mask}


def _numbers(packed: bytes) -> list[int]:
    return [int.from_bytes(packed[at : at + 2]) for at in range(0, len(packed), 2)]


@dataclass(frozen=True, slots=True)
class Likeness:
    """Two sheets side by side."""

    shared: int
    """Questions that both answered."""
    alike: int
    """Of those, answered the same way, right or wrong."""
    same_wrong: list[int]
    """Items that both chose and that are wrong."""
    chance_log10: float
    """log10 of how likely so many same wrong answers are by chance alone."""


def likeness(
    one: Mapping[int, int], other: Mapping[int, int], is_wrong: Callable[[int], bool], share: Callable[[int], float]
) -> Likeness:
    """Compare two sheets. Pure.

    The chance: each same wrong answer happens with the share of those asked who chose it, and any of the shared
    questions could have been those answered differently: prod(shares) * C(shared, shared - alike). That both have a
    question right is taken for certain: people who know it agree.

    Args:
        is_wrong: item → whether the answer is wrong.
        share: item → share of those who were asked the question that chose this answer.
    """
    shared = one.keys() & other.keys()
    alike = [place << 16 | one[place] for place in shared if one[place] == other[place]]
    same_wrong = sorted(item for item in alike if is_wrong(item))
    chance = sum(math.log10(share(item)) for item in same_wrong)
    chance += math.log10(math.comb(len(shared), len(shared) - len(alike)))
    return Likeness(len(shared), len(alike), same_wrong, min(0.0, chance))


def _twins(session: Session, round_id: int, limits: Limits, progress: Progress | None) -> list[Found]:
    """Groups of people of one unit whose sheets of about the same time have the same wrong answers.

    Patterns of three wrong answers are the index: sheets of one unit with the same pattern stand side by side in the
    order of time, and only neighbours there are compared. So a million sheets cost a sort, not a million squared.
    """
    shares = _wrong_shares(session, round_id)
    session.execute(text("DROP TABLE IF EXISTS twin"))
    session.execute(text(_TWIN_TABLE))
    total = session.scalar(text("SELECT count(*) FROM entry WHERE round_id = :id"), {"id": round_id}) or 0
    done = 0
    for units, entries in _stretches(session, round_id):
        session.execute(
            text(_NEIGHBOURS),
            {
                "id": round_id,
                "units": units,
                "wrong": limits.twin_same_wrong,
                "rarest": _RAREST,
                "rare": shares.rare,
                "near": timedelta(minutes=limits.twin_minutes),
            },
        )
        done += entries
        if progress is not None:
            progress(done, total)
    return _groups(list(_pairs(session, round_id, shares, limits)), limits)


@dataclass(frozen=True, slots=True)
class _Shares:
    known: Mapping[tuple[int, int], float]
    """(bank version, item) of wrong answers → share of those asked who gave it."""
    rare: float
    """For what the sample does not have."""
    right: frozenset[tuple[int, int]]
    void: frozenset[tuple[int, int]]
    """(bank version, place)"""

    def is_wrong(self, bank: int, item: int) -> bool:
        return (bank, item) not in self.right and (bank, item >> 16) not in self.void

    def of(self, bank: int, item: int) -> float:
        return self.known.get((bank, item), self.rare)


def _wrong_shares(session: Session, round_id: int) -> _Shares:
    """How usual each wrong answer is, from a sample of people; also laid into `wrong_share` for the statements."""
    people = session.scalar(text("SELECT sum(participants) FROM tally WHERE round_id = :id"), {"id": round_id}) or 0
    session.execute(text("DROP TABLE IF EXISTS wrong_share"))
    session.execute(text(_WRONG_SHARES), {"id": round_id, "one_in": max(1, -(-int(people) // _SAMPLE))})
    session.execute(text("ALTER TABLE wrong_share ADD PRIMARY KEY (bank_version, item)"))
    session.execute(text("ANALYZE wrong_share"))
    rows = session.execute(text("SELECT bank_version, item, share, asked FROM wrong_share")).all()
    right = session.execute(text("SELECT bank_version, item FROM accepted")).all()
    void = session.execute(text("SELECT bank_version, place FROM void")).all()
    return _Shares(
        known={(row.bank_version, row.item): row.share for row in rows},
        rare=min(1 / (1 + row.asked) for row in rows) if rows else 0.5,
        right=frozenset((row.bank_version, row.item) for row in right),
        void=frozenset((row.bank_version, row.place) for row in void),
    )


def _stretches(session: Session, round_id: int) -> Iterator[tuple[list[int], int]]:
    """Units, some at a time, with how many entries they have: twins are of one unit."""
    rows = session.execute(
        text("SELECT unit_id, count(*) AS entries FROM entry WHERE round_id = :id GROUP BY 1 ORDER BY 1"),
        {"id": round_id},
    ).all()
    units: list[int] = []
    entries = 0
    for row in rows:
        units.append(row.unit_id)
        entries += row.entries
        if entries >= _STRETCH:
            yield units, entries
            units, entries = [], 0
    if units:
        yield units, entries


def _pairs(
    session: Session, round_id: int, shares: _Shares, limits: Limits
) -> Iterator[tuple[_Sheet, _Sheet, Likeness, _Shares]]:
    rows = session.execute(text(_CANDIDATES), {"id": round_id, "pairs": _PAIRS})
    for row in rows:
        one, other = _Sheet(*row[:7]), _Sheet(*row[7:])

        def is_wrong(item: int, bank: int = one.bank) -> bool:
            return shares.is_wrong(bank, item)

        def share(item: int, bank: int = one.bank) -> float:
            return shares.of(bank, item)

        seen = likeness(one.given(), other.given(), is_wrong, share)
        if (
            len(seen.same_wrong) >= limits.twin_same_wrong
            and seen.alike >= limits.twin_alike * seen.shared
            and seen.chance_log10 <= limits.twin_chance_log10
        ):
            yield one, other, seen, shares


def _groups(pairs: Sequence[tuple[_Sheet, _Sheet, Likeness, _Shares]], limits: Limits) -> list[Found]:
    """Pairs that hang together are one group: a hall that copied is one signal."""
    head: dict[EntryName, EntryName] = {}

    def find_head(name: EntryName) -> EntryName:
        while head.setdefault(name, name) != name:
            head[name] = head[head[name]]
            name = head[name]
        return name

    for one, other, _, _ in pairs:
        first, second = sorted((find_head(one.name), find_head(other.name)))
        head[second] = first
    groups: dict[EntryName, list[tuple[_Sheet, _Sheet, Likeness, _Shares]]] = {}
    for pair in pairs:
        groups.setdefault(find_head(pair[0].name), []).append(pair)
    return [_group(members, limits) for members in groups.values()]


def _group(pairs: Sequence[tuple[_Sheet, _Sheet, Likeness, _Shares]], limits: Limits) -> Found:
    names = sorted({sheet.name for one, other, _, _ in pairs for sheet in (one, other)})
    one, other, seen, shares = min(pairs, key=lambda pair: (pair[2].chance_log10, pair[0].name))
    return Found(
        subject=".".join(map(str, names[0])),
        strength=min(100, round(-10 * seen.chance_log10)),
        evidence={
            "people": len({name[0] for name in names}),
            "entries": len(names),
            "pairs": len(pairs),
            "shared": seen.shared,
            "alike": seen.alike,
            "same_wrong": len(seen.same_wrong),
            "apart_ms": round(abs((one.received - other.received).total_seconds()) * 1000),
            "chance_log10": round(seen.chance_log10, 1),
            "bank": one.bank,
            "pair": [list(one.name), list(other.name)],
            "answers": [
                {"place": item >> 16, "mask": item & 0xFFFF, "share": round(shares.of(one.bank, item), 4)}
                for item in seen.same_wrong
            ],
            "twin_minutes": limits.twin_minutes,
        },
        entries=names,
    )


# One answer a row: what was asked, what was chosen, as place and mask.
_ANSWERS = f"""
    SELECT {_unpacked("e.questions")} AS place, {_unpacked("e.answers")} AS mask
    FROM generate_series(0, length(e.questions) / 2 - 1) i
"""
_WRONG_SHARES = f"""
CREATE TEMP TABLE wrong_share ON COMMIT DROP AS
WITH given AS (
    SELECT e.bank_version, a.place, a.mask, count(*) AS times
    FROM entry e CROSS JOIN LATERAL ({_ANSWERS}) a
    WHERE e.round_id = :id AND e.participant_id % :one_in = 0 GROUP BY 1, 2, 3
), asked AS (SELECT *, sum(times) OVER (PARTITION BY bank_version, place) AS asked FROM given)
SELECT a.bank_version, (a.place::bigint << 16 | a.mask) AS item, (a.times / a.asked)::float AS share,
       a.asked::bigint AS asked
FROM asked a LEFT JOIN accepted r ON r.bank_version = a.bank_version AND r.item = (a.place::bigint << 16 | a.mask)
LEFT JOIN void v ON v.bank_version = a.bank_version AND v.place = a.place
WHERE a.mask <> 0 AND r.item IS NULL AND v.place IS NULL
"""
_TWIN_TABLE = """
CREATE TEMP TABLE twin (
    participant_a bigint, issuer_a smallint, attempt_a smallint,
    participant_b bigint, issuer_b smallint, attempt_b smallint, rarity float
) ON COMMIT DROP
"""
_PATTERN = "PARTITION BY unit_id, bank_version, first, second, third ORDER BY received_at, participant_id, attempt"
_BEFORE = ", ".join(
    f"lag({name}, {back}) OVER pattern AS {name}_{back}"
    for back in (1, 2)
    for name in ("participant_id", "issuer", "attempt", "person_id", "received_at")
)
_NEIGHBOURS = f"""
INSERT INTO twin
WITH sheet AS (
    SELECT e.unit_id, e.bank_version, e.participant_id, e.issuer, e.attempt, e.received_at,
           coalesce(u.person_id, e.participant_id) AS person_id, w.items, w.rarities
    FROM entry e LEFT JOIN users u ON u.id = e.participant_id AND u.person_id <> u.id
    CROSS JOIN LATERAL (
        SELECT array_agg(item ORDER BY item) AS items, array_agg(-log(share) ORDER BY item) AS rarities FROM (
            SELECT (a.place::bigint << 16 | a.mask) AS item, coalesce(s.share, :rare) AS share
            FROM ({_ANSWERS}) a
            LEFT JOIN accepted r
                ON r.bank_version = e.bank_version AND r.item = (a.place::bigint << 16 | a.mask)
            LEFT JOIN void v ON v.bank_version = e.bank_version AND v.place = a.place
            LEFT JOIN wrong_share s
                ON s.bank_version = e.bank_version AND s.item = (a.place::bigint << 16 | a.mask)
            WHERE a.mask <> 0 AND r.item IS NULL AND v.place IS NULL
            ORDER BY 2, 1 LIMIT :rarest
        ) rarest
    ) w
    WHERE e.round_id = :id AND e.unit_id = ANY(:units) AND e.counted AND cardinality(w.items) >= :wrong
      AND length(e.questions) / 2 - e.correct >= :wrong
), pattern AS (
    SELECT s.unit_id, s.bank_version, s.participant_id, s.issuer, s.attempt, s.person_id, s.received_at,
           s.items[x] AS first, s.items[y] AS second, s.items[z] AS third,
           s.rarities[x] + s.rarities[y] + s.rarities[z] AS rarity
    FROM sheet s, generate_series(1, :rarest) x, generate_series(1, :rarest) y, generate_series(1, :rarest) z
    WHERE x < y AND y < z AND z <= cardinality(s.items)
), beside AS (
    SELECT *, {_BEFORE} FROM pattern WINDOW pattern AS ({_PATTERN})
)
SELECT participant_id, issuer, attempt, participant_id_1, issuer_1, attempt_1, rarity FROM beside
WHERE person_id <> person_id_1 AND received_at - received_at_1 <= :near
UNION ALL
SELECT participant_id, issuer, attempt, participant_id_2, issuer_2, attempt_2, rarity FROM beside
WHERE person_id <> person_id_2 AND received_at - received_at_2 <= :near
"""
_SHEET = "{0}.participant_id, {0}.issuer, {0}.attempt, {0}.bank_version, {0}.questions, {0}.answers, {0}.received_at"
_CANDIDATES = f"""
WITH pair AS (
    SELECT participant_a, issuer_a, attempt_a, participant_b, issuer_b, attempt_b, max(rarity) AS rarity
    FROM twin GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 7 DESC, 1, 3, 4, 6 LIMIT :pairs
)
SELECT {_SHEET.format("a")}, {_SHEET.format("b")} FROM pair p
JOIN entry a ON a.round_id = :id AND (a.participant_id, a.issuer, a.attempt) = (participant_a, issuer_a, attempt_a)
JOIN entry b ON b.round_id = :id AND (b.participant_id, b.issuer, b.attempt) = (participant_b, issuer_b, attempt_b)
"""
