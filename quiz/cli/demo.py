"""`flask demo …`: the contest that `make run` shows."""

from __future__ import annotations

import time

import click
from flask.cli import AppGroup
from sqlalchemy.orm import Session

from quiz import clock
from quiz.errors import PROBLEMS
from quiz.extensions import Platform, db, platform
from quiz.intake.errors import IntakeRefusal
from quiz.models import Contest
from quiz.services import demo, season

group = AppGroup("demo", help="The demo contest of the embedded servers.")

DRAIN_SECONDS = 120.0


@group.command("load")
def load() -> None:
    """Load the demo contest with its people and their past, once; interrupted, it goes on where it was."""
    held = platform()
    _refuse_elsewhere(held)
    session = db.session()
    if demo.is_loaded(session):
        click.echo("The demo is loaded already.")
        return
    began = time.monotonic()
    try:
        contest = demo.ensure_tables(session, clock.now())
        played = demo.ensure_played(session, held.gateway, held.season, held.signer, held.settings.issuer, contest)
    except IntakeRefusal as refusal:
        raise click.ClickException(f"{PROBLEMS[refusal.code].detail} ({refusal})") from refusal
    _drain(held)
    final = _finalize_past(session, held, contest)
    demo.complete(session, contest, clock.now())
    click.echo(
        f"{played.people} people, {played.entries} entries, {len(contest.rounds)} rounds ({final} of them final) "
        f"in {time.monotonic() - began:.1f} s."
    )


@group.command("logins")
def logins() -> None:
    """Print the demo's logins; nothing, if it is not loaded."""
    for login in demo.demo_logins(db.session(), platform().settings):
        factor = f"   second factor: {login.secret}" if login.secret else ""
        click.echo(f"  {login.role:<14} {login.phone}   {login.password:<16}{factor}".rstrip())


def _refuse_elsewhere(held: Platform) -> None:
    if not held.settings.embedded:
        raise click.ClickException(
            "The demo has logins that everybody knows, so it is loaded only on the embedded servers of `make run`."
        )


def _drain(held: Platform) -> None:
    """Store what was played, beside the workers if any run: an entry counts once, whoever drains it."""
    from scoring import boards, sweeper
    from scoring.drain import Drain

    drain = Drain(db.engine, held.gateway.client, "demo")
    cards = sweeper.live_rounds(held.season.get(), clock.now())
    until = time.monotonic() + DRAIN_SECONDS
    while any(sweeper.backlog(held.gateway.client, cards).values()):
        if time.monotonic() > until:
            raise click.ClickException("The entries are played but not drained; run it again.")
        result = drain.turn(cards, 0, 1)
        boards.mark_dirty(held.cache, result.rounds)


def _finalize_past(session: Session, held: Platform, contest: Contest) -> int:
    """Make the closed rounds final and publish them; how many are."""
    from scoring import boards, finalize, sweeper

    now = clock.now()
    cards = held.season.get().rounds
    past = [made for made in contest.rounds if made.closes_at <= now]
    for made in past:
        if made.finalized_at is not None:
            continue
        # An attempt that an interrupted load left open is settled here, should no scheduler run.
        sweeper.settle_overdue(held.gateway, held.signer, [cards[made.id]], now)
        if obstacle := finalize.obstacle(session, held.gateway.client, cards[made.id], now):
            click.echo(f"Round {made.number} stays provisional: {obstacle.reason}.")
            continue
        finalize.finalize_round(session, made.id, now)
        session.refresh(made)
        made.published_at = now
        session.commit()
    season.publish(session, held.gateway.client)
    session.commit()
    boards.mark_dirty(held.cache, [made.id for made in contest.rounds])
    return len([made for made in past if made.finalized_at is not None])
