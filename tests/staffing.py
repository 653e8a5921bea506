"""Makers of staff, and the way in for a test client."""

from __future__ import annotations

import re

from flask.testing import FlaskClient
from pyotp import TOTP

from quiz import clock
from quiz.extensions import db
from quiz.models import User
from quiz.services import accounts, units
from quiz.services.passwords import hash_password

PASSWORD = "mùa thu lá bay"


def make(role: str, phone: str = "0912000001", unit: str | None = None, name: str = "Lê Hoàng Nam") -> User:
    """An account of the staff, committed; an officer answers for `unit`."""
    unit_id = units.get(db.session(), unit).id if unit else None
    user = accounts.add_user(
        db.session(),
        clock.now(),
        full_name=name,
        phone="+84" + phone[1:],
        unit_id=unit_id,
        role=role,
        scope_unit_id=unit_id if role == "officer" else None,
        password_hash=hash_password(PASSWORD),
    )
    db.session.commit()
    return user


def enter(client: FlaskClient, phone: str = "0912000001") -> str:
    """Sign in for the first time: password, picture, code. The secret that the app keeps."""
    answer = client.post("/staff/sign-in", data={"phone": phone, "password": PASSWORD})
    assert answer.headers["Location"].startswith("/staff/second-factor/set-up"), answer.get_data(as_text=True)
    page = client.get("/staff/second-factor/set-up").get_data(as_text=True)
    found = re.search(r'<code class="secret">(\w{32})</code>', page)
    assert found, page
    answer = client.post("/staff/second-factor/set-up", data={"code": TOTP(found[1]).at(clock.now())})
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return found[1]
