"""One package per audience; each exports `blueprint`. Views translate, services decide."""

from __future__ import annotations

from flask import Flask


def register(app: Flask) -> None:
    """Bind every audience's blueprint to the application."""
    from quiz.blueprints import account, api, boards, ops, organizer, play, site

    for audience in (site, account, play, boards, ops, organizer):
        app.register_blueprint(audience.blueprint)
    api.register(app)
