"""When scores and keys may be seen: the one place that reads a round's release policy."""

from __future__ import annotations

from quiz.intake.season import RoundCard


def score_is_out(card: RoundCard, now_ms: int) -> bool:
    """At once, or from the close of the round."""
    return _policy(card, "score", "after_close") == "at_once" or now_ms >= card.closes


def key_is_out(card: RoundCard, now_ms: int) -> bool:
    """After the close, after publishing, or never.

    The close means the last instant at which an open paper is still taken: a key shown at the stroke of the hour
    would reach those who use their grace.
    """
    policy = _policy(card, "key", "after_close")
    if policy == "after_close":
        return now_ms > card.closes + card.grace
    return policy == "after_publish" and card.published is not None


def _policy(card: RoundCard, name: str, default: str) -> str:
    release = card.rules.get("release") or {}
    return str(release.get(name, default))
