"""The demo: a living contest with a past, made of synthetic people only."""

from quiz.services.demo.load import Played, complete, ensure_played, ensure_tables
from quiz.services.demo.logins import LOGINS, SLUG, DemoLogin, demo_logins, is_loaded

__all__ = [
    "LOGINS",
    "SLUG",
    "DemoLogin",
    "Played",
    "complete",
    "demo_logins",
    "ensure_played",
    "ensure_tables",
    "is_loaded",
]
