from __future__ import annotations

from flask_babel import lazy_gettext as _l

from quiz.blueprints.api.description.parts import TIME, Document, answered, array, exactly, ref, responses

TAG = "boards"
ABOUT = _l("Boards of units and people. An ETag stands for a board's content.")

_NUMBER: Document = {"type": ["number", "null"]}
_TARGET: Document = {"type": ["integer", "null"], "description": _l("Null without a target.")}
_ROUND: Document = {
    "name": "round",
    "in": "query",
    "description": _l("Number of the round; left out: the whole contest."),
    "schema": {"type": "integer", "minimum": 1, "maximum": 999},
}
_CODE: Document = {"type": "string"}

SCHEMAS: dict[str, Document] = {
    "UnitBoard": exactly(
        {
            "as_of": TIME,
            "round": {"type": ["integer", "null"]},
            "rows": array(ref("UnitRow")),
        }
    ),
    "UnitRow": exactly(
        {
            "rank": {"type": "integer", "minimum": 1},
            "code": {"type": "string"},
            "name": {"type": "string"},
            "participants": {"type": "integer"},
            "entries": {"type": "integer"},
            "participants_target": _TARGET,
            "entries_target": _TARGET,
            "participants_pct": _NUMBER,
            "entries_pct": _NUMBER,
            "average_score": {**_NUMBER, "description": _l("Null until the scores are released.")},
        }
    ),
    "PeopleBoard": exactly({"as_of": TIME, "rows": array(ref("PeopleRow"))}),
    "PeopleRow": exactly(
        {
            "rank": {"type": "integer", "minimum": 1},
            "name": {"type": "string", "description": _l("Shortened.")},
            "unit_code": {"type": "string"},
            "score": {"type": "integer"},
            "duration_ms": {"type": "integer"},
            "submitted_at": TIME,
        }
    ),
}

_NOT_MODIFIED: Document = {"description": _l("Unchanged since the ETag in If-None-Match")}

PATHS: dict[str, Document] = {
    "/boards/units": {
        "get": {
            "tags": [TAG],
            "operationId": "show_unit_board",
            "summary": _l("Provinces and unions, or communes, by what they reached"),
            "parameters": [
                _ROUND,
                {
                    "name": "level",
                    "in": "query",
                    "description": _l("Provinces with the unions, or communes."),
                    "schema": {"type": "string", "enum": ["province", "commune"], "default": "province"},
                },
                {
                    "name": "parent",
                    "in": "query",
                    "description": _l("Only units below the one with this code."),
                    "schema": _CODE,
                    "examples": {"province": {"value": "01"}},
                },
            ],
            "responses": responses(
                {"200": answered(_l("The board"), ref("UnitBoard")), "304": _NOT_MODIFIED},
                "unknown_round",
                "unknown_unit",
                "not_found",
                "invalid_request",
            ),
        }
    },
    "/boards/participants": {
        "get": {
            "tags": [TAG],
            "operationId": "show_people_board",
            "summary": _l("The best participants; empty before the scores are released"),
            "parameters": [
                _ROUND,
                {
                    "name": "unit",
                    "in": "query",
                    "description": _l("Only people of the unit with this code and of those below it."),
                    "schema": _CODE,
                    "examples": {"province": {"value": "01"}},
                },
                {
                    "name": "bracket",
                    "in": "query",
                    "description": _l("Only people of the bracket with this key in the round's rules."),
                    "schema": {"type": "string"},
                },
                {
                    "name": "limit",
                    "in": "query",
                    "description": _l("Number of rows at most."),
                    "schema": {"type": "integer", "minimum": 1, "maximum": 500, "default": 100},
                },
            ],
            "responses": responses(
                {"200": answered(_l("The board"), ref("PeopleBoard")), "304": _NOT_MODIFIED},
                "unknown_round",
                "unknown_unit",
                "not_found",
                "invalid_request",
            ),
        }
    },
}
OF_A_CONTEST = ("/boards/units", "/boards/participants")
