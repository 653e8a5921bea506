"""The door: in front of sign-up, sign-in and the first start, and never of anything else.

`load` measures how busy this process is and decides whether the door is open, by `pace` how many of the line it calls,
and counts by `arrivals` those who come; `tickets` are the places in the line that people hold; `keeper` stands around
the application and answers whom it does not let in yet; `answers` are what they see. Why it is made this way:
docs/decisions/waiting-room.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Flask

from quiz.config import Settings
from quiz.door.keeper import Keeper
from quiz.door.load import Door, Pulse
from quiz.extensions import Platform


def init(app: Flask, settings: Settings) -> None:
    held: Platform = app.extensions["quiz80"]
    door = Door(held.gateway, patience_ms=settings.door_patience_ms, per_s=settings.door_per_s)
    app.extensions["quiz80.door"] = door
    keeper = Keeper(app, held, door)
    app.extensions["quiz80.keeper"] = keeper
    app.wsgi_app = keeper.around(app.wsgi_app)  # type: ignore[method-assign, assignment]


def watch(app: Flask, listeners: Sequence[Any]) -> Pulse:
    """Prepare what people who wait will see, and watch this process's load from here on.

    Args:
        listeners: the sockets that the server accepts connections on.
    """
    app.extensions["quiz80.keeper"].answers.prepare()
    pulse = Pulse(app.extensions["quiz80.door"], listeners)
    pulse.start()
    return pulse
