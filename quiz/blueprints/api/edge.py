"""Where JSON comes in and goes out: bodies read into structs, answers written, who calls."""

from __future__ import annotations

import re
from typing import Any, TypeVar

import msgspec
from flask import current_app, request
from flask_babel import lazy_gettext as _l
from gunicorn.http.errors import ParseException

from quiz import clock
from quiz.application import Finished
from quiz.errors import FieldError, Refusal
from quiz.extensions import db, platform
from quiz.services import accounts, bearer
from quiz.services.bearer import Claims
from quiz.services.papers import Desk
from quiz.web import MAX_BODY

T = TypeVar("T")

JSON = "application/json"
Whole = int | float
"""JSON knows one kind of number: 12.0 is a whole one too, see `whole`."""

_MISSING = re.compile(r"missing required field `(?P<name>[^`]*)`")
_AT = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")


def now_ms() -> int:
    return clock.to_ms(clock.now())


def desk() -> Desk:
    """What taking papers needs, one for the application."""
    held: Desk | None = current_app.extensions.get("quiz80.desk")
    if held is None:
        parts = platform()
        held = Desk(parts.gateway, parts.signer, parts.settings.issuer, parts.season)
        current_app.extensions["quiz80.desk"] = held
    return held


# In


def read(decoder: msgspec.json.Decoder[T]) -> T:
    """The request's body.

    Raises:
        Refusal: unsupported_media_type, invalid_json (also of what can't be read to its end), invalid_request naming
            the first field that does not fit.
    """
    environ = request.environ
    _check_json(environ)
    return _decoded(decoder, _body(environ))


def read_if_any(decoder: msgspec.json.Decoder[T]) -> T:
    """The same where the body may be left out."""
    environ = request.environ
    data = _body(environ)
    if data:
        _check_json(environ)
    return _decoded(decoder, data or b"{}")


def _body(environ: dict[str, Any]) -> bytes:
    try:
        return _sent(environ)
    except (ParseException, OSError) as error:
        # Chunks that are none, or a line that broke: what came of it is no JSON.
        raise Refusal("invalid_json") from error


def _sent(environ: dict[str, Any]) -> bytes:
    length = environ.get("CONTENT_LENGTH") or ""
    if length.isascii() and length.isdigit() and int(length[:10]) <= MAX_BODY:
        # As nearly every client sends it: what Werkzeug would wrap around the server's reader finds nothing to do.
        sent: bytes = environ["wsgi.input"].read(int(length))
        return sent
    data = request.get_data(cache=False)
    if request.content_length is None and len(data) >= MAX_BODY:
        # Of a body sent in chunks Werkzeug reads as much as is allowed and says nothing about the rest.
        raise Refusal("body_too_large")
    return data


def _check_json(environ: dict[str, Any]) -> None:
    # What nearly every client sends is seen without taking the header apart.
    if environ.get("CONTENT_TYPE") == JSON:
        return
    mimetype = request.mimetype
    if mimetype != JSON and not (mimetype.startswith("application/") and mimetype.endswith("+json")):
        raise Refusal("unsupported_media_type")


def _decoded(decoder: msgspec.json.Decoder[T], data: bytes) -> T:
    try:
        return decoder.decode(data)
    except msgspec.ValidationError as error:
        _check_syntax(data)
        raise Refusal("invalid_request", errors=(_field_error(str(error)),)) from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise Refusal("invalid_json") from error


def _check_syntax(data: bytes) -> None:
    """A decoder of a type stops at the first thing that doesn't fit; what comes after it may be no JSON at all."""
    try:
        msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Refusal("invalid_json") from error


def _field_error(text: str) -> FieldError:
    """msgspec's English sentence as a field and one of ours."""
    at = _AT.search(text)
    path = at["path"].replace("[...]", "") if at else ""
    if missing := _MISSING.search(text):
        name = f"{path}.{missing['name']}" if path else missing["name"]
        return FieldError(name, _l("This field is missing."))
    return FieldError(path, _l("This field is not of the kind that is expected here."))


def whole(value: Whole | None, field: str, low: int = 0, high: int = 2**53) -> int | None:
    """A number from JSON as an int.

    Raises:
        Refusal: invalid_request for a fraction or a number out of range.
    """
    if value is None:
        return None
    if int(value) != value or not low <= value <= high:
        message = _l("Enter a whole number from %(low)s to %(high)s.", low=low, high=high)
        raise Refusal("invalid_request", errors=(FieldError(field, message),))
    return int(value)


def whole_argument(name: str, low: int, high: int) -> int | None:
    """A number from the query string; None if it is left out."""
    text = request.args.get(name)
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or not low <= int(text[:10]) <= high or len(text) > 10:
        message = _l("Enter a whole number from %(low)s to %(high)s.", low=low, high=high)
        raise Refusal("invalid_request", errors=(FieldError(name, message),))
    return int(text)


# Who


def holder(at_ms: int) -> Claims | None:
    """Whom a valid bearer token names; a missing, forged or expired one names nobody. Asks no table."""
    given = request.environ.get("HTTP_AUTHORIZATION")
    if given is None:
        return None
    kind, _, token = given.partition(" ")
    return bearer.read(platform().signer, token.strip(), at_ms) if kind.lower() == "bearer" else None


def signed_in(at_ms: int) -> Claims:
    """The same where somebody is required.

    Raises:
        Refusal: login_required.
    """
    claims = holder(at_ms)
    if claims is None:
        raise Refusal("login_required")
    return claims


def signed_in_still(at_ms: int) -> Claims:
    """The same, checked against the table: a password change ends tokens here too.

    Raises:
        Refusal: login_required.
    """
    claims = signed_in(at_ms)
    if not accounts.session_holds(db.session(), claims.user, claims.auth_epoch):
        raise Refusal("login_required")
    return claims


# Out


def answer(body: Any, status: int = 200) -> Finished:
    """An answer that belongs to its caller alone."""
    return raw(msgspec.json.encode(body), status)


def raw(body: bytes, status: int = 200) -> Finished:
    """The same of JSON that is encoded already."""
    return Finished(body, status, _PRIVATE)


_PRIVATE = [("Content-Type", JSON), ("Cache-Control", "no-store")]
DONE = Finished(b"", 204, [("Cache-Control", "no-store")])
"""Nothing to say but that it is done."""
