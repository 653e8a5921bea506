"""`flask rescore`: a round scored again under another key version."""

from __future__ import annotations

import click

from quiz import clock
from quiz.cli import rounds
from quiz.extensions import db, platform


@click.command("rescore")
@click.option("--round", "number", type=int, required=True, help="Number of a round of the current contest.")
@click.option("--key-version", type=int, required=True, help="The key to score with.")
@click.option("--dry-run", is_flag=True, help="Say what would change; write nothing.")
@click.option("--reason", default="", help="Why; required without --dry-run, it stands in the log.")
def rescore(number: int, key_version: int, dry_run: bool, reason: str) -> None:
    """Score a round again under KEY_VERSION: what would change with --dry-run, else changed and audited."""
    from quiz.services import audit
    from scoring import boards, regrade

    session = db.session()
    made = rounds.of_current_contest(session, number)
    if not dry_run and not reason.strip():
        raise click.ClickException("Give the reason with --reason.")
    with click.progressbar(length=100, label="Entries") as bar:

        def progress(done: int, total: int) -> None:
            bar.update(100 * done // total - bar.pos)

        try:
            if dry_run:
                effect = regrade.rescore(session, made.id, key_version, progress=progress)
                session.rollback()
            else:
                effect = regrade.apply(
                    session, made.id, key_version, clock.now(), reason=reason, actor_id=None, progress=progress
                )
                audit.append(
                    session, clock.now(), None, "round.rescored", f"round:{made.id}", {"key": key_version}, reason
                )
                session.commit()
                boards.mark_dirty(platform().cache, [made.id])
        except LookupError as error:
            raise click.ClickException(f"Round {number} has no key version {key_version}.") from error
    click.echo(
        f"{effect.entries} entries {'would change' if dry_run else 'changed'} their score: {effect.up} people up, "
        f"{effect.down} down, {effect.ranks} ranks, {len(effect.top)} of the first 100 places."
    )
