"""A rules document as a web form holds it: texts, ticks and rows; rows that come and go; and back to a document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from quiz.services import rules_problems
from quiz.services.vietnamese import fold
from scoring.rules import (
    MOST_ROWS,
    RANKING_KEYS,
    Contradiction,
    InvalidRules,
    Rules,
    rules_document,
    rules_from,
)

NUMBERS = (
    *("questions", "cap", "seconds", "seconds_per_question", "grace_seconds", "points", "min_age", "max_age"),
    *("late.accept_minutes", "prediction.min", "prediction.max"),
    *("prize_caps.person_round", "prize_caps.person_season", "prize_caps.unit_round", "prize_caps.unit_season"),
)
TEXTS = ("which", "late.counts", "release.score", "release.key", "prediction.kind", "prediction.text")
FLAGS = ("fixed", "complete_only")
MANY = ("ranking", "eligible_kinds", "barred_kinds")
CODES = ("eligible_units",)
ROWS: Mapping[str, tuple[str, ...]] = {
    "draw": ("count", "topic", "difficulty"),
    "brackets": ("key", "name", "units", "outside", "min_age", "max_age", "kinds"),
    "prizes": ("key", "name", "kind", "count", "value", "bracket", "by", "level", "min_participants"),
}
SECTIONS: Mapping[str, tuple[str, ...]] = {
    "paper": ("questions", "draw", "fixed", "cap", "seconds", "seconds_per_question", "grace_seconds", "late"),
    "counting": ("which", "points", "complete_only", "ranking"),
    "prediction": ("prediction",),
    "release": ("release",),
    "people": ("min_age", "max_age", "eligible_kinds", "eligible_units"),
    "barred": ("barred_kinds",),
    "brackets": ("brackets",),
    "prizes": ("prizes", "prize_caps"),
}
"""Parts of the page → the fields of the document that they hold."""

_ROW_NUMBERS = ("count", "difficulty", "min_age", "max_age", "value", "min_participants")
_NEW_ROWS: Mapping[str, Mapping[str, Any]] = {
    "draw": {"count": "1"},
    "brackets": {"kinds": []},
    "prizes": {"kind": "individual", "count": "1"},
}
_LEFT_OUT = ("late.accept_minutes", "prediction.min", "prediction.max")
"""Numbers that have their default where the input is empty."""
_PLACEHOLDERS: Mapping[str, Any] = {"count": 1, "name": "-", "kind": "individual"}
_DEFAULTS = rules_document(Rules())
_LONGEST = 10_000


class Sent(Protocol):
    """What a form sends, as Werkzeug gives it."""

    def get(self, key: str, default: str, /) -> str: ...

    def getlist(self, key: str, /) -> list[str]: ...


Row = dict[str, Any]


@dataclass
class State:
    """The form as it stands on the page, right or wrong."""

    texts: dict[str, str] = field(default_factory=dict)
    flags: dict[str, bool] = field(default_factory=dict)
    many: dict[str, list[str]] = field(default_factory=dict)
    rows: dict[str, list[Row]] = field(default_factory=dict)


def state_of(document: Mapping[str, Any]) -> State:
    """The form of a stored document."""
    whole = rules_document(rules_from(document))
    if whole["seconds_per_question"] is not None:
        # It follows from the other one; whoever goes back to time for a paper types it anew.
        whole["seconds"] = None
    return State(
        {name: _typed(_get(whole, name)) for name in (*NUMBERS, *TEXTS)}
        | {name: _codes(whole[name]) for name in CODES},
        {name: bool(whole[name]) for name in FLAGS},
        {name: list(whole[name]) for name in MANY},
        {name: [_row_of(row) for row in whole[name]] for name in ROWS},
    )


def state_from(sent: Sent, stored: Mapping[str, Any]) -> State:
    """The form as it was sent; parts of the page that were not on it stay as they are stored."""
    state = state_of(stored)
    shown = {name for part in sent.getlist("section") for name in SECTIONS.get(part, ())}
    for name in (*NUMBERS, *TEXTS, *CODES):
        if name.partition(".")[0] in shown:
            state.texts[name] = sent.get(name, "").strip()[:_LONGEST]
    for name in FLAGS:
        if name in shown:
            state.flags[name] = bool(sent.get(name, ""))
    for name in MANY:
        if name in shown:
            state.many[name] = sent.getlist(name)[:MOST_ROWS]
    for name in ROWS:
        if name in shown:
            state.rows[name] = _rows_sent(sent, name)
    return state


def act(state: State, what: str, more: str = "") -> None:
    """A button inside the form: `add:prizes`, `remove:prizes:2`, `up:ranking:1`, `down:brackets:0`.

    Args:
        more: which key of the ranking is added.
    """
    verb, _, rest = what.partition(":")
    name, _, place = rest.partition(":")
    held: list[Any] | None = state.many["ranking"] if name == "ranking" else state.rows.get(name)
    if held is None:
        return
    if verb == "add":
        if name == "ranking" and more in RANKING_KEYS and more not in held:
            held.append(more)
        elif name != "ranking" and len(held) < MOST_ROWS:
            held.append(dict(_NEW_ROWS[name]))
        return
    at = int(place) if place.isascii() and place.isdecimal() and len(place) < 4 else len(held)
    if verb == "remove" and at < len(held):
        del held[at]
    elif verb in ("up", "down"):
        other = at - 1 if verb == "up" else at + 1
        if at < len(held) and 0 <= other < len(held):
            held[at], held[other] = held[other], held[at]


def document_of(state: State) -> dict[str, Any]:
    """What the form says as a document; what is no number there stays a text, and the check refuses it."""
    document: dict[str, Any] = {}
    for name in NUMBERS:
        value = _number(state.texts[name])
        if value is not None or name not in _LEFT_OUT:
            _put(document, name, value)
    for name in TEXTS:
        _put(document, name, state.texts[name])
    document |= state.flags | {name: list(held) for name, held in state.many.items()}
    for name in CODES:
        document[name] = _split(state.texts[name])
    for name, rows in state.rows.items():
        document[name] = [_row_document(name, row, rows[:place]) for place, row in enumerate(rows)]
    if not state.texts["prediction.kind"]:
        document["prediction"] = None
    if document["seconds_per_question"] is not None:
        # It follows; the form shows what comes of it in the paragraph.
        del document["seconds"]
    return document


def problems(document: Mapping[str, Any]) -> dict[str, Any]:
    """Input → what is wrong with it, for every field that is not right; empty: these are rules.

    The check stops at the first; so what it refuses is put aside and the rest is checked again. Contradictions are
    looked for only where each field is right for itself.
    """
    left = {name: _copied(value) for name, value in document.items()}
    found: dict[str, Any] = {}
    while True:
        try:
            rules_from(left)
        except Contradiction as problem:
            if not found:
                found[rules_problems.input_name(problem)] = rules_problems.message(problem)
            return found
        except InvalidRules as problem:
            name = rules_problems.input_name(problem)
            if name in found:
                return found
            found[name] = rules_problems.message(problem)
            _put_aside(left, problem)
        else:
            return found


# Reading and writing


def _typed(value: Any) -> str:
    return "" if value is None else str(value)


def _codes(codes: Sequence[str]) -> str:
    return ", ".join(codes)


def _split(typed: str) -> list[str]:
    return [code.upper() for code in typed.replace(",", " ").replace(";", " ").split()]


def _get(document: Mapping[str, Any], name: str) -> Any:
    head, _, tail = name.partition(".")
    held = document[head]
    return held if not tail else (held or {}).get(tail)


def _put(document: dict[str, Any], name: str, value: Any) -> None:
    head, _, tail = name.partition(".")
    if not tail:
        document[head] = value
    else:
        document.setdefault(head, {})[tail] = value


def _number(typed: str) -> Any:
    """A whole number, also with its thousands set apart as in 5.000.000; None if the input is empty."""
    plain = typed.replace(" ", "").replace("\N{NO-BREAK SPACE}", "")
    groups = plain.split(".")
    if len(groups) > 1 and all(len(group) == 3 for group in groups[1:]) and 0 < len(groups[0]) < 4:
        plain = "".join(groups)
    if not plain:
        return None
    return int(plain) if plain.isascii() and plain.isdecimal() and len(plain) < 16 else typed


def _row_of(row: Mapping[str, Any]) -> Row:
    made: Row = {}
    for name, value in row.items():
        if name == "units":
            made[name] = _codes(value)
        elif name == "kinds":
            made[name] = list(value)
        else:
            made[name] = value if isinstance(value, bool) else _typed(value)
    return made


def _rows_sent(sent: Sent, name: str) -> list[Row]:
    count = sent.get(f"{name}.rows", "0")
    count_of = min(int(count), MOST_ROWS) if count.isascii() and count.isdecimal() and len(count) < 6 else 0
    rows = []
    for place in range(count_of):
        row: Row = {}
        for part in ROWS[name]:
            key = f"{name}.{place}.{part}"
            row[part] = sent.getlist(key)[:MOST_ROWS] if part == "kinds" else sent.get(key, "").strip()[:_LONGEST]
        row["outside"] = bool(row.get("outside"))
        rows.append(row)
    return rows


def _row_document(name: str, row: Row, before: Sequence[Row]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for part in ROWS[name]:
        value = row.get(part)
        if part == "units":
            made[part] = _split(value or "")
        elif part == "kinds":
            made[part] = list(value or [])
        elif part == "outside":
            made[part] = bool(value)
        elif part in _ROW_NUMBERS:
            made[part] = _number(value or "")
        else:
            made[part] = value or None
    if name == "prizes":
        made["value"] = made["value"] or 0
        made["min_participants"] = made["min_participants"] or 0
    if name in ("brackets", "prizes"):
        made["name"] = made["name"] or ""
        if not made["key"] and made["name"]:
            row["key"] = made["key"] = _key_of(made["name"], {each.get("key") for each in before})
        elif not made["key"]:
            # Not for long: it gets one of its name as soon as it has one.
            made["key"] = f"x-{len(before)}"
    return made


def _key_of(name: str, taken: set[Any]) -> str:
    """A key made of the name, for those who don't care for keys."""
    plain = fold(name).replace(" ", "-")[:36] or "x"
    return next(key for key in [plain, *(f"{plain}-{number}" for number in range(2, 200))] if key not in taken)


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _copied(inner) for name, inner in value.items()}
    return [_copied(inner) for inner in value] if isinstance(value, list) else value


def _put_aside(document: dict[str, Any], problem: InvalidRules) -> None:
    head, _, tail = problem.field.partition(".")
    if problem.place is not None and tail:
        row = document[head][problem.place]
        row.pop(tail, None)
        if tail == "key":
            row["key"] = f"row-{problem.place}"
        elif tail in _PLACEHOLDERS and not (head == "brackets" and tail == "kind"):
            row[tail] = _PLACEHOLDERS[tail]
    elif tail and isinstance(document.get(head), dict):
        document[head].pop(tail, None)
        if head == "prediction" and tail in ("kind", "text"):
            document[head][tail] = "participants"
    else:
        document.pop(head, None)


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Fields that differ, as they were and as they are: what the log keeps."""
    names = [name for name in _DEFAULTS if before.get(name, _DEFAULTS[name]) != after.get(name, _DEFAULTS[name])]
    return {
        "before": {name: before.get(name, _DEFAULTS[name]) for name in names},
        "after": {name: after.get(name, _DEFAULTS[name]) for name in names},
    }
