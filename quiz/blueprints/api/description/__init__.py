"""The OpenAPI 3.1 description, written by hand: one file a resource. Tests hold it against the running API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from flask_babel import lazy_gettext as _l

from quiz.blueprints.api.description import accounts, boards, contest, mine, taking
from quiz.blueprints.api.description.parts import PROBLEM, Document

_RESOURCES = (contest, accounts, taking, mine, boards)

SLUG: Document = {
    "name": "slug",
    "in": "path",
    "required": True,
    "description": _l("Short name of a contest, as in GET /contest."),
    "schema": {"type": "string", "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$", "maxLength": 100},
}


def document() -> Document:
    """The description in the language of the request."""
    paths: dict[str, Document] = {}
    for resource in _RESOURCES:
        paths.update(resource.PATHS)
    for resource in _RESOURCES:
        for path in resource.OF_A_CONTEST:
            paths[f"/contests/{{slug}}{path}"] = _of_a_contest(resource.PATHS[path])
    schemas = {"Problem": PROBLEM}
    for resource in _RESOURCES:
        schemas.update(resource.SCHEMAS)
    found: Document = _spoken(
        {
            "openapi": "3.1.0",
            "info": {
                "title": _l("Quiz contest API"),
                "version": "1",
                "description": _l(
                    "Times are ISO 8601 with offset, ids are strings. Refusals are application/problem+json with a "
                    "stable code; their words follow Accept-Language (vi, en). The addresses below mean the current "
                    "contest; below /contests/SLUG the same calls mean another one."
                ),
            },
            "servers": [{"url": "/api/v1"}],
            "tags": [{"name": resource.TAG, "description": resource.ABOUT} for resource in _RESOURCES],
            "paths": paths,
            "components": {
                "securitySchemes": {
                    "bearer": {
                        "type": "http",
                        "scheme": "bearer",
                        "description": _l("The token of POST /participants or POST /tokens; it ends after 30 days."),
                    }
                },
                "schemas": schemas,
            },
        }
    )
    return found


def _of_a_contest(path: Document) -> Document:
    """The same operations below /contests/SLUG, under names of their own."""
    copied = deepcopy(path)
    for name, operation in copied.items():
        if name != "parameters":
            operation["operationId"] += "_of_a_contest"
    copied["parameters"] = [SLUG, *copied.get("parameters", [])]
    return copied


def _spoken(value: Any) -> Any:
    """Lazy translations become text of the request's language."""
    if isinstance(value, Mapping):
        return {key: _spoken(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_spoken(item) for item in value]
    return value if isinstance(value, str | bool | int | float) or value is None else str(value)
