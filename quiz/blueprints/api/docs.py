"""The description of the API: for programs, and for people."""

from __future__ import annotations

from typing import Any

import msgspec
from flask import Blueprint, Response, render_template, request
from flask_babel import get_locale

from quiz.blueprints.api import description

blueprint = Blueprint("api_docs", __name__, url_prefix="/api")

_METHODS = ("get", "post", "put")
_WALK = """\
API=%sapi/v1

curl -s $API/participants -H 'Content-Type: application/json' -d '{
  "phone": "0912 345 678", "password": "mùa xuân 1946", "full_name": "Nguyễn Thị Hoa",
  "unit_code": "00004", "consent": true}'

curl -s $API/contest
curl -s -X POST $API/rounds/N/papers -H "Authorization: Bearer $TOKEN"

curl -s $API/entries -H 'Content-Type: application/json' -d '{
  "paper": "…", "answers": {"12": ["3"], "7": ["1"]}, "prediction": 1200}'

curl -s $API/entries/$RECEIPT -H "Authorization: Bearer $TOKEN"
curl -s "$API/boards/units?round=N"
"""


@blueprint.get("/v1/openapi.json")
def openapi() -> Response:
    response = Response(msgspec.json.encode(description.document()), content_type="application/json")
    response.headers["Cache-Control"] = "public, max-age=300"
    response.headers["Vary"] = "Accept-Language"
    return response


@blueprint.get("/docs")
def read() -> str:
    document = description.document()
    return render_template(
        "api/docs.html",
        document=document,
        groups=_groups(document),
        language=get_locale(),
        walk=_WALK % request.host_url,
    )


def _groups(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The operations by tag, as the page shows them; those below /contests/SLUG are said once, in the text."""
    groups: dict[str, dict[str, Any]] = {tag["name"]: {**tag, "calls": []} for tag in document["tags"]}
    for path, item in document["paths"].items():
        if path.startswith("/contests/{slug}"):
            continue
        for method in _METHODS:
            if operation := item.get(method):
                parameters = [*item.get("parameters", []), *operation.get("parameters", [])]
                call = {**operation, "method": method.upper(), "path": path, "parameters": parameters}
                groups[operation["tags"][0]]["calls"].append(call)
    return list(groups.values())
