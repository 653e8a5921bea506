"""`flask tokens mint`: started papers of synthetic people, for benchmarks."""

from __future__ import annotations

import time
from pathlib import Path

import click
import msgspec
from flask.cli import AppGroup

from quiz import clock
from quiz.cli import refusals, rounds
from quiz.extensions import db, platform
from quiz.services import synthetic

group = AppGroup("tokens", help="Tokens for benchmarks.")


@group.command("mint")
@click.option("--round", "number", type=int, required=True, help="Number of an open round of the current contest.")
@click.option("--count", type=click.IntRange(1, 5_000_000), required=True, help="How many people, a paper each.")
@click.option("--out", type=click.Path(dir_okay=False, writable=True, path_type=Path), required=True)
def mint(number: int, count: int, out: Path) -> None:
    """Write COUNT lines {"token", "paper"}: a bearer token, and the paper that this person has just started."""
    held = platform()
    if not held.settings.embedded:
        raise click.ClickException("Synthetic people are made only on the embedded servers of `make run`.")
    session = db.session()
    made = rounds.of_current_contest(session, number)
    began = time.monotonic()
    with refusals.told():
        season = held.season.refresh()
        if made.id not in season.rounds:
            raise click.ClickException(f"Round {number} is a draft.")
        minted = synthetic.mint(
            session, held.gateway, held.signer, held.settings.issuer, season, season.rounds[made.id], count, clock.now()
        )
    encode = msgspec.json.Encoder().encode
    with out.open("wb") as file:
        file.writelines(encode(line) + b"\n" for line in minted)
    click.echo(f"{count} people and papers of round {number} in {time.monotonic() - began:.1f} s: {out}")
