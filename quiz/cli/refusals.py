"""A refusal at the command line: the sentence and every field that is named, then exit 1."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from quiz.errors import PROBLEMS, Refusal
from quiz.intake.errors import IntakeRefusal


@contextmanager
def told() -> Iterator[None]:
    try:
        yield
    except IntakeRefusal as refusal:
        raise click.ClickException(f"{PROBLEMS[refusal.code].detail} ({refusal})") from refusal
    except Refusal as refusal:
        lines = [str(PROBLEMS[refusal.code].detail), *(f"  {error.field}: {error.message}" for error in refusal.errors)]
        raise click.ClickException("\n".join(lines)) from refusal
