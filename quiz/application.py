"""Flask, without what only pages need on the API's way.

Handing in a sheet is an ordinary view, but half of what Flask and its extensions do around a view is for pages: opening
and saving the session, the remember-me cookie, headers of HTML, an address book for links. An API call has none of
that, and leaving it out is worth as much as everything the view itself does. Errors, limits, contexts and teardown of
the database are Flask's own on both ways.

What an API call passes by must stay empty of what it needs: tests/api/test_application.py looks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, Request, Response
from flask.ctx import RequestContext
from flask.globals import request_ctx
from flask.signals import request_tearing_down
from flask.typing import ResponseReturnValue
from werkzeug.routing import MapAdapter, Rule

API = "/api/v1/"
_MEMO = 256
"""So many hosts and so many addresses are remembered: more than an honest client asks for."""

_STATUS_LINES = {200: "200 OK", 201: "201 CREATED", 202: "202 ACCEPTED", 204: "204 NO CONTENT", 304: "304 NOT MODIFIED"}


class Finished:
    """An answer that needs nothing more from Flask or Werkzeug: status, headers and a body of known length."""

    __slots__ = ("body", "headers", "status_code")

    def __init__(self, body: bytes, status: int, headers: list[tuple[str, str]]) -> None:
        self.body = body
        self.status_code = status
        self.headers = headers

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        headers = self.headers
        if not self.body:
            start_response(_STATUS_LINES[self.status_code], headers[:])
            return ()
        start_response(_STATUS_LINES[self.status_code], [*headers, ("Content-Length", str(len(self.body)))])
        return () if environ["REQUEST_METHOD"] == "HEAD" else (self.body,)


class ApiContext(RequestContext):
    """A call of the API: where it leads to is looked up once for each address."""

    app: Application

    def match_request(self) -> None:
        request = self.request
        known = self.app.routes.get((request.environ["REQUEST_METHOD"], request.path))
        if known is not None:
            request.url_rule, request.view_args = known[0], dict(known[1])
            return
        super().match_request()
        if request.url_rule is not None and all(isinstance(value, int) for value in (request.view_args or {}).values()):
            self.app.remember_route((request.environ["REQUEST_METHOD"], request.path), request.url_rule, request)


class Application(Flask):
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.routes: dict[tuple[str, str], tuple[Rule, dict[str, Any]]] = {}
        self._hosts: dict[tuple[str, str], str] = {}

    def remember_route(self, address: tuple[str, str], rule: Rule, request: Request) -> None:
        if len(self.routes) < _MEMO:
            self.routes[address] = rule, dict(request.view_args or {})

    def request_context(self, environ: dict[str, Any]) -> RequestContext:
        return (ApiContext if _is_api(environ) else RequestContext)(self, environ)

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """The same adapter that Flask makes, put together without reading a host again that was good before."""
        if request is None or not _is_api(request.environ) or "HTTP_UPGRADE" in request.environ:
            return super().create_url_adapter(request)
        environ = request.environ
        asked = environ["wsgi.url_scheme"], environ.get("HTTP_HOST") or ""
        host = self._hosts.get(asked)
        if host is None:
            adapter = super().create_url_adapter(request)
            if adapter is not None and asked[1] and len(self._hosts) < _MEMO:
                self._hosts[asked] = adapter.server_name
            return adapter
        return MapAdapter(
            self.url_map,
            host,
            request.root_path,
            "",
            asked[0],
            request.path,
            request.method,
            environ.get("QUERY_STRING"),
        )

    def full_dispatch_request(self) -> Response:
        """An API call: the blueprint's hooks, the view, and errors as everywhere. A finished answer stays as it is."""
        request = request_ctx.request
        if not _is_api(request.environ):
            return super().full_dispatch_request()
        self._got_first_request = True
        try:
            answer = self._ask_blueprint(request)
            if answer is None:
                known = request.routing_exception is None and request.method != "OPTIONS"
                answer = self._view_of(request) if known else self.dispatch_request()
        except Exception as error:  # noqa: BLE001 - Flask's own way: the handlers of web.init_errors answer it
            answer = self.handle_user_exception(error)
        if isinstance(answer, Finished):
            return answer  # type: ignore[return-value]
        return self.make_response(answer)

    def _ask_blueprint(self, request: Request) -> ResponseReturnValue | None:
        """The one hook of the whole application guards forms against foreign pages; the API takes no cookie."""
        for name in request.blueprints:
            for prepare in self.url_value_preprocessors.get(name, ()):
                prepare(request.endpoint, request.view_args)
            for check in self.before_request_funcs.get(name, ()):
                answer: ResponseReturnValue | None = check()  # type: ignore[assignment]
                if answer is not None:
                    return answer
        return None

    def _view_of(self, request: Request) -> ResponseReturnValue:
        view: Callable[..., Any] = self.view_functions[request.endpoint or ""]
        answer: ResponseReturnValue = view(**(request.view_args or {}))
        return answer

    def process_response(self, response: Response) -> Response:
        """Sessions, remember-me cookies and HTML's headers belong to pages; there is no other after_request here."""
        return response if _is_api(request_ctx.request.environ) else super().process_response(response)

    def do_teardown_request(self, exc: BaseException | None = None) -> None:
        """What nobody asked for is not looked for: the database's session ends with the application's context."""
        if self.teardown_request_funcs or request_tearing_down.receivers:
            super().do_teardown_request(exc)

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """No view or hook of ours is a coroutine; to ask each of them at each request takes longer than some run."""
        return func


def _is_api(environ: dict[str, Any]) -> bool:
    path: str = environ.get("PATH_INFO") or ""
    return path.startswith(API)
