from __future__ import annotations

from flask_babel import lazy_gettext as _l

from quiz.blueprints.api.description.parts import (
    BEARER,
    MEMBER_KIND,
    TIME,
    Document,
    answered,
    array,
    exactly,
    ref,
    responses,
)

TAG = "mine"
ABOUT = _l("The caller's own profile, entries and receipts.")

_ENTRY_REQUIRED: Document = {
    "receipt": {"type": "string"},
    "state": {"type": "string", "enum": ["accepted", "scored"]},
    "round": {"type": "integer"},
    "attempt": {"type": "integer"},
    "received_at": TIME,
    "duration_ms": {"type": ["integer", "null"], "description": _l("Null until it is scored.")},
}
_ENTRY_OPTIONAL: Document = {
    "score": {"type": "integer", "description": _l("Left out until the round's scores are released.")},
    "correct": {"type": "integer", "description": _l("Number of right questions, with the score.")},
    "rank": {"type": "integer", "description": _l("Of the entry that counts for the round, with the score.")},
    "counted": {"type": "boolean", "description": _l("False: kept, but not counted.")},
}
SCHEMAS: dict[str, Document] = {
    "Me": exactly(
        {
            "id": {"type": "string"},
            "full_name": {"type": "string"},
            "phone": {"type": ["string", "null"]},
            "birth_year": {"type": ["integer", "null"]},
            "member_kind": MEMBER_KIND,
            "role": {"type": "string", "enum": ["participant", "officer", "organizer", "administrator"]},
            "unit": {"oneOf": [{"type": "null"}, ref("HomeUnit")]},
            "created_at": TIME,
        }
    ),
    "ListedEntry": exactly(_ENTRY_REQUIRED, _ENTRY_OPTIONAL),
    "Entry": exactly(
        _ENTRY_REQUIRED,
        {
            **_ENTRY_OPTIONAL,
            "answers": {
                "type": "object",
                "description": _l("The answers handed in, with the key."),
                "additionalProperties": array({"type": "string"}),
            },
            "questions": {
                **array(ref("KeyedQuestion")),
                "description": _l("The paper's questions with their key; left out until the key is released."),
            },
        },
    ),
    "KeyedQuestion": exactly(
        {
            "id": {"type": "string"},
            "text": {"type": "string"},
            "multiple": {"type": "boolean"},
            "options": array(ref("KeyedOption")),
            "right": {"type": "boolean", "description": _l("Whether the answer counted as right.")},
            "void": {"type": "boolean", "description": _l("Taken out after the fact: right for everybody.")},
            "explanation": {"type": ["string", "null"]},
            "source": {"type": ["string", "null"]},
        }
    ),
    "KeyedOption": exactly(
        {
            "id": {"type": "string"},
            "text": {"type": "string"},
            "right": {"type": "boolean"},
            "chosen": {"type": "boolean"},
        }
    ),
}

PATHS: dict[str, Document] = {
    "/me": {
        "get": {
            "tags": [TAG],
            "operationId": "show_me",
            "summary": _l("Own profile"),
            "security": BEARER,
            "responses": responses({"200": answered(_l("The caller"), ref("Me"))}, "login_required"),
        }
    },
    "/me/entries": {
        "get": {
            "tags": [TAG],
            "operationId": "list_my_entries",
            "summary": _l("Own entries, the newest first"),
            "security": BEARER,
            "responses": responses(
                {"200": answered(_l("Entries"), exactly({"entries": array(ref("ListedEntry"))}))},
                "login_required",
                "not_found",
            ),
        }
    },
    "/entries/{receipt}": {
        "parameters": [
            {
                "name": "receipt",
                "in": "path",
                "required": True,
                "description": _l("The receipt; its first part (24 characters) is enough."),
                "schema": {"type": "string", "pattern": "^[A-Z2-7]{24}(-[A-Z2-7]{24})?$"},
            }
        ],
        "get": {
            "tags": [TAG],
            "operationId": "show_entry",
            "summary": _l("One entry by its receipt"),
            "security": BEARER,
            "responses": responses(
                {"200": answered(_l("The entry"), ref("Entry"))}, "login_required", "unknown_receipt"
            ),
        },
    },
}
OF_A_CONTEST = ("/me/entries",)
