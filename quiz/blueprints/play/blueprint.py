from __future__ import annotations

from flask import Blueprint

from quiz.extensions import platform
from quiz.services.papers import Desk

blueprint = Blueprint("play", __name__)


def desk() -> Desk:
    held = platform()
    return Desk(held.gateway, held.signer, held.settings.issuer, held.season)
