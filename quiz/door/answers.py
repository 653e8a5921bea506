"""What people see who are not let in yet: a page and a problem+json, prepared once, with only numbers to fill in.

A crowd asks for these as often as for everything else together, so no template is rendered and no catalogue asked.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from urllib.parse import quote

import msgspec
from flask import Flask, render_template
from flask_babel import force_locale, gettext, ngettext

from quiz.web import LANGUAGES

_PLACE, _TIME, _SECONDS, _BACK = "7770001", "7770002", "7770003", "7770004"
_NOW = "7770005"
"""Stand in the prepared texts where the numbers come: such that no markup and no catalogue changes them."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Of one holder: how many come before, about how many seconds that takes, and after how many to ask again."""

    ahead: int
    seconds: int
    ask_again: int


@dataclass(frozen=True, slots=True)
class _Words:
    """One language's texts around the numbers."""

    pages: dict[str, str]
    """By theme, "" for the phone's own."""
    soon: str
    minute: str
    minutes: str
    title: str
    detail: str


class Answers:
    def __init__(self, app: Flask) -> None:
        self._app = app

    def prepare(self) -> None:
        for language in LANGUAGES:
            self._words(language)

    def page(self, language: str, theme: str, wait: Wait, back: str, now: int) -> bytes:
        """The waiting page.

        Args:
            back: path and query of where its reader wants to go.
            now: ms since 1970; a device sets its clock of papers by it.
        """
        words = self._words(language)
        text = words.pages.get(theme) or words.pages[""]
        return (
            text.replace(_PLACE, _spelled(wait.ahead, language))
            .replace(_TIME, _duration(words, wait.seconds))
            .replace(_SECONDS, str(wait.ask_again))
            .replace(_NOW, str(now))
            .replace(_BACK, quote(back, safe="/"))
            .encode()
        )

    def problem(self, language: str, wait: Wait, ticket: str) -> bytes:
        words = self._words(language)
        return msgspec.json.encode(
            {
                "title": words.title,
                "status": 429,
                "detail": words.detail,
                "code": "too_many_requests",
                "waiting": {"position": wait.ahead, "seconds": wait.seconds, "ticket": ticket},
            }
        )

    @functools.cache  # noqa: B019 - one of these an application, as long as the process
    def _words(self, language: str) -> _Words:
        app = self._app
        with app.test_request_context("/waiting"), force_locale(language):
            pages = {
                theme: render_template(
                    "waiting.html",
                    language=language,
                    theme=theme or None,
                    place=_PLACE,
                    time=_TIME,
                    seconds=_SECONDS,
                    back=_BACK,
                    page_made_at=lambda: _NOW,
                )
                for theme in ("", "light", "dark")
            }
            return _Words(
                pages,
                soon=gettext("less than a minute"),
                minute=ngettext("about %(num)d minute", "about %(num)d minutes", 1),
                # A number that no other text has; of the plural forms the one of most numbers.
                minutes=ngettext("about %(num)d minute", "about %(num)d minutes", int(_PLACE)),
                title=str(gettext("Please wait a moment")),
                detail=str(
                    gettext("Many people are coming in at this moment. Your place is kept: ask again with the ticket.")
                ),
            )


def _spelled(number: int, language: str) -> str:
    """1.234 or 1,234"""
    text = f"{number:,}"
    return text.replace(",", ".") if language == "vi" else text


def _duration(words: _Words, seconds: int) -> str:
    if seconds < 60:
        return words.soon
    minutes = round(seconds / 60)
    return words.minute if minutes == 1 else words.minutes.replace(_PLACE, str(minutes))
