"""Forms of rules as a browser sends them: filled in from a document by hand, or read back from a page."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

from scoring.rules import rules_document, rules_from

SECTIONS = ("paper", "counting", "prediction", "release", "people", "barred", "brackets", "prizes")
Inputs = list[tuple[str, str]]


def form_of(document: dict[str, Any], *sections: str) -> Inputs:
    """What is typed and ticked to say a document; its rules must be rules."""
    whole = rules_document(rules_from(document))
    if whole["seconds_per_question"] is not None:
        whole["seconds"] = None
    return [*(("section", name) for name in sections or SECTIONS), *_filled(whole)]


def _filled(whole: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in whole.items():
        if name == "eligible_units":
            yield name, ", ".join(value)
        elif isinstance(value, dict):
            yield from ((f"{name}.{part}", _typed(each)) for part, each in value.items())
        elif isinstance(value, list) and name in ("draw", "brackets", "prizes"):
            yield f"{name}.rows", str(len(value))
            for place, row in enumerate(value):
                yield from _row(f"{name}.{place}.", row)
        elif isinstance(value, list):
            yield from ((name, each) for each in value)
        elif value is True:
            yield name, "yes"
        elif value is not False:
            yield name, _typed(value)


def _row(start: str, row: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for part, value in row.items():
        if part == "kinds":
            yield from ((start + part, each) for each in value)
        elif part == "units":
            yield start + part, " ".join(value)
        elif value is True:
            yield start + part, "yes"
        elif value is not False:
            yield start + part, _typed(value)


def _typed(value: Any) -> str:
    return "" if value is None else str(value)


def inputs_of(page: str, form: str = "rules-form") -> Inputs:
    """What a browser would send if the form of this page were sent as it is, without any button."""
    reader = _Reader(form)
    reader.feed(page)
    assert reader.seen, "the page has no such form"
    return reader.found


class _Reader(HTMLParser):
    def __init__(self, form: str) -> None:
        super().__init__()
        self._form, self._inside, self._select = form, False, ""
        self._first: str | None = None
        self.seen, self.found = False, Inputs()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        held = dict(attrs)
        if tag == "form" and held.get("id") == self._form:
            self._inside = self.seen = True
        if not self._inside:
            return
        if tag == "input" and held.get("name"):
            ticked = held.get("type") not in ("checkbox", "radio") or "checked" in held
            if ticked:
                self.found.append((held["name"] or "", held.get("value") or ""))
        elif tag == "select":
            self._select, self._first = held.get("name") or "", None
        elif tag == "option" and self._select:
            value = held.get("value") or ""
            if "selected" in held:
                self.found.append((self._select, value))
                self._select = ""
            elif self._first is None:
                self._first = value

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
        if tag == "select" and self._select:
            self.found.append((self._select, self._first or ""))
            self._select = ""
