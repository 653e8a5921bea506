"""What every page for people shares: filters, assets, the reader's wishes, and headers that keep a page to itself."""

from __future__ import annotations

from typing import Any

from flask import Flask, flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from quiz import clock, wording
from quiz.assets import init_assets
from quiz.extensions import login_manager
from quiz.languages import page_words

THEMES = ("light", "dark")
THEME_COOKIE = "theme"

# No inline script or style anywhere: a name or a theme that somebody typed can never become code.
POLICY = "; ".join(
    [
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)


def looks() -> tuple[str, str | None]:
    """The reader's language and colours; None: the phone's own."""
    theme = request.cookies.get(THEME_COOKIE)
    return wording.language(), theme if theme in THEMES else None


def prepare(app: Flask) -> None:
    """Compile the pages that many enter by before a process serves; the first of them would wait for it.

    Not the organizers': they are few, and theirs take three times as long as all others.
    """
    for name in app.jinja_env.list_templates(extensions=["html"]):
        if not name.startswith("organizer/"):
            app.jinja_env.get_template(name)


def init_pages(app: Flask) -> None:
    # Vietnamese as it is: escaped, its letters would make a page half as heavy again.
    app.jinja_env.policies["json.dumps_kwargs"] = {"ensure_ascii": False, "sort_keys": True}
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(wording.FILTERS)
    app.jinja_env.globals["page_made_at"] = lambda: clock.to_ms(clock.now())
    init_assets(app)

    @login_manager.unauthorized_handler
    def ask_to_sign_in() -> Response:
        flash(_("Sign in to go on."), "info")
        # A form can't be sent again by following a link: after it one starts from the home page.
        back = request.full_path.rstrip("?") if request.method == "GET" else None
        return redirect(url_for("account.sign_in", next=back))

    @app.context_processor
    def common() -> dict[str, Any]:
        return {**dict(zip(("language", "theme"), looks(), strict=True)), **page_words()}

    @app.after_request
    def guard(response: Response) -> Response:
        if response.mimetype == "text/html":
            response.headers.setdefault("Content-Security-Policy", POLICY)
        if response.mimetype in ("text/html", "application/json"):
            # A page is one person's: neither a proxy nor the back button of a shared phone may show it to another.
            response.headers.setdefault("Cache-Control", "no-store")
        return response
