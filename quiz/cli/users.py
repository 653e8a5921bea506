"""`flask users …`"""

from __future__ import annotations

import click
from flask.cli import AppGroup

from quiz import clock
from quiz.cli import refusals
from quiz.extensions import db
from quiz.models.user import ROLES
from quiz.services import accounts, audit, phones, second_factor

group = AppGroup("users", help="Accounts.")


@group.command()
@click.option("--phone", required=True, help="A Vietnamese mobile number.")
@click.option("--name", required=True, help="Full name.")
@click.option("--role", type=click.Choice(ROLES), default="participant", show_default=True)
@click.option("--unit", help="Code of the unit: a participant's own, or the one an officer answers for.")
@click.option("--password", prompt=True, hide_input=True, confirmation_prompt=True, help="Asked for if left out.")
def create(phone: str, name: str, role: str, unit: str | None, password: str) -> None:
    """Make an account that can sign in."""
    session, now = db.session(), clock.now()
    with refusals.told():
        user = accounts.create_user(session, phone, name, role, unit, password, now)
    audit.append(session, now, None, "user.created", f"user:{user.id}", {"role": role})
    session.commit()
    click.echo(f"{role} {user.id} made; sign in with {phones.shown(phones.normalize(phone))}.")


@group.command("reset-second-factor")
@click.option("--phone", required=True, help="The number that the account signs in with.")
@click.option("--reason", required=True, help="Stands in the log.")
def reset_second_factor(phone: str, reason: str) -> None:
    """Let one of the staff set the app up anew: when no administrator gets in any more."""
    session, now = db.session(), clock.now()
    with refusals.told():
        user = accounts.find(session, phone)
        second_factor.reset(session, user.id, now, actor_id=None, reason=reason)
    user.auth_epoch += 1
    session.commit()
    click.echo(f"The next sign-in of {user.full_name} sets the second factor up.")
