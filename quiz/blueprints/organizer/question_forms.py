"""The form of a question: read into a draft, and reshaped by its own buttons, so that it works without JavaScript."""

from __future__ import annotations

from collections.abc import Mapping

from werkzeug.datastructures import MultiDict

from quiz.services.formats import OptionDraft, QuestionDraft
from quiz.services.formats.drafts import MAX_OPTIONS

LINES = 4
"""Lines for options in an empty form."""


def draft_of(form: Mapping[str, str]) -> QuestionDraft:
    """An option a line of fields, empty ones left out."""
    options = [
        OptionDraft(form.get(f"option-{place}", ""), f"right-{place}" in form)
        for place in range(MAX_OPTIONS)
        if form.get(f"option-{place}", "").strip()
    ]
    return QuestionDraft(
        text=form.get("text", ""),
        options=tuple(options),
        multiple="multiple" in form,
        explanation=form.get("explanation", ""),
        source=form.get("source", ""),
        topic=form.get("topic", ""),
        difficulty=_number(form.get("difficulty", "")),
        tags=tags_of(form.get("tags", "")),
    )


def tags_of(typed: str) -> tuple[str, ...]:
    return tuple(typed.split(";"))


def _number(typed: str) -> int:
    return int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 4 else 0


def form_of(draft: QuestionDraft, lines: int = 0) -> MultiDict[str, str]:
    """The fields as a form sends them; `lines` for options at least."""
    form = MultiDict(
        {
            "text": draft.text,
            "topic": draft.topic,
            "difficulty": str(draft.difficulty),
            "tags": "; ".join(draft.tags),
            "explanation": draft.explanation,
            "source": draft.source,
            "lines": str(max(lines, len(draft.options))),
        }
    )
    if draft.multiple:
        form["multiple"] = "on"
    for place, option in enumerate(draft.options):
        form[f"option-{place}"] = option.text
        if option.right:
            form[f"right-{place}"] = "on"
    return form


def lines_of(form: Mapping[str, str]) -> int:
    """Lines for options: as many as the page had, and at least as many as are filled."""
    filled = [place + 1 for place in range(MAX_OPTIONS) if f"option-{place}" in form]
    return min(max([_number(form.get("lines", "")), *filled, 2]), MAX_OPTIONS)


def reshaped(form: MultiDict[str, str]) -> MultiDict[str, str] | None:
    """The form with one line for an option more or less, if that button was pressed; else None."""
    if "more" not in form and "drop" not in form:
        return None
    lines, dropped = lines_of(form), _number(form.get("drop", "")) if "drop" in form else None
    kept = [place for place in range(lines) if place != dropped]
    made = MultiDict(
        {
            name: value
            for name, value in form.items()
            if name not in {"more", "drop"} and not name.startswith(("option-", "right-"))
        }
    )
    for place, old in enumerate(kept):
        made[f"option-{place}"] = form.get(f"option-{old}", "")
        if f"right-{old}" in form:
            made[f"right-{place}"] = "on"
    made["lines"] = str(min(max(len(kept) + ("more" in form), 2), MAX_OPTIONS))
    return made
