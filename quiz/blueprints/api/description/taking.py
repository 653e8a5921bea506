from __future__ import annotations

from flask_babel import lazy_gettext as _l

from quiz.blueprints.api.description.parts import (
    BEARER,
    BEARER_OR_NONE,
    TIME,
    Document,
    answered,
    array,
    body,
    empty,
    exactly,
    obj,
    ref,
    responses,
)

TAG = "taking"
ABOUT = _l("A paper out, drafts and answers in. Never refused for too many requests.")

_PAPER: Document = {"type": "string", "description": _l("The signed paper from POST /rounds/N/papers.")}
_ANSWERS: Document = {
    "type": "object",
    "description": _l("Question id → ids of the chosen options. Unanswered questions may be left out."),
    "additionalProperties": array({"type": "string"}),
    "examples": [{"12": ["3"]}],
}
_PREDICTION: Document = {
    "type": ["integer", "null"],
    "minimum": 0,
    "maximum": 2**53,
    "description": _l("The answer to the round's prediction, where it has one."),
}
_STEPS: Document = {
    "type": ["string", "null"],
    "description": _l(
        "Of a paper whose questions come one by one: what the last step sent along. With it the paper goes on even "
        "where the server lost its record."
    ),
}
_OF: Document = {"type": "integer", "minimum": 1, "description": _l("Questions on the paper.")}
SCHEMAS: dict[str, Document] = {
    "Option": exactly({"id": {"type": "string"}, "text": {"type": "string"}}),
    "Question": exactly(
        {
            "id": {"type": "string"},
            "text": {"type": "string"},
            "multiple": {"type": "boolean", "description": _l("Whether several options may be chosen.")},
            "options": array(ref("Option")),
        }
    ),
    "Prediction": exactly(
        {
            "kind": {"type": "string", "enum": ["all_correct", "participants"]},
            "text": {"type": "string"},
            "min": {"type": "integer"},
            "max": {"type": "integer"},
        }
    ),
    "Paper": exactly(
        {
            "paper": _PAPER,
            "attempt": {"type": "integer", "minimum": 1},
            "attempts_left": {"type": ["integer", "null"], "description": _l("Null when unlimited.")},
            "issued_at": TIME,
            "expires_at": TIME,
            "server_time": TIME,
            "prediction": {"oneOf": [{"type": "null"}, ref("Prediction")]},
            "questions": {
                **array(ref("Question")),
                "description": _l(
                    "Empty in a round with `seconds_per_question` in its rules: they come by POST /papers/step."
                ),
            },
        }
    ),
    "Draft": obj(
        {"paper": _PAPER, "answers": _ANSWERS},
        {
            "prediction": _PREDICTION,
            "seq": {
                "type": ["integer", "null"],
                "minimum": 0,
                "maximum": 2**53 - 1,
                "description": _l("Counts up; a lower one than the last is ignored."),
            },
            "steps": _STEPS,
        },
    ),
    "Sheet": obj(
        {"paper": _PAPER, "answers": _ANSWERS},
        {
            "prediction": _PREDICTION,
            "receipt": {
                "type": ["string", "null"],
                "description": _l("A receipt given before; it proves what was accepted and when."),
            },
            "steps": _STEPS,
        },
    ),
    "Step": obj(
        {"paper": _PAPER},
        {
            "answer": {
                "type": ["object", "null"],
                "maxProperties": 1,
                "description": _l(
                    "The id of the question that is asked → ids of the chosen options; none of them leaves it out and "
                    "goes on. Without an answer it is only said which question is asked."
                ),
                "additionalProperties": array({"type": "string"}),
                "examples": [{"12": ["3"]}],
            },
            "steps": _STEPS,
        },
    ),
    "Asked": exactly(
        {
            "done": {"type": "boolean", "const": False},
            "question": ref("Question"),
            "number": {"type": "integer", "minimum": 1, "description": _l("Its place on the paper.")},
            "of": _OF,
            "expires_at": {**TIME, "description": _l("Until then this question can be answered.")},
            "server_time": TIME,
            "steps": {"type": "string", "description": _l("To be sent back with the next call.")},
        }
    ),
    "Done": exactly(
        {"done": {"type": "boolean", "const": True}, "of": _OF, "server_time": TIME},
        {
            "answers": {**_ANSWERS, "description": _l("What counts of the answers; questions left out are absent.")},
            "expires_at": {**TIME, "description": _l("Until then the sheet can be handed in.")},
            "steps": {"type": "string", "description": _l("To be sent along with the hand-in.")},
        },
    ),
    "Receipt": exactly({"receipt": {"type": "string"}, "received_at": TIME}),
}

_PAPER_REFUSALS = ("invalid_paper", "invalid_answers", "paper_expired", "intake_unavailable")

PATHS: dict[str, Document] = {
    "/rounds/{number}/papers": {
        "parameters": [
            {
                "name": "number",
                "in": "path",
                "required": True,
                "description": _l("Number of the round."),
                "schema": {"type": "integer", "minimum": 1, "maximum": 999},
            }
        ],
        "post": {
            "tags": [TAG],
            "operationId": "start_paper",
            "summary": _l("Start an attempt, or get the open one's paper again"),
            "security": BEARER,
            "requestBody": body({"type": "object"}, required=False),
            "responses": responses(
                {
                    "201": answered(_l("A new attempt"), ref("Paper")),
                    "200": answered(_l("The open attempt's paper again"), ref("Paper")),
                },
                "login_required",
                "round_not_open",
                "not_eligible",
                "unknown_round",
                "attempts_exhausted",
                "intake_unavailable",
                has_body=True,
            ),
        },
    },
    "/papers/draft": {
        "put": {
            "tags": [TAG],
            "operationId": "keep_draft",
            "summary": _l("Keep the answers given so far"),
            "description": _l("When the time is over and nothing was handed in, the last draft is handed in."),
            "security": BEARER_OR_NONE,
            "requestBody": body(ref("Draft")),
            "responses": responses({"204": empty(_l("Kept"))}, *_PAPER_REFUSALS, has_body=True),
        }
    },
    "/papers/step": {
        "post": {
            "tags": [TAG],
            "operationId": "step",
            "summary": _l("Answer the question that is asked and get the next one"),
            "description": _l(
                "For rounds with `seconds_per_question` in their rules. The server's clock alone decides: an answer "
                "after the question's time and the grace doesn't count, and there is no way back. A repeated call gets "
                "the same question with the time that is left. When all were asked the answer says done: hand in with "
                "POST /entries, which takes the answers given here, whatever its own say."
            ),
            "security": BEARER_OR_NONE,
            "requestBody": body(ref("Step")),
            "responses": responses(
                {
                    "200": answered(
                        _l("The question that is asked now, or that all were asked"),
                        {"oneOf": [ref("Asked"), ref("Done")]},
                    )
                },
                *_PAPER_REFUSALS,
                has_body=True,
            ),
        }
    },
    "/entries": {
        "post": {
            "tags": [TAG],
            "operationId": "hand_in",
            "summary": _l("Hand in"),
            "description": _l(
                "The receipt is given when the entry is on disk. Sending the same paper again gives the same receipt; "
                "the first answers stand. Keep the sheet and repeat until it is answered."
            ),
            "security": BEARER_OR_NONE,
            "requestBody": body(ref("Sheet")),
            "responses": responses(
                {
                    "202": answered(_l("Accepted"), ref("Receipt")),
                    "200": answered(_l("Handed in before; the receipt given then"), ref("Receipt")),
                },
                *_PAPER_REFUSALS,
                has_body=True,
            ),
        }
    },
}
OF_A_CONTEST = ("/rounds/{number}/papers",)
