"""`flask audit verify`: is the audit log what was written?"""

from __future__ import annotations

import click
from flask.cli import AppGroup

from quiz.extensions import db
from quiz.services import audit

group = AppGroup("audit", help="The audit log.")


@group.command("verify")
def verify() -> None:
    """Walk the chain; exit 1 at the first row that was changed, moved or taken out."""
    broken = audit.verify(db.session())
    if broken is not None:
        click.echo(f"Row {broken.id} is {broken.problem}.")
        raise click.exceptions.Exit(1)
    last = audit.head(db.session())
    click.echo("The log is empty." if last is None else f"{last[0]} rows, unbroken. Head: {last[1]}")
