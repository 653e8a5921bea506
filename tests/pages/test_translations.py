"""Vietnamese is complete, says the same things with the same figures, and no template speaks on its own."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from flask import Flask, render_template_string
from flask_babel import force_locale, gettext, ngettext

from deploy import messages

TEMPLATES = sorted((messages.ROOT / "quiz" / "templates").rglob("*.html"))
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]")
# What is not a sentence: names of languages in their own tongue, and signs.
ALLOWED = {"English", "Tiếng Việt", "OpenAPI"}
READ_ALOUD = ("alt", "aria-label", "placeholder", "title", "content")


def strings(message: Message) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string or ())


def ids(message: Message) -> list[str]:
    return [message.id] if isinstance(message.id, str) else list(message.id)


def test_every_sentence_has_its_vietnamese() -> None:
    held = {tuple(ids(message)): message for message in messages.translated() if message.id}
    wanted = [tuple(ids(message)) for message in messages.extracted() if message.id]
    assert len(wanted) > 200
    missing = [entry for entry in wanted if entry not in held or not all(strings(held[entry])) or held[entry].fuzzy]
    assert not missing, f"run `make messages` and translate in quiz/translations/vi: {missing}"


def test_the_catalogue_holds_nothing_that_is_gone() -> None:
    wanted = {tuple(ids(message)) for message in messages.extracted()}
    gone = [entry for message in messages.translated() if message.id and (entry := tuple(ids(message))) not in wanted]
    assert not gone, f"run `make messages`: {gone}"


def test_a_translation_has_the_placeholders_of_its_sentence() -> None:
    for message in messages.translated():
        if message.id:
            wanted = set(PLACEHOLDER.findall(ids(message)[-1]))
            for string in strings(message):
                assert set(PLACEHOLDER.findall(string)) <= wanted | set(PLACEHOLDER.findall(ids(message)[0])), string
                assert wanted <= set(PLACEHOLDER.findall(string)), string


def test_a_word_with_a_plural_is_found_by_itself_too(app: Flask) -> None:
    with app.test_request_context(), force_locale("vi"):
        assert gettext("participant") == ngettext("participant", "participants", 2) == "thí sinh"


def test_vietnamese_is_written_in_composed_letters() -> None:
    import unicodedata

    for message in messages.translated():
        for string in strings(message):
            assert string == unicodedata.normalize("NFC", string)


@pytest.mark.parametrize(("language", "expected"), [("vi", ("Vào thi", "3 ngày")), ("en", ("Take the quiz", "3 days"))])
def test_a_fresh_clone_speaks_both_languages(app: Flask, language: str, expected: tuple[str, str]) -> None:
    with app.test_request_context(), force_locale(language):
        assert (gettext("Take the quiz"), ngettext("%(num)d day", "%(num)d days", 3)) == expected


class Speech(HTMLParser):
    """Collects what a reader of the page would see or hear, after all Jinja is taken out."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def handle_data(self, data: str) -> None:
        self.said.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "meta":
            self.said += [value for name, value in attrs if name in READ_ALOUD and value]


def literal_text(source: str) -> list[str]:
    plain = re.sub(r"\{#.*?#\}|\{%.*?%\}", " ", source, flags=re.DOTALL)
    # An expression leaves nothing; its strings are in the catalogue or the extraction test would not know them.
    plain = re.sub(r"\{\{.*?\}\}", " ", plain, flags=re.DOTALL)
    speech = Speech()
    speech.feed(plain)
    found = [" ".join(text.split()) for text in speech.said]
    return [text for text in found if re.search(r"[^\W\d_]{2,}", text) and text not in ALLOWED]


@pytest.mark.parametrize("template", TEMPLATES, ids=[file.name for file in TEMPLATES])
def test_no_template_speaks_past_the_catalogue(template: Path) -> None:
    assert literal_text(template.read_text(encoding="utf-8")) == []


def test_literal_text_would_be_found() -> None:
    assert literal_text('<p>Hello</p><a title="World"></a>{{ _("fine") }}') == ["Hello", "World"]


@pytest.mark.parametrize("code", ["vi", "en"])
def test_what_is_filled_into_a_pages_text_is_escaped(app: Flask, code: str) -> None:
    texts = (
        """{{ _("Communes of %(name)s", name=typed) }}|{{ ngettext("%(num)d point", "%(num)d points", 2) }}"""
        """|{{ _("Less <b> than %%") }}"""
    )
    with app.test_request_context(), force_locale(code):
        said = render_template_string(texts, typed="<i>&").split("|")
        # What Jinja and Flask-Babel make of them by themselves, as a macro without context does.
        plain = app.jinja_env.from_string(texts).render(typed="<i>&").split("|")
    assert said == plain
    assert said[0].endswith("&lt;i&gt;&amp;")
    assert said[1] in {"2 điểm", "2 points"}
    assert said[2] == "Less <b> than %"
