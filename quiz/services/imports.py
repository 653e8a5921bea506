"""Questions that were read from a file and wait for somebody to say yes: an hour, in Redis, for that person alone."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from redis import Redis

from quiz.errors import FieldError, Refusal
from quiz.services.formats import QuestionDraft, bank
from quiz.services.question_files import EXPIRED

_SECONDS = 3_600


def hold(redis: Redis, round_id: int, actor_id: int, drafts: Sequence[QuestionDraft]) -> str:
    """Keep the drafts; the token brings them back."""
    token = secrets.token_urlsafe(16)
    redis.set(_name(round_id, actor_id, token), bank.write(drafts), ex=_SECONDS)
    return token


def held(redis: Redis, round_id: int, actor_id: int, token: str) -> list[QuestionDraft]:
    """What was kept; it stays until `drop`, so that a failed import can be sent again.

    Raises:
        Refusal: invalid_request, once the hour is over.
    """
    content = redis.get(_name(round_id, actor_id, token))
    if not isinstance(content, bytes):
        raise Refusal("invalid_request", errors=(FieldError("file", EXPIRED),))
    return bank.read(content)


def drop(redis: Redis, round_id: int, actor_id: int, token: str) -> None:
    redis.delete(_name(round_id, actor_id, token))


def _name(round_id: int, actor_id: int, token: str) -> str:
    return f"quiz80:import:{round_id}:{actor_id}:{token}"
