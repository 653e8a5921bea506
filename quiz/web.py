"""What every request has in common: limits, sign-in from the signed cookie, language, errors."""

from __future__ import annotations

from datetime import timedelta

from flask import Flask, Request, Response, has_request_context, jsonify, render_template, request, session
from flask.sessions import NullSession, SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from flask_login import UserMixin
from itsdangerous import BadSignature, URLSafeTimedSerializer
from redis.exceptions import RedisError
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from quiz import clock, metrics
from quiz.config import Settings
from quiz.errors import ANSWER_PROBLEMS, NOT_ELIGIBLE, PROBLEMS, FieldError, Refusal
from quiz.extensions import babel, csrf, login_manager
from quiz.intake.errors import IntakeRefusal, InvalidAnswers, NotEligible
from quiz.logs import get_logger
from quiz.observe import request_id

log = get_logger("quiz.web")

MAX_BODY = 256 * 1024
LANGUAGES = ("vi", "en")
_STATUS_CODES = {
    400: "bad_request",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    415: "unsupported_media_type",
    429: "too_many_requests",
}


class SignedIn(UserMixin):
    """A participant as the signed cookie says it: no query. Staff pages check the tables besides."""

    def __init__(self, user_id: int, unit_id: int, auth_epoch: int, role: str, name: str) -> None:
        self.id = user_id
        self.unit_id = unit_id
        self.auth_epoch = auth_epoch
        self.role = role
        self.name = name

    def get_id(self) -> str:
        return f"{self.id}.{self.unit_id}.{self.auth_epoch}.{self.role}.{self.name}"


class PageSession(SecureCookieSession):
    is_old = False
    """Whether its cookie is to be signed again, so that it does not expire while its owner keeps coming."""


class PageSessions(SecureCookieSessionInterface):
    """Sessions for pages. The API has no cookie to read or to set, and its hot path no time to look for one.

    To sign a cookie takes as long as a third of the home page, so one that says the same as before is left alone until
    a third of its time is over.
    """

    session_class = PageSession
    _none = NullSession()

    def __init__(self) -> None:
        self._serializers: dict[str, URLSafeTimedSerializer] = {}

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """Flask's own, made once for a secret."""
        secret = str(app.secret_key)
        if secret not in self._serializers and (made := super().get_signing_serializer(app)) is not None:
            self._serializers[secret] = made
        return self._serializers.get(secret)

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        if request.path.startswith("/api/"):
            return self._none
        serializer = self.get_signing_serializer(app)
        text = request.cookies.get(self.get_cookie_name(app))
        if serializer is None or not text:
            return super().open_session(app, request)
        lifetime = app.permanent_session_lifetime
        try:
            data, signed_at = serializer.loads(text, max_age=int(lifetime.total_seconds()), return_timestamp=True)
        except BadSignature:
            return self.session_class()
        session = self.session_class(data)
        session.is_old = clock.now() - signed_at > lifetime / 3
        return session

    def should_set_cookie(self, app: Flask, session: SessionMixin) -> bool:
        return session.modified or (session.permanent and getattr(session, "is_old", False))


def configure(app: Flask, settings: Settings) -> None:
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS={
            "pool_size": 8,
            "max_overflow": 8,
            "pool_timeout": 3,
            "pool_pre_ping": True,
            # Errors of the database are logged; a phone number in a parameter is not.
            "hide_parameters": True,
            "connect_args": {"connect_timeout": 2},
        },
        MAX_CONTENT_LENGTH=MAX_BODY,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.secure_cookies,
        PERMANENT_SESSION_LIFETIME=timedelta(days=90),
        WTF_CSRF_TIME_LIMIT=None,
        BABEL_DEFAULT_LOCALE="vi",
        BABEL_DEFAULT_TIMEZONE="Asia/Ho_Chi_Minh",
    )
    app.session_interface = PageSessions()
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.json.sort_keys = False  # type: ignore[attr-defined]


def init_sign_in(app: Flask) -> None:
    login_manager.init_app(app)
    login_manager.login_view = "account.sign_in"
    csrf.init_app(app)

    @login_manager.user_loader
    def load(cookie: str) -> SignedIn | None:
        # The cookie is signed as a whole; the start of an attempt compares its auth epoch inside Redis.
        user_id, unit_id, epoch, role, name = cookie.split(".", 4)
        return SignedIn(int(user_id), int(unit_id), int(epoch), role, name)


def init_languages(app: Flask) -> None:
    babel.init_app(app, locale_selector=choose_language)


def choose_language() -> str:
    """The language of the cookie, else of the browser, else Vietnamese; the API has no cookie to ask."""
    if not has_request_context():
        return "vi"
    chosen = session.get("language") if not request.path.startswith("/api/") else None
    return chosen if chosen in LANGUAGES else request.accept_languages.best_match(LANGUAGES) or "vi"


def wants_json() -> bool:
    return request.path.startswith("/api/")


def refuse(refusal: Refusal) -> Response:
    """A refusal as problem+json for the API, as a page for people."""
    problem = PROBLEMS[refusal.code]
    metrics.refused(refusal.code)
    if wants_json():
        response = jsonify(
            {
                "title": str(problem.title),
                "status": problem.status,
                "detail": str(refusal.detail),
                "code": refusal.code,
                **(
                    {"errors": [{"field": e.field, "message": str(e.message)} for e in refusal.errors]}
                    if refusal.errors
                    else {}
                ),
                **refusal.extra,
            }
        )
        response.content_type = "application/problem+json"
        if problem.status == 401:
            response.headers["WWW-Authenticate"] = "Bearer"
    else:
        response = Response(
            render_template("error.html", problem=problem, refusal=refusal), content_type="text/html; charset=utf-8"
        )
    response.status_code = problem.status
    if problem.status == 503 or refusal.retry_after is not None:
        response.headers["Retry-After"] = str(refusal.retry_after or 5)
    response.headers["Cache-Control"] = "no-store"
    return response


def init_errors(app: Flask) -> None:
    @app.errorhandler(Refusal)
    def refused(refusal: Refusal) -> Response:
        return refuse(refusal)

    @app.errorhandler(IntakeRefusal)
    def refused_by_intake(refusal: IntakeRefusal) -> Response:
        if isinstance(refusal, InvalidAnswers):
            return refuse(Refusal(refusal.code, errors=(FieldError(refusal.field, ANSWER_PROBLEMS[refusal.problem]),)))
        if isinstance(refusal, NotEligible):
            return refuse(Refusal(refusal.code, detail=NOT_ELIGIBLE[refusal.reason], reason=refusal.reason))
        return refuse(Refusal(refusal.code))

    @app.errorhandler(OperationalError)
    @app.errorhandler(PoolTimeout)
    @app.errorhandler(RedisError)
    def away(error: Exception) -> Response:
        log.error("service_away", endpoint=request.endpoint, error=error)
        return refuse(Refusal("service_unavailable"))

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Response:
        response = refuse(Refusal(_STATUS_CODES.get(error.code or 500, "bad_request")))
        if isinstance(error, MethodNotAllowed):
            response.headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))
        return response

    @app.errorhandler(Exception)
    def bug(error: Exception) -> Response:
        log.error("internal_error", endpoint=request.endpoint, exc_info=error)
        return refuse(Refusal("internal_error", request_id=request_id()))
