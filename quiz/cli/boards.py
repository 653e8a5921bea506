"""`flask boards rebuild` and `flask recount`: copies made again from the truth, and the truth counted again."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from quiz import clock
from quiz.extensions import db, platform

group = AppGroup("boards", help="The boards, copies in Redis.")


@group.command("rebuild")
def rebuild() -> None:
    """Write every board again from the tables."""
    from scoring import boards

    count = boards.rebuild_all(db.session(), platform().cache, clock.now())
    click.echo(f"Boards of {count} rounds written.")


@click.command("recount")
@click.option("--round", "number", type=int, help="Only this round of the current contest.")
@click.option("--check", is_flag=True, help="Compare only; exit 1 if anything differs.")
def recount(number: int | None, check: bool) -> None:
    """Count standings and tallies from the entries: compare with --check, write without."""
    from scoring import boards
    from scoring import recount as counting

    rounds = _rounds(number)
    if check:
        differences = counting.check(db.session(), rounds)
        for difference in differences:
            click.echo(f"{difference.table} {difference.row}: kept {difference.kept}, counted {difference.counted}")
        if differences:
            raise click.exceptions.Exit(1)
        click.echo(f"{len(rounds)} rounds: standings and tallies equal a count from the entries.")
        return
    counting.repair(db.session(), rounds)
    db.session.commit()
    boards.mark_dirty(platform().cache, rounds)
    click.echo(f"{len(rounds)} rounds counted again.")


def _rounds(number: int | None) -> list[int]:
    from sqlalchemy import select

    from quiz.models import Contest, Round

    query = select(Round.id).join(Contest).order_by(Round.id)
    if number is not None:
        query = query.where(Contest.is_current, Round.number == number)
    rounds = list(db.session.scalars(query))
    if number is not None and not rounds:
        raise click.ClickException(f"The current contest has no round {number}.")
    return rounds
