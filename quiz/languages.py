"""Catalogues read straight from their .po files: nothing to compile, so nothing that can be stale or forgotten.

The msgids are plain English sentences, so English needs no catalogue; Vietnamese has every one of them.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask_babel import Babel, Domain, get_babel, get_locale, get_translations
from markupsafe import Markup

PLAIN = 4_096
"""So many texts of a language are remembered as a page prints them: more than the catalogue has."""


class Catalogue(Translations):
    """Also finds a word by itself that stands there with its plural, which Python 3.11 leaves in English."""

    def gettext(self, message: str) -> str:
        said = super().gettext(message)
        return self.ngettext(message, message, 1) if said == message else said

    # The name that Flask-Babel asks by.
    ugettext = gettext


def read_catalogue(file: Path) -> Translations:
    """The translations of one .po file; fuzzy ones are left out, as everywhere."""
    with file.open("rb") as source:
        catalogue = read_po(source, locale=file.parent.parent.name)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Catalogue(compiled, domain="messages")


class PlainDomain(Domain):
    """Flask-Babel's domain, except that it reads messages.po where the other wants a compiled messages.mo."""

    def __init__(self) -> None:
        super().__init__()
        self._held: dict[str, Translations | NullTranslations] = {}

    def get_translations(self) -> Translations | NullTranslations:
        locale = get_locale()
        if locale is None:  # outside a request, as in a command
            return NullTranslations()
        # A page asks a hundred times: whatever is to be said about a locale besides its language would cost each time.
        held = self._held.get(locale.language)
        if held is None:
            held = self._held[locale.language] = self._read(locale.language)
        return held

    def _read(self, locale: str) -> Translations | NullTranslations:
        for folder in get_babel().translation_directories:
            file = Path(folder) / locale / "LC_MESSAGES" / "messages.po"
            if file.exists():
                return read_catalogue(file)
        return NullTranslations()


class Languages(Babel):
    @cached_property
    def domain_instance(self) -> PlainDomain:
        return PlainDomain()


def page_words() -> dict[str, Callable[..., str]]:
    """What a template says its texts by, in the language of now.

    Jinja's own find the language anew for each of a page's hundred texts.
    """
    return _words_of(get_translations())


@lru_cache
def _words_of(translations: Translations | NullTranslations) -> dict[str, Callable[..., str]]:
    @lru_cache(PLAIN)
    def plain(message: str) -> str:
        # A text is a format string also where nothing is filled in: %% is one sign everywhere.
        return _markup(translations.gettext(message)) % {}

    def gettext(message: str, /, **values: Any) -> str:
        return _markup(translations.gettext(message)) % values if values else plain(message)

    def ngettext(one: str, many: str, count: int, /, **values: Any) -> str:
        return _markup(translations.ngettext(one, many, count)) % {"num": count, **values}

    return {"_": gettext, "ngettext": ngettext}


def _markup(text: str) -> Markup:
    return Markup(text)  # noqa: S704 - the catalogue's or a template's; values are escaped as they are filled in
