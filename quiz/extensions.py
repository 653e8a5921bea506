"""Extensions, unbound; `create_app` binds them. `platform()` is what belongs to the process beside the database."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask, current_app
from flask_login import LoginManager
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from flask_wtf.csrf import CSRFProtect
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from quiz.config import Settings
from quiz.intake.boards import BoardReader
from quiz.intake.gateway import Gateway
from quiz.intake.season import SeasonCache
from quiz.intake.signing import Signer
from quiz.languages import Languages
from quiz.models.base import Base

# The models have their own typed base; Flask-SQLAlchemy carries their engine, session and metadata.
db = SQLAlchemy(metadata=Base.metadata)
migrate = Migrate()
login_manager = LoginManager()
babel = Languages()
csrf = CSRFProtect()


@dataclass(frozen=True, slots=True)
class Platform:
    """What a process holds: settings, the way into intake, the season in memory, the signing keys, the caches."""

    settings: Settings
    gateway: Gateway
    season: SeasonCache
    signer: Signer
    cache: Redis
    queue: Redis
    boards: BoardReader


def connect(url: str) -> Redis:
    """A client whose calls fail within seconds: a hanging Redis is answered 503, never waited for.

    It does not retry by itself; the gateway does, because it knows that its calls can be repeated.
    """
    return Redis.from_url(url, socket_timeout=5, socket_connect_timeout=1, retry=Retry(NoBackoff(), 0))


def init_platform(app: Flask, settings: Settings) -> None:
    intake = connect(settings.intake_redis_url)
    cache = connect(settings.cache_redis_url)
    app.extensions["quiz80"] = Platform(
        settings=settings,
        gateway=Gateway(intake),
        season=SeasonCache(intake),
        signer=Signer(settings.signing_keys),
        cache=cache,
        queue=connect(settings.queue_redis_url),
        boards=BoardReader(cache),
    )


def platform() -> Platform:
    held: Platform = current_app.extensions["quiz80"]
    return held
