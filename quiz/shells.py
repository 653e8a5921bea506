"""Pages as prepared shells: what everybody sees of them is rendered once a second, what is one's own filled in.

When a round opens everybody looks at the home page and then at a paper in the same minute, and a template with its
sentences costs ten times what all the rest of the answer does. A shell is rendered by the same template, with marks
where the reader's own stands.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Hashable, Mapping
from typing import Any

from flask import render_template, session
from flask_login import current_user
from flask_wtf.csrf import generate_csrf
from markupsafe import Markup, escape

from quiz import clock

_MARK = secrets.token_hex(8)
"""By chance, so that nobody can be called like a mark."""
_SLOTS = re.compile(f"{_MARK}-([a-z0-9]+);")
_FLASHES = "_flashes"
"""Flask's own key of messages that wait to be shown."""


def mark(slot: str) -> Markup:
    """Stands in a rendered text where `slot` (small letters and digits) is filled in."""
    return Markup(f"{_MARK}-{slot};")  # noqa: S704 - letters and digits of our own


def has_messages() -> bool:
    """Whether something is to be said to this reader alone: such a page is rendered for them."""
    return _FLASHES in session


class Shell:
    """A rendered text with its slots: text, slot, text, slot, … text."""

    __slots__ = ("_parts",)

    def __init__(self, rendered: str) -> None:
        self._parts = _SLOTS.split(rendered)

    def filled(self, value_of: Callable[[str], str]) -> str:
        """The text with ready HTML in its slots."""
        parts = self._parts.copy()
        parts[1::2] = map(value_of, parts[1::2])
        return "".join(parts)


class _Anybody:
    """Stands for whoever is signed in."""

    is_authenticated = True
    id = mark("id")
    name = mark("name")


class Shells:
    """The shells of one second; the next one begins anew, so nothing has to be thrown away."""

    def __init__(self) -> None:
        self._second = 0
        self._held: dict[Hashable, Shell] = {}
        self._parts: dict[Hashable, Markup] = {}

    def page(
        self,
        template: str,
        key: Hashable,
        at_ms: int,
        values: Callable[[], Mapping[str, Any]],
        own: Mapping[str, Markup],
    ) -> str:
        """A page for who asks.

        Args:
            key: everything that the shell depends on, but the second and whether somebody is signed in.
            values: what the template needs; asked only when the shell is rendered.
            own: more parts that are filled in, ready HTML; the template prints them by their names.
        """
        self._turn(at_ms)
        signed_in = current_user.is_authenticated
        whole_key = (template, signed_in, key)
        shell = self._held.get(whole_key)
        if shell is None:
            shell = self._held[whole_key] = Shell(_render(template, signed_in, {**values(), **_marks(own)}))
        ready = {_slot(name): text for name, text in own.items()}
        return shell.filled(lambda slot: ready[slot] if slot in ready else _OWN[slot]())

    def part(self, template: str, key: Hashable, at_ms: int, values: Mapping[str, Any]) -> Markup:
        """A part of pages that is the same for everybody with the same key."""
        self._turn(at_ms)
        held = self._parts.get((template, key))
        if held is None:
            held = self._parts[template, key] = Markup(render_template(template, **values))  # noqa: S704 - escaped there
        return held

    def _turn(self, at_ms: int) -> None:
        if at_ms // 1000 != self._second:
            self._second = at_ms // 1000
            self._held.clear()
            self._parts.clear()


def _slot(name: str) -> str:
    return name.replace("_", "")


def _marks(own: Mapping[str, Markup]) -> dict[str, Markup]:
    return {name: mark(_slot(name)) for name in own}


def _render(template: str, signed_in: bool, values: Mapping[str, Any]) -> str:
    general: dict[str, Any] = {"page_made_at": lambda: mark("now"), "csrf_token": lambda: mark("csrf")}
    if signed_in:
        general["current_user"] = _Anybody
    return render_template(template, **general, **values)


_OWN: Mapping[str, Callable[[], str]] = {
    "now": lambda: str(clock.to_ms(clock.now())),
    "csrf": generate_csrf,
    "id": lambda: str(current_user.id),
    "name": lambda: str(escape(current_user.name.split()[-1])),
}
