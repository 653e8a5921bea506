"""quiz80: a platform for national quiz contests of weekly rounds."""

from __future__ import annotations

from flask import Flask
from sqlalchemy.orm import configure_mappers

from quiz.application import Application
from quiz.config import Settings, load_settings


def create_app(settings: Settings | None = None) -> Flask:
    """Build the application: an ordered list of steps, nothing else. It never migrates and never loads data."""
    from quiz import audiences, blueprints, cli, door, extensions, logs, observe, pages, web

    settings = settings or load_settings()
    logs.configure(settings.log_level)
    app = Application(__name__)
    web.configure(app, settings)
    extensions.db.init_app(app)
    extensions.migrate.init_app(app, extensions.db)
    extensions.init_platform(app, settings)
    audiences.init_uploads(app)
    web.init_sign_in(app)
    web.init_languages(app)
    pages.init_pages(app)
    audiences.init_audiences(app)
    blueprints.register(app)
    web.init_errors(app)
    cli.register(app)
    door.init(app, settings)
    observe.init(app, settings)
    # Now, and not at the first query of each process and of each job that a worker forks for: it takes 50 ms.
    configure_mappers()
    return app
