"""Corrected keys: proposed by one organizer, counted by a dry run, approved by a second one, then in force.

A proposal is a key version that nothing is scored with: scores follow `round.key_version` alone, and only applying
moves that. What a worker does with it stands in scoring.jobs; here are the rows, the rules and the traces.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from redis import Redis
from sqlalchemy import Engine, func, select, text, update
from sqlalchemy.orm import Session

from quiz import clock
from quiz.errors import FieldError, Refusal
from quiz.models import Bank, KeyProposal, KeyVersion, Round, User
from quiz.models.base import lock
from quiz.services import announcements, audit
from quiz.services.awards import reading
from quiz.services.vietnamese import fold

MAX_TRIES = 5
_SHOWN_PLACES = 20
_LOCK = 82
"""First half of the advisory lock that the worker at a proposal holds; it goes with the worker's connection."""
_PROGRESS = "quiz80:key_proposal:{}"
_PROGRESS_SECONDS = 3_600


@dataclass(frozen=True, slots=True)
class Answer:
    """What is to count as right from now on."""

    options: tuple[str, ...] = ()
    """Ids of options. A question of one choice takes any of them; one of several choices wants exactly all of them."""
    keep: bool = False
    """What counted as right until now stays right too: for questions of several choices."""
    void: bool = False
    """Right for everybody."""


# Proposing and cancelling


def propose(
    session: Session,
    corrected: Round,
    changes: Mapping[str, Answer],
    now: datetime,
    *,
    actor_id: int,
    reason: str,
    notice: tuple[str, str],
) -> KeyProposal:
    """Ask for the dry run of a corrected key. The caller commits; the scheduler hands it on.

    Args:
        changes: question id of the frozen bank → what is right; the other questions keep their key.
        notice: title and text of what the people of the round are told, in the words of the organizers.

    Raises:
        Refusal: invalid_request, with what is missing or stands in the way.
    """
    lock(session, corrected)
    if corrected.scheduled_at is None or now < corrected.opens_at or corrected.bank_version is None:
        raise _invalid("round", _l("The round has not opened yet: correct the question and freeze the bank again."))
    if open_proposal(session, corrected.id) is not None:
        raise _invalid("round", _l("Another correction of this round is on its way. Finish or cancel it first."))
    if not reason.strip():
        raise _invalid("reason", _l("Write the reason; it stands in the log."))
    if not all(part.strip() for part in notice):
        raise _invalid("notice", _l("Write what the people of the round are told."))
    content, before = key_in_force(session, corrected)
    after = _corrected(content, before, changes)
    if after == before:
        raise _invalid("changes", _l("Nothing is changed: choose another answer for at least one question."))
    newest = session.scalar(select(func.max(KeyVersion.version)).where(KeyVersion.round_id == corrected.id)) or 0
    key = KeyVersion(
        round_id=corrected.id,
        bank_version=corrected.bank_version,
        version=newest + 1,
        key=after,
        reason=reason.strip(),
        created_at=now,
        created_by=actor_id,
    )
    proposal = KeyProposal(
        round_id=corrected.id,
        key=key,
        from_version=corrected.key_version,
        state="counting",
        notice_title=notice[0].strip(),
        notice=notice[1].strip(),
    )
    session.add(proposal)
    session.flush()
    detail = {"key": key.version, "changes": differences(content, before, after)}
    audit.append(session, now, actor_id, "key.proposed", f"round:{corrected.id}", detail, reason.strip())
    return proposal


def cancel(session: Session, proposal_id: int, now: datetime, *, actor_id: int, reason: str) -> None:
    """Take a proposal back before it is approved: neither it nor its key stays. The caller commits.

    Raises:
        Refusal: not_found; invalid_request once it is approved.
    """
    proposal = _locked(session, proposal_id)
    if proposal.state not in ("counting", "counted"):
        raise _invalid("round", _l("This correction is approved already and can't be cancelled."))
    key, round_id = proposal.key, proposal.round_id
    audit.append(session, now, actor_id, "key.cancelled", f"round:{round_id}", {"key": key.version}, reason.strip())
    session.delete(proposal)
    session.flush()
    session.delete(key)
    session.flush()


def approve(session: Session, proposal_id: int, typed: str, now: datetime, *, actor_id: int) -> None:
    """Put the counted correction into force, by somebody else than who made it. The caller commits.

    Args:
        typed: the round's number, typed by hand.

    Raises:
        Refusal: not_found; invalid_request with what stands in the way.
    """
    proposal = _locked(session, proposal_id)
    corrected = session.get_one(Round, proposal.round_id, with_for_update=True, populate_existing=True)
    if proposal.state != "counted":
        raise _invalid("round", _l("This correction does not wait for an approval."))
    if proposal.key.created_by == actor_id:
        raise _invalid("round", _l("A second organizer has to approve it: you proposed it yourself."))
    if corrected.key_version != proposal.from_version:
        raise _invalid("round", _l("Another key came into force since. Cancel this correction and propose it anew."))
    if typed.strip() != str(corrected.number):
        raise _invalid("typed", _l("Type the number of the round: %(number)s.", number=corrected.number))
    proposal.key.approved_at, proposal.key.approved_by = now, actor_id
    proposal.state, proposal.tries = "applying", 0
    detail = {"key": proposal.key.version, "effect": _numbers(proposal.effect or {})}
    audit.append(session, now, actor_id, "key.approved", f"round:{proposal.round_id}", detail, proposal.key.reason)


def try_again(session: Session, proposal_id: int) -> None:
    """Let workers at a step again that failed too often. The caller commits."""
    _locked(session, proposal_id).tries = 0


# Reading


def key_in_force(session: Session, of: Round) -> tuple[list[Any], list[Any]]:
    """(content of the frozen bank, its key): two parallel lists.

    Raises:
        Refusal: not_found, if nothing is frozen.
    """
    content = session.scalar(select(Bank.content).where(Bank.round_id == of.id, Bank.version == of.bank_version))
    key = None if of.bank_version is None else _key(session, of.id, of.bank_version, of.key_version)
    if content is None or key is None:
        raise Refusal("not_found")
    return content, key


def _key(session: Session, round_id: int, bank_version: int, version: int) -> list[Any] | None:
    """The key of a bank as of a version of the round's keys."""
    return session.scalar(
        select(KeyVersion.key)
        .where(
            KeyVersion.round_id == round_id,
            KeyVersion.bank_version == bank_version,
            KeyVersion.version <= version,
        )
        .order_by(KeyVersion.version.desc())
        .limit(1)
    )


def open_proposal(session: Session, round_id: int) -> KeyProposal | None:
    return session.scalars(
        select(KeyProposal).where(KeyProposal.round_id == round_id, KeyProposal.state != "done")
    ).one_or_none()


def history(session: Session, round_id: int) -> Sequence[KeyProposal]:
    """The corrections that came into force, the newest first."""
    return session.scalars(
        select(KeyProposal)
        .where(KeyProposal.round_id == round_id, KeyProposal.state == "done")
        .order_by(KeyProposal.id.desc())
    ).all()


@dataclass(frozen=True, slots=True)
class Change:
    """A question whose key is another, in words: each answer is the texts of the options that are right together."""

    text: str
    before: list[list[str]]
    after: list[list[str]]
    void_before: bool
    void_after: bool


@dataclass(frozen=True, slots=True)
class Story:
    """A proposal as people read it."""

    proposal: KeyProposal
    changes: list[Change]
    names: dict[int, str]
    """Account → name: who proposed, who approved, and the people of `places`."""
    places: list[tuple[int, int, int]]
    """(place, person there before, person there afterwards), where it is another one."""
    prizes: list[tuple[str, str, str]]
    """(prize, who loses it, who gets it), where the dry run found that it goes to another."""


def story(session: Session, proposal: KeyProposal) -> Story:
    key = proposal.key
    content = session.scalar(
        select(Bank.content).where(Bank.round_id == key.round_id, Bank.version == key.bank_version)
    )
    before = _key(session, key.round_id, key.bank_version, proposal.from_version)
    if content is None or before is None:
        raise LookupError(f"correction {proposal.id} has lost its bank")
    places = [(place, old, new) for place, old, new in (proposal.effect or {}).get("top", [])][:_SHOWN_PLACES]
    accounts = {key.created_by, key.approved_by, *(who for _, *pair in places for who in pair)} - {None}
    rows = session.execute(select(User.id, User.full_name).where(User.id.in_(accounts)))
    return Story(
        proposal=proposal,
        changes=[
            Change(
                question["text"],
                _texts(question, old),
                _texts(question, new),
                bool(old.get("void", False)),
                bool(new.get("void", False)),
            )
            for question, old, new in zip(content, before, key.key, strict=True)
            if old != new
        ],
        names={row.id: row.full_name for row in rows},
        places=places,
        prizes=_prizes(session, proposal),
    )


def _prizes(session: Session, proposal: KeyProposal) -> list[tuple[str, str, str]]:
    found = ((proposal.effect or {}).get("prizes") or {}).get("places", [])
    known = reading.names(session, [who for each in found for who in (each["before"], each["after"])])
    titles = reading.titles(session.get_one(Round, proposal.round_id).rules)
    return [
        (
            titles[each["prize"]].name if each["prize"] in titles else each["prize"],
            known.of(each["before"]),
            known.of(each["after"]),
        )
        for each in found
    ]


def _texts(question: Mapping[str, Any], item: Mapping[str, Any]) -> list[list[str]]:
    texts = {option["id"]: option["text"] for option in question["options"]}
    return [[texts[option] for option in answer] for answer in _named(question, item)["accept"]]


@dataclass(frozen=True, slots=True)
class Keyed:
    """A question of the frozen bank with what counts as right now."""

    id: str
    text: str
    multiple: bool
    options: list[tuple[str, str, bool]]
    """(id, text, whether it is part of an accepted answer)."""
    void: bool


def keyed_questions(session: Session, of: Round, words: str = "") -> list[Keyed]:
    """The frozen bank with its key, those whose texts have the words; without accents.

    Raises:
        Refusal: not_found, if nothing is frozen.
    """
    content, key = key_in_force(session, of)
    wanted = fold(words).split()
    found = []
    for question, item in zip(content, key, strict=True):
        said = fold(" ".join([question["text"], *(option["text"] for option in question["options"])]))
        if all(word in said for word in wanted):
            right = {option for answer in _named(question, item)["accept"] for option in answer}
            options = [(option["id"], option["text"], option["id"] in right) for option in question["options"]]
            found.append(
                Keyed(question["id"], question["text"], question["multiple"], options, bool(item.get("void", False)))
            )
    return found


def differences(content: Sequence[Any], before: Sequence[Any], after: Sequence[Any]) -> list[dict[str, Any]]:
    """What two keys say differently, question by question, with the options' own ids."""
    return [
        {"question": question["id"], "before": _named(question, old), "after": _named(question, new)}
        for question, old, new in zip(content, before, after, strict=True)
        if old != new
    ]


def _named(question: Mapping[str, Any], item: Mapping[str, Any]) -> dict[str, Any]:
    ids = [option["id"] for option in question["options"]]
    sets = [[ids[bit] for bit in range(len(ids)) if mask >> bit & 1] for mask in item["accept"]]
    return {"accept": sets, "void": bool(item.get("void", False))}


def _corrected(content: Sequence[Any], before: Sequence[Any], changes: Mapping[str, Answer]) -> list[Any]:
    unknown = changes.keys() - {question["id"] for question in content}
    if unknown:
        raise _invalid("changes", _l("The bank has no such question."))
    return [
        _item(question, old, changes[question["id"]]) if question["id"] in changes else old
        for question, old in zip(content, before, strict=True)
    ]


def _item(question: Mapping[str, Any], old: Mapping[str, Any], answer: Answer) -> Mapping[str, Any]:
    places = {option["id"]: place for place, option in enumerate(question["options"])}
    if not places.keys() >= set(answer.options):
        raise _invalid("changes", _l("The question has no such option."))
    if answer.void:
        # What was right stays written, so that a later correction can take the void back.
        return {"accept": old["accept"], "void": True}
    bits = [1 << places[option] for option in answer.options]
    masks = {sum(bits)} if question["multiple"] else set(bits)
    masks -= {0}
    if answer.keep:
        masks |= set(old["accept"])
    if not masks:
        raise _invalid("changes", _l("Choose at least one right option, or make the question void."))
    accept = sorted(masks)
    same = accept == sorted(old["accept"]) and not old.get("void", False)
    return old if same else {"accept": accept, "void": False}


def _numbers(effect: Mapping[str, Any]) -> dict[str, int]:
    return {name: effect[name] for name in ("entries", "up", "down", "ranks") if name in effect}


def _locked(session: Session, proposal_id: int) -> KeyProposal:
    proposal = session.get(KeyProposal, proposal_id, with_for_update=True, populate_existing=True)
    if proposal is None:
        raise Refusal("not_found")
    return proposal


def _invalid(field: str, message: Any) -> Refusal:
    return Refusal("invalid_request", errors=(FieldError(field, message),))


# What workers ask


class Gone(Exception):
    """The proposal was cancelled while its dry run was counting."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A step as a worker begins it."""

    id: int
    round_id: int
    version: int
    state: str
    reason: str
    approved_by: int | None


def waiting(session: Session) -> Sequence[int]:
    """Proposals whose next step is a worker's."""
    return session.scalars(
        select(KeyProposal.id).where(
            KeyProposal.state.in_(("counting", "applying", "written")), KeyProposal.tries < MAX_TRIES
        )
    ).all()


def is_idle(session: Session, proposal_id: int) -> bool:
    """Whether no worker is at it. Holds the lock until the caller ends the transaction, which is at once."""
    return bool(session.scalar(text("SELECT pg_try_advisory_xact_lock(:c, :id)"), {"c": _LOCK, "id": proposal_id}))


@contextmanager
def alone(engine: Engine, proposal_id: int) -> Iterator[bool]:
    """True if nobody else is at this proposal until the end of the block, however the others end."""
    names = {"c": _LOCK, "id": proposal_id}
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        mine = bool(connection.scalar(text("SELECT pg_try_advisory_lock(:c, :id)"), names))
        try:
            yield mine
        finally:
            if mine:
                connection.execute(text("SELECT pg_advisory_unlock(:c, :id)"), names)


def begin(session: Session, proposal_id: int) -> Begun | None:
    """Count the try; None if there is nothing to do for a worker. The caller commits."""
    if proposal_id not in waiting(session):
        return None
    proposal = _locked(session, proposal_id)
    proposal.tries += 1
    key = proposal.key
    return Begun(proposal.id, proposal.round_id, key.version, proposal.state, key.reason, key.approved_by)


def still_there(session: Session, proposal_id: int) -> None:
    """Raises Gone if the proposal was cancelled meanwhile."""
    if session.scalar(select(KeyProposal.id).where(KeyProposal.id == proposal_id)) is None:
        raise Gone


def counted(session: Session, proposal_id: int, effect: dict[str, Any], now: datetime) -> None:
    """Keep what the dry run found; the caller commits. A proposal that is gone stays gone."""
    session.execute(
        update(KeyProposal)
        .where(KeyProposal.id == proposal_id, KeyProposal.state == "counting")
        .values(state="counted", effect=effect, counted_at=now)
    )


def applied(session: Session, proposal_id: int, effect: dict[str, Any], now: datetime) -> None:
    """In the transaction of the new scores: the trace, and the word to those concerned."""
    proposal = _locked(session, proposal_id)
    corrected = session.get_one(Round, proposal.round_id)
    proposal.state, proposal.effect, proposal.applied_at, proposal.tries = "written", effect, now, 0
    by, key = proposal.key.approved_by, proposal.key
    told = announcements.announce(
        session, corrected.contest_id, proposal.notice_title, proposal.notice, now, by, round_id=corrected.id
    )
    detail = {"from": proposal.from_version, "to": key.version, "effect": _numbers(effect), "announcement": told.id}
    audit.append(session, now, by, "key.applied", f"round:{corrected.id}", detail, key.reason)


def done(session: Session, proposal_id: int) -> None:
    """The boards know of it; the caller commits."""
    session.execute(
        update(KeyProposal).where(KeyProposal.id == proposal_id, KeyProposal.state == "written").values(state="done")
    )


# Progress, for whoever looks at the page


@dataclass(frozen=True, slots=True)
class Progress:
    done: int
    total: int
    began: int
    """Milliseconds."""
    at: int

    @property
    def percent(self) -> int:
        return 100 * self.done // self.total if self.total else 0

    @property
    def rest_ms(self) -> int | None:
        """How long it will still take if it goes on as until now."""
        return (self.at - self.began) * (self.total - self.done) // self.done if self.done else None


def note_progress(redis: Redis, proposal_id: int, read: int, total: int, now: datetime) -> None:
    name, at = _PROGRESS.format(proposal_id), clock.to_ms(now)
    pipeline = redis.pipeline()
    pipeline.hsetnx(name, "began", at)
    pipeline.hset(name, mapping={"done": read, "total": total, "at": at})
    pipeline.expire(name, _PROGRESS_SECONDS)
    pipeline.execute()


def progress(redis: Redis, proposal_id: int) -> Progress | None:
    held = redis.hgetall(_PROGRESS.format(proposal_id))
    if not held:
        return None
    return Progress(*(int(held[name]) for name in (b"done", b"total", b"began", b"at")))


def forget_progress(redis: Redis, proposal_id: int) -> None:
    redis.delete(_PROGRESS.format(proposal_id))
