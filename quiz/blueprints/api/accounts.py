"""Registering and signing in."""

from __future__ import annotations

from datetime import datetime

import msgspec

from quiz import clock
from quiz.application import Finished
from quiz.blueprints.api import blueprint, edge
from quiz.blueprints.api.edge import Whole
from quiz.extensions import db, platform
from quiz.services import accounts, bearer, units
from quiz.services.accounts import Registration


class RegistrationBody(msgspec.Struct):
    """All fields have a default, so that everything that is missing is named at once."""

    phone: str = ""
    password: str = ""
    full_name: str = ""
    unit_code: str = ""
    birth_year: Whole | None = None
    member_kind: str | None = None
    consent: bool = False


class CredentialsBody(msgspec.Struct):
    phone: str
    password: str


class UnitOut(msgspec.Struct):
    code: str
    name: str
    kind: str
    province_code: str | None


class ParticipantOut(msgspec.Struct):
    id: str
    full_name: str
    unit: UnitOut | None


class RegisteredOut(msgspec.Struct):
    token: str
    expires_at: str
    participant: ParticipantOut


class TokenOut(msgspec.Struct):
    token: str
    expires_at: str


_registration = msgspec.json.Decoder(RegistrationBody)
_credentials = msgspec.json.Decoder(CredentialsBody)


def unit_out(home: units.Home) -> UnitOut:
    return UnitOut(home.code, home.name, home.kind, home.province_code)


@blueprint.post("/participants")
def register() -> Finished:
    now = clock.now()
    body = edge.read(_registration)
    form = Registration(
        body.phone,
        body.password,
        body.full_name,
        body.unit_code,
        edge.whole(body.birth_year, "birth_year", low=1),
        body.consent,
        body.member_kind,
    )
    account = accounts.register(db.session(), form, now)
    token = _token(account, now)
    home = unit_out(units.home_of(db.session(), account.unit_id))
    participant = ParticipantOut(str(account.id), account.full_name, home)
    return edge.answer(RegisteredOut(token.token, token.expires_at, participant), 201)


@blueprint.post("/tokens")
def sign_in() -> Finished:
    now = clock.now()
    body = edge.read(_credentials)
    account = accounts.sign_in(db.session(), platform().cache, body.phone, body.password)
    return edge.answer(_token(account, now))


def _token(account: accounts.Account, now: datetime) -> TokenOut:
    issued = bearer.issue(platform().signer, account, now)
    return TokenOut(issued.token, clock.iso(issued.expires_at))
