"""Flask, without what only pages need on the API's way.

Handing in a sheet is an ordinary view, but half of what Flask and its extensions do around a view is for pages: opening
and saving the session, the remember-me cookie, headers of HTML. An API call has none of that; leaving it out is worth
as much as everything the view itself does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask, Request, Response, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask.typing import ResponseReturnValue

API = "/api/v1/"


class PageSessions(SecureCookieSessionInterface):
    """The signed cookie, for pages only: whoever calls the API carries a token or a signed paper."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        return None if request.path.startswith(API) else super().open_session(app, request)


class Application(Flask):
    session_interface = PageSessions()

    def preprocess_request(self) -> ResponseReturnValue | None:
        """The one hook of the whole application guards forms against foreign pages; the API takes no cookie."""
        if not request.path.startswith(API):
            return super().preprocess_request()
        for name in request.blueprints:
            for prepare in self.url_value_preprocessors.get(name, ()):
                prepare(request.endpoint, request.view_args)
            for check in self.before_request_funcs.get(name, ()):
                answer: ResponseReturnValue | None = check()  # type: ignore[assignment]
                if answer is not None:
                    return answer
        return None

    def process_response(self, response: Response) -> Response:
        """Sessions, remember-me cookies and HTML's headers belong to pages; there is no other after_request here."""
        return response if request.path.startswith(API) else super().process_response(response)

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """No view or hook of ours is a coroutine; to ask each of them at each request takes longer than some run."""
        return func
