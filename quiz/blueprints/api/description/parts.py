"""What every resource's description is made of."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l

from quiz.errors import NOT_ELIGIBLE, PROBLEMS
from quiz.services import member_kinds

Document = dict[str, Any]

PROBLEM: Document = {
    "type": "object",
    "required": ["title", "status", "detail", "code"],
    "properties": {
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string", "description": _l("What happened, what is safe, what to do next.")},
        "code": {"type": "string", "description": _l("Stable; programs decide by it."), "enum": sorted(PROBLEMS)},
        "errors": {
            "type": "array",
            "description": _l("The fields that are not right."),
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
        "reason": {
            "type": "string",
            "description": _l("With not_eligible: which of the rules."),
            "enum": sorted(NOT_ELIGIBLE),
        },
        "opens_at": {"type": "string", "format": "date-time", "description": _l("With round_not_open.")},
        "closes_at": {"type": "string", "format": "date-time", "description": _l("With round_not_open.")},
    },
}

TIME: Document = {"type": "string", "format": "date-time", "examples": ["2025-11-10T20:15:00.000+07:00"]}
MEMBER_KIND: Document = {
    "enum": [*member_kinds.KINDS, None],
    "description": _l("What the person said to be; null: nothing."),
}
BEARER: list[Document] = [{"bearer": []}]
BEARER_OR_NONE: list[Document] = [{}, {"bearer": []}]

_ALWAYS = ("method_not_allowed", "internal_error", "service_unavailable")
_WITH_BODY = ("invalid_json", "body_too_large", "unsupported_media_type", "invalid_request")
_RETRY: Document = {"Retry-After": {"description": _l("Seconds to wait."), "schema": {"type": "integer", "minimum": 1}}}


def ref(name: str) -> Document:
    return {"$ref": f"#/components/schemas/{name}"}


def nullable(schema: Document) -> Document:
    return {**schema, "type": [schema["type"], "null"]}


def obj(required: Document, optional: Document | None = None) -> Document:
    """An object with these fields; more may come, so clients ignore what they don't know."""
    return {"type": "object", "required": list(required), "properties": {**required, **(optional or {})}}


def exactly(required: Document, optional: Document | None = None) -> Document:
    """The same for answers that have nothing else."""
    return {**obj(required, optional), "additionalProperties": False}


def array(items: Document) -> Document:
    return {"type": "array", "items": items}


def body(schema: Document, *, required: bool = True) -> Document:
    return {"required": required, "content": {"application/json": {"schema": schema}}}


def answered(text: Any, schema: Document) -> Document:
    return {"description": text, "content": {"application/json": {"schema": schema}}}


def empty(text: Any) -> Document:
    return {"description": text}


def responses(good: dict[str, Document], *codes: str, has_body: bool = False) -> Document:
    """The good answers, and the refusals by these codes (and those every call can give), grouped by status."""
    by_status: dict[int, list[str]] = {}
    for code in (*codes, *(_WITH_BODY if has_body else ()), *_ALWAYS):
        by_status.setdefault(PROBLEMS[code].status, []).append(code)
    refused = {str(status): _refusal(status, names) for status, names in sorted(by_status.items())}
    return {**good, **refused}


def _refusal(status: int, codes: list[str]) -> Document:
    made: Document = {
        "description": ", ".join(codes),
        "content": {"application/problem+json": {"schema": ref("Problem")}},
    }
    return {**made, "headers": _RETRY} if status in (429, 503) else made
