from __future__ import annotations

from flask_babel import lazy_gettext as _l

from quiz.blueprints.api.description.parts import (
    MEMBER_KIND,
    TIME,
    Document,
    answered,
    body,
    exactly,
    obj,
    ref,
    responses,
)

TAG = "accounts"
ABOUT = _l("Registering and signing in.")

_PHONE: Document = {
    "type": "string",
    "description": _l("A Vietnamese mobile number in any usual spelling."),
    "pattern": "^(\\+84|0)[35789][0-9]{8}$",
    "examples": ["0912345678"],
}
SCHEMAS: dict[str, Document] = {
    "HomeUnit": exactly(
        {
            "code": {"type": "string"},
            "name": {"type": "string"},
            "kind": {"type": "string", "enum": ["province", "union", "commune", "branch"]},
            "province_code": {"type": ["string", "null"], "description": _l("Null below a union.")},
        }
    ),
    "Participant": exactly(
        {"id": {"type": "string"}, "full_name": {"type": "string"}, "unit": ref("HomeUnit")},
    ),
    "Registration": obj(
        {
            "phone": _PHONE,
            "password": {
                "type": "string",
                "minLength": 8,
                "maxLength": 128,
                "format": "password",
                "description": _l("At least 8 characters, 4 of them different, and not one of the first guesses."),
                "examples": ["mùa xuân 1946"],
            },
            "full_name": {"type": "string", "minLength": 2, "maxLength": 100, "examples": ["Nguyễn Thị Hoa"]},
            "unit_code": {
                "type": "string",
                "pattern": "^[0-9A-Z]{2,8}$",
                "description": _l("Code of a commune, a province, a union or a branch; see GET /units."),
                "examples": ["00004"],
            },
            "consent": {"type": "boolean", "const": True},
        },
        {
            "birth_year": {"type": ["integer", "null"], "minimum": 1900, "maximum": 2100, "examples": [2003]},
            "member_kind": MEMBER_KIND,
        },
    ),
    "Credentials": obj({"phone": {"type": "string"}, "password": {"type": "string"}}),
    "Token": exactly({"token": {"type": "string"}, "expires_at": TIME}),
    "Registered": exactly({"token": {"type": "string"}, "expires_at": TIME, "participant": ref("Participant")}),
}

PATHS: dict[str, Document] = {
    "/participants": {
        "post": {
            "tags": [TAG],
            "operationId": "register",
            "summary": _l("Register and be signed in"),
            "requestBody": body(ref("Registration")),
            "responses": responses(
                {"201": answered(_l("Registered"), ref("Registered"))},
                "phone_taken",
                "too_many_requests",
                has_body=True,
            ),
        }
    },
    "/tokens": {
        "post": {
            "tags": [TAG],
            "operationId": "sign_in",
            "summary": _l("Sign in"),
            "description": _l("Tokens end after 30 days, with a password change and with signing out everywhere."),
            "requestBody": body(ref("Credentials")),
            "responses": responses(
                {"200": answered(_l("Signed in"), ref("Token"))},
                "wrong_credentials",
                "too_many_requests",
                has_body=True,
            ),
        }
    },
}
OF_A_CONTEST: tuple[str, ...] = ()
