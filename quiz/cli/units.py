"""`flask units …`"""

from __future__ import annotations

import click
from flask.cli import AppGroup

from quiz.extensions import db
from quiz.services import units

group = AppGroup("units", help="The tree of the Union.")


@group.command()
def load() -> None:
    """Load the official units, today's and those before July 2025. Running it again changes nothing."""
    loaded = units.load(db.session())
    db.session.commit()
    click.echo(f"{loaded.units} units ({loaded.added} new), {loaded.changes} changes of 1 July 2025.")
    if loaded.unnamed:
        click.echo(f"Changes of units that the file of old units does not name: {', '.join(loaded.unnamed)}.")
