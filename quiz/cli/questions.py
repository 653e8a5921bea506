"""`flask questions …`"""

from __future__ import annotations

from pathlib import Path

import click
from flask.cli import AppGroup

from quiz import clock
from quiz.cli import refusals, rounds
from quiz.extensions import db
from quiz.services import question_files, questions
from quiz.services.formats import FORMATS, BadFile

group = AppGroup("questions", help="The question bank.")


@group.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--round", "number", type=int, required=True, help="Number of the round in the current contest.")
@click.option("--go-without", is_flag=True, help="Leave out what is listed, if it is only what the bank can't hold.")
def import_file(file: Path, number: int, go_without: bool) -> None:
    """Add the questions of FILE to a round: all of them, or none and a list of what is wrong.

    FILE is Excel, CSV, Word, GIFT, Aiken, Moodle XML, QTI or the project's own JSON.
    """
    session = db.session()
    target = rounds.of_current_contest(session, number)
    try:
        drafts = question_files.read(file.name, file.read_bytes(), go_without=go_without)
    except BadFile as bad:
        raise click.ClickException(_told(bad)) from bad
    alike = questions.lookalikes(session, target, drafts)
    with refusals.told():
        added = questions.add_questions(session, target, drafts, clock.now())
    session.commit()
    click.echo(f"{added} questions added to round {number}.")
    for pair in alike:
        click.echo(f"Question {pair.number} looks like another ({pair.likeness:.0%}): {pair.other}")
    if target.bank_version is not None:
        click.echo("Its bank is frozen already: papers have these questions only after it is frozen again.")


def _told(bad: BadFile) -> str:
    lines = ["Nothing was imported.", *(f"  {question_files.line(line)}" for line in bad.lines)]
    if bad.can_go:
        lines.append(f"With --go-without the other {len(bad.good)} questions can be imported.")
    return "\n".join(lines)


@group.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--round", "number", type=int, required=True, help="Number of the round in the current contest.")
@click.option("--format", "name", type=click.Choice(list(FORMATS)), required=True)
@click.option("--lossy", is_flag=True, help="Write it though the format can't hold everything.")
def export_file(file: Path, number: int, name: str, lossy: bool) -> None:
    """Write the questions of a round to FILE; what the format can't hold is listed first."""
    session = db.session()
    drafts = questions.drafts_of(session, rounds.of_current_contest(session, number))
    losses = [question_files.loss(lost) for lost in FORMATS[name].losses(drafts)]
    if losses and not lossy:
        listed = "\n".join(f"  {lost}" for lost in losses)
        raise click.ClickException(
            f"{FORMATS[name].title} can't hold everything:\n{listed}\nWith --lossy it is written."
        )
    file.write_bytes(FORMATS[name].write(drafts))
    click.echo(f"{len(drafts)} questions of round {number} written.")


@group.command("template")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def template_file(file: Path) -> None:
    """Write an Excel workbook to fill in."""
    file.write_bytes(question_files.template())
