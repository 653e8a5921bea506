"""People that nobody is: the demo's, and those of a benchmark. Marked as such and without a password."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import msgspec
import psycopg
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from quiz import clock
from quiz.errors import Refusal
from quiz.intake import calls
from quiz.intake.gateway import Gateway
from quiz.intake.season import RoundCard, Season
from quiz.intake.signing import Signer
from quiz.models import Unit
from quiz.phases import window_at
from quiz.services import bearer
from quiz.services.accounts import Account

T = TypeVar("T")
R = TypeVar("R")

CALLERS = 128
"""Threads that call intake at once: the gateway sends what waits as one write, which Redis syncs to disk once."""
_COLUMNS = (
    "id", "person_id", "full_name", "birth_year", "unit_id", "role", "auth_epoch", "consent_at", "created_at",
    "synthetic",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SyntheticPerson:
    full_name: str
    unit_id: int
    created_at: datetime
    birth_year: int | None = None


class Minted(msgspec.Struct, frozen=True):
    """What a benchmark's client needs: who it is, and a started paper."""

    token: str
    paper: str


def add_people(session: Session, people: Sequence[SyntheticPerson]) -> list[int]:
    """Add participants by COPY; their ids in the order given. The caller commits."""
    if not people:
        return []
    numbers = select(func.nextval(func.pg_get_serial_sequence("users", "id"))).select_from(
        func.generate_series(1, len(people))
    )
    ids = list(session.scalars(numbers))
    connection: psycopg.Connection[Any] = session.connection().connection.driver_connection  # type: ignore[assignment]
    with connection.cursor() as cursor, cursor.copy(f"COPY users ({', '.join(_COLUMNS)}) FROM STDIN") as copy:
        for number, person in zip(ids, people, strict=True):
            born, made = person.birth_year, person.created_at
            copy.write_row((number, number, person.full_name, born, person.unit_id, "participant", 0, made, made, True))
    return ids


def mint(
    session: Session, gateway: Gateway, signer: Signer, issuer: int, season: Season, card: RoundCard, count: int,
    now: datetime,
) -> list[Minted]:  # fmt: skip
    """Make `count` people over all communes and unions and start a paper for each. Commits the people.

    Raises:
        Refusal: round_not_open, before anybody is made.
        IntakeRefusal: intake is away.
    """
    at = clock.to_ms(now)
    if window_at(card.windows, at) is None:
        raise Refusal("round_not_open")
    homes = session.scalars(
        select(Unit.id).where(Unit.kind.in_(("commune", "union")), Unit.valid_to.is_(None)).order_by(Unit.id)
    ).all()
    people = [
        SyntheticPerson(f"Thí sinh thử tải {number + 1}", homes[number % len(homes)], now) for number in range(count)
    ]
    ids = add_people(session, people)
    session.commit()

    def start(who: tuple[int, SyntheticPerson]) -> Minted:
        user, person = who
        started = calls.start(
            gateway, signer, issuer, season, card, calls.Starter(user, person.unit_id, 0, channel="bench"), at
        )
        account = Account(user, person.full_name, "participant", 0, person.unit_id)
        return Minted(bearer.issue(signer, account, now).token, started.token)

    return in_parallel(start, list(zip(ids, people, strict=True)))


def in_parallel(work: Callable[[T], R], items: Sequence[T], callers: int = CALLERS) -> list[R]:
    """Do `work` for all items from many threads; results in their order. After a failure nothing new is begun."""
    results: list[Any] = [None] * len(items)
    rest = iter(range(len(items)))
    failed = threading.Event()

    def keep_working() -> None:
        try:
            # An iterator of C gives each number to one thread only.
            for number in rest:
                if failed.is_set():
                    return
                results[number] = work(items[number])
        except BaseException:
            failed.set()
            raise

    with ThreadPoolExecutor(callers) as pool:
        futures = [pool.submit(keep_working) for _ in range(callers)]
    for future in futures:
        future.result()
    return results
