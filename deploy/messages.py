"""`make messages`: bring the Vietnamese catalogue in line with the msgids in code and templates.

New ones come in empty (a test refuses those), gone ones leave; nothing is guessed.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
CATALOGUE = ROOT / "quiz" / "translations" / "vi" / "LC_MESSAGES" / "messages.po"
_METHODS = [("**/templates/**.html", "jinja2.ext:babel_extract"), ("**.py", "python")]
_KEYWORDS: dict[str, tuple[int, ...] | None] = {
    "_": None,
    "_l": None,
    "gettext": None,
    "lazy_gettext": None,
    "ngettext": (1, 2),
    "lazy_ngettext": (1, 2),
}
# Without dates: the file changes only when a sentence does.
_HEADER = r"""# Vietnamese translations of quiz80. `make messages` keeps the msgids in line with code and templates.
msgid ""
msgstr ""
"Project-Id-Version: quiz80\n"
"Language: vi\n"
"Plural-Forms: nplurals=1; plural=0;\n"
"MIME-Version: 1.0\n"
"Content-Type: text/plain; charset=utf-8\n"
"Content-Transfer-Encoding: 8bit\n"

"""
_OPTIONS = {"**/templates/**.html": {"trimmed": "true", "silent": "false"}}


def extracted() -> Catalog:
    """Every msgid of the web application, with the files that use it."""
    catalogue = Catalog(locale="vi", project="quiz80", charset="utf-8")
    for file, _, message, comments, context in _found():
        # No line numbers: the catalogue would change with every edit above a sentence.
        catalogue.add(message, None, [(file, 0)], auto_comments=comments, context=context)
    return catalogue


def _found() -> Iterator[tuple[str, int, str | tuple[str, ...], list[str], str | None]]:
    found = extract_from_dir(ROOT / "quiz", method_map=_METHODS, options_map=_OPTIONS, keywords=_KEYWORDS)
    return iter(sorted(found, key=lambda item: (item[0], item[1])))


def translated() -> Catalog:
    with CATALOGUE.open("rb") as file:
        return read_po(file, locale="vi")


def updated() -> Catalog:
    """The msgids of now with the translations there are; what changed its wording comes in empty."""
    fresh, known = extracted(), translated() if CATALOGUE.exists() else Catalog(locale="vi")
    for message in fresh:
        held = known.get(message.id, message.context) if message.id else None
        if held is not None and not held.fuzzy:
            message.string = held.string
    return fresh


def write(catalogue: Catalog) -> None:
    with CATALOGUE.open("wb") as file:
        file.write(_HEADER.encode())
        write_po(file, catalogue, width=110, sort_output=True, omit_header=True, include_lineno=False)


def main() -> int:
    catalogue = updated()
    write(catalogue)
    empty = [message.id for message in catalogue if message.id and not any(_strings(message.string))]
    for message_id in empty:
        print(f"not translated: {message_id}", file=sys.stderr)
    return 1 if empty else 0


def _strings(string: str | tuple[str, ...] | list[str] | None) -> tuple[str, ...]:
    return (string,) if isinstance(string, str) else tuple(string or ())


if __name__ == "__main__":
    sys.exit(main())
