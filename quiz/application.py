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
from flask.sessions import NullSession
from flask.signals import request_tearing_down
from flask.typing import ResponseReturnValue
from werkzeug.routing import MapAdapter, Rule

API = "/api/v1/"
_MEMO = 256
"""So many addresses are remembered: more than honest clients ask for."""

_STATUS_LINES = {200: "200 OK", 201: "201 CREATED", 202: "202 ACCEPTED", 204: "204 NO CONTENT", 304: "304 NOT MODIFIED"}


class Finished:
    """An answer that needs nothing more from Flask or Werkzeug: status, headers and a body of known length.

    To the server it is a tuple, which says that nothing else comes (quiz.direct).
    """

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


class ApiRequest(Request):
    """A call of the API; its environment is taken apart only when somebody asks for what is in it. To hand in a sheet
    nobody does: the view looks into the environment itself."""

    def __init__(self, environ: dict[str, Any], populate_request: bool = True, shallow: bool = False) -> None:
        self.environ = environ
        self.shallow = shallow
        if populate_request and not shallow:
            environ["werkzeug.request"] = self

    def __getattr__(self, name: str) -> Any:
        """Asked for what the object has not (yet)."""
        if name not in _IN_ENVIRON:
            raise AttributeError(f"{type(self).__name__} has no {name}")
        super().__init__(self.environ, populate_request=False, shallow=self.shallow)
        return vars(self)[name]


_IN_ENVIRON = frozenset(("method", "scheme", "server", "root_path", "path", "query_string", "headers", "remote_addr"))
"""What Werkzeug takes out of the environment when it makes a request."""
_NO_SESSION = NullSession()


class Address(MapAdapter):
    """Where calls of one address lead; what was found once is not looked for again."""

    found: tuple[Rule, dict[str, Any]] | None = None


class ApiContext(RequestContext):
    """A call of the API: where it leads to is looked up once for each address."""

    app: Application

    def match_request(self) -> None:
        address, request = self.url_adapter, self.request
        if not isinstance(address, Address):
            return super().match_request()
        if address.found is not None:
            request.url_rule, request.view_args = address.found[0], dict(address.found[1])
            return None
        super().match_request()
        values = request.view_args or {}
        if request.url_rule is not None and all(isinstance(value, int) for value in values.values()):
            address.found = request.url_rule, dict(values)
            self.app.remember(request.environ, address)
        return None


Hooks = tuple[Callable[..., Any], ...]


class Application(Flask):
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._addresses: dict[tuple[str, ...], Address] = {}
        self._hooks: dict[str | None, tuple[Hooks, Hooks]] = {}

    def request_context(self, environ: dict[str, Any]) -> RequestContext:
        if not _is_api(environ):
            return super().request_context(environ)
        request = ApiRequest(environ)
        request.json_module = self.json
        return ApiContext(self, environ, request, _NO_SESSION)

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """The same adapter that Flask makes; for an address that was good before, the one made then."""
        if request is None or not _is_api(request.environ) or "HTTP_UPGRADE" in request.environ:
            return super().create_url_adapter(request)
        known = self._addresses.get(_asked(request.environ))
        if known is not None:
            return known
        made = super().create_url_adapter(request)
        if made is None:
            return None
        return Address(
            made.map,
            made.server_name,
            made.script_name,
            made.subdomain,
            made.url_scheme,
            made.path_info,
            made.default_method,
            made.query_args,
        )

    def remember(self, environ: dict[str, Any], address: Address) -> None:
        if len(self._addresses) < _MEMO:
            address.query_args = None
            self._addresses[_asked(environ)] = address

    def full_dispatch_request(self) -> Response:
        """An API call: the blueprint's hooks, the view, and errors as everywhere. A finished answer stays as it is."""
        request = request_ctx.request
        if not _is_api(request.environ):
            return super().full_dispatch_request()
        self._got_first_request = True
        try:
            answer = self._ask_blueprint(request)
            if answer is None:
                known = request.routing_exception is None and request.environ["REQUEST_METHOD"] != "OPTIONS"
                answer = self._view_of(request) if known else self.dispatch_request()
        except Exception as error:  # noqa: BLE001 - Flask's own way: the handlers of web.init_errors answer it
            answer = self.handle_user_exception(error)
        if isinstance(answer, Finished):
            return answer  # type: ignore[return-value]
        return self.make_response(answer)

    def _ask_blueprint(self, request: Request) -> ResponseReturnValue | None:
        """The one hook of the whole application guards forms against foreign pages; the API takes no cookie."""
        endpoint = request.endpoint
        hooks = self._hooks.get(endpoint)
        if hooks is None:
            hooks = self._hooks[endpoint] = self._hooks_of(request.blueprints)
        for prepare in hooks[0]:
            prepare(endpoint, request.view_args)
        for check in hooks[1]:
            answer: ResponseReturnValue | None = check()
            if answer is not None:
                return answer
        return None

    def _hooks_of(self, blueprints: list[str]) -> tuple[Hooks, Hooks]:
        preparing = [hook for name in blueprints for hook in self.url_value_preprocessors.get(name, ())]
        checking = [hook for name in blueprints for hook in self.before_request_funcs.get(name, ())]
        return tuple(preparing), tuple(checking)

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


def _asked(environ: dict[str, Any]) -> tuple[str, ...]:
    """All that an adapter is made of, but for the query: only a redirect would repeat that."""
    return (
        environ["REQUEST_METHOD"],
        environ["PATH_INFO"],
        environ.get("HTTP_HOST") or "",
        environ["wsgi.url_scheme"],
        environ.get("SCRIPT_NAME") or "",
    )
