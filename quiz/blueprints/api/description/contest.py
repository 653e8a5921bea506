from __future__ import annotations

from flask_babel import lazy_gettext as _l

from quiz.blueprints.api.description.parts import TIME, Document, answered, array, exactly, ref, responses

TAG = "contest"
ABOUT = _l("What is run, when, and by which units.")

SCHEMAS: dict[str, Document] = {
    "Contest": exactly(
        {
            "slug": {"type": "string"},
            "title": {"type": "string"},
            "server_time": TIME,
            "current_round": {
                "type": ["integer", "null"],
                "description": _l("Number of the open round; null between rounds."),
            },
            "rounds": array(ref("Round")),
        }
    ),
    "Round": exactly(
        {
            "number": {"type": "integer", "minimum": 1},
            "theme": {"type": "string"},
            "opens_at": TIME,
            "closes_at": TIME,
            "state": {"type": "string", "enum": ["scheduled", "open", "closed", "final", "published"]},
            "rules": {
                "type": "object",
                "description": _l("Questions on a paper, time limit, number of attempts, ranking, release of results."),
            },
        }
    ),
    "Unit": exactly(
        {
            "code": {
                "type": "string",
                "description": _l("Official code: 2 digits a province, 5 a commune; letters a union."),
            },
            "name": {"type": "string"},
            "kind": {"type": "string", "enum": ["province", "union", "commune", "branch"]},
            "parent_code": {
                "type": ["string", "null"],
                "description": _l("Null for provinces and unions."),
            },
        }
    ),
}

PATHS: dict[str, Document] = {
    "/contest": {
        "get": {
            "tags": [TAG],
            "operationId": "show_contest",
            "summary": _l("The contest, its rounds, the server's time"),
            "responses": responses(
                {"200": answered(_l("The contest"), ref("Contest"))}, "not_found", "intake_unavailable"
            ),
        }
    },
    "/units": {
        "get": {
            "tags": [TAG],
            "operationId": "list_units",
            "summary": _l("Provinces and unions, or the units below one"),
            "parameters": [
                {
                    "name": "parent",
                    "in": "query",
                    "description": _l("Code of the unit above; left out: provinces and unions."),
                    "schema": {"type": "string"},
                    "examples": {"province": {"value": "01"}},
                },
                {
                    "name": "q",
                    "in": "query",
                    "description": _l("Words of the name, with or without accents, or the code."),
                    "schema": {"type": "string"},
                    "examples": {"name": {"value": "ba dinh"}},
                },
            ],
            "responses": responses(
                {"200": answered(_l("Units by name in Vietnamese order"), exactly({"units": array(ref("Unit"))}))},
                "unknown_unit",
            ),
        }
    },
}
OF_A_CONTEST = ("/contest",)
