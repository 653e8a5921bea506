"""`flask questions …`"""

from __future__ import annotations

from pathlib import Path

import click
from flask.cli import AppGroup

from quiz import clock
from quiz.cli import refusals, rounds
from quiz.extensions import db
from quiz.services import questions

group = AppGroup("questions", help="The question bank.")


@group.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--round", "number", type=int, required=True, help="Number of the round in the current contest.")
def import_file(file: Path, number: int) -> None:
    """Add the questions of FILE to a round: all of them, or none and a list of what is wrong."""
    session = db.session()
    target = rounds.of_current_contest(session, number)
    with refusals.told():
        added = questions.add_questions(
            session, target, questions.read_bank_file(file.read_bytes()).questions, clock.now()
        )
    session.commit()
    click.echo(f"{added} questions added to round {number}.")
    if target.bank_version is not None:
        click.echo("Its bank is frozen already: papers have these questions only after it is frozen again.")
