"""Intake alone: a Redis, the signer, no application and no database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from redis import Redis

from deploy import embedded
from quiz.config import SigningKey
from quiz.intake.gateway import Gateway
from quiz.intake.signing import Signer


@pytest.fixture
def intake(servers: embedded.Servers) -> Iterator[Redis]:
    client = Redis.from_url(servers.redis_url)
    client.flushall()
    yield client
    client.close()


@pytest.fixture
def gateway(intake: Redis) -> Gateway:
    return Gateway(intake)


@pytest.fixture
def signer() -> Signer:
    return Signer([SigningKey("k1", b"\x01" * 32)])
