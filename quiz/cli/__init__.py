"""The commands of `flask --app wsgi`: one file per group."""

from __future__ import annotations

from flask import Flask


def register(app: Flask) -> None:
    """Bind every command group to the application."""
    from quiz.cli import audit, boards, demo, participants, questions, rescore, tokens, units, users

    app.cli.add_command(audit.group)
    app.cli.add_command(units.group)
    app.cli.add_command(boards.group)
    app.cli.add_command(boards.recount)
    app.cli.add_command(rescore.rescore)
    app.cli.add_command(questions.group)
    app.cli.add_command(tokens.group)
    app.cli.add_command(demo.group)
    app.cli.add_command(users.group)
    app.cli.add_command(participants.group)
