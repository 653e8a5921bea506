"""Moodle XML: the questions of a category as Moodle exports them, and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from xml.etree.ElementTree import Element, SubElement, indent

from quiz.services.formats.categories import path_of, topic_of
from quiz.services.formats.drafts import (
    DEFAULT_DIFFICULTY,
    Fault,
    Findings,
    OptionDraft,
    QuestionDraft,
    Where,
    one_line,
    refuse,
    several_of_one,
)
from quiz.services.formats.feedback import explained
from quiz.services.formats.gift import FALSE, TRUE
from quiz.services.formats.markup import from_moodle
from quiz.services.formats.safe_xml import parse, to_bytes

_TRUTHS = {"true": TRUE, "false": FALSE}
_FULL = 100.0
_NEARLY = 0.01
"""Moodle's fractions are rounded: 33.33333 and 99.99999."""


def read(content: bytes) -> list[QuestionDraft]:
    """Multiple choice with one or several right options, and true or false, with category, feedback and tags.

    Raises:
        BadFile: with every question that is broken, of another type or with a picture.
    """
    document = parse(content)
    if document.root.tag != "quiz":
        raise refuse("not_this_format", format="Moodle XML")
    findings = Findings()
    topic = ""
    for element in document.root.iterfind("question"):
        where = Where("line", document.lines[element])
        kind = element.get("type", "")
        if kind == "category":
            topic = topic_of(element.findtext("category/text") or "")
        elif kind in ("multichoice", "truefalse"):
            question = _Question(element)
            draft = question.draft(topic)
            findings.add(where, draft, *question.faults)
        else:
            findings.bad(where, "unsupported_type", type=kind or "?")
    return findings.questions()


class _Question:
    def __init__(self, element: Element) -> None:
        self._element = element
        self._truth = element.get("type") == "truefalse"
        self.faults: list[Fault] = []

    def draft(self, topic: str) -> QuestionDraft:
        single = self._truth or self._single()
        answers = self._element.findall("answer")
        fractions = [self._fraction(answer) for answer in answers]
        if single and any(_NEARLY < fraction < _FULL - _NEARLY for fraction in fractions):
            self._note(Fault("partial_credit"))
        least = _FULL - _NEARLY if single else _NEARLY
        options = tuple(
            OptionDraft(self._option_text(answer), fraction >= least)
            for answer, fraction in zip(answers, fractions, strict=True)
        )
        feedbacks = [
            (option.text, self._text(answer.find("feedback")), option.right)
            for answer, option in zip(answers, options, strict=True)
        ]
        draft = QuestionDraft(
            text=self._text(self._element.find("questiontext")),
            options=options,
            multiple=not single,
            explanation=explained(self._text(self._element.find("generalfeedback")), feedbacks),
            topic=topic,
            tags=tuple(tag.text or "" for tag in self._element.iterfind("tags/tag/text")),
        )
        self.faults += several_of_one(single, draft)
        return draft

    def _single(self) -> bool:
        return (self._element.findtext("single") or "true").strip().lower() in ("true", "1")

    def _fraction(self, answer: Element) -> float:
        value = (answer.get("fraction") or "0").strip()
        try:
            return float(value)
        except ValueError:
            self._note(Fault("fraction_unknown", {"value": value[:80]}))
            return 0.0

    def _option_text(self, answer: Element) -> str:
        text = self._text(answer)
        return _TRUTHS.get(text.strip().lower(), text) if self._truth else text

    def _text(self, element: Element | None) -> str:
        if element is None:
            return ""
        if element.find("file") is not None:
            self._note(Fault("picture"))
        raw = element.findtext("text")
        # Files of the first Moodles have the text without <text>.
        text, faults = from_moodle(
            (raw if raw is not None else element.text or "").strip(), element.get("format", "html")
        )
        for fault in faults:
            self._note(fault)
        return text

    def _note(self, fault: Fault) -> None:
        if fault not in self.faults:
            self.faults.append(fault)


def write(questions: Sequence[QuestionDraft]) -> bytes:
    """A file that Moodle imports. Every text is marked as plain text, so that nothing is taken for HTML."""
    quiz = Element("quiz")
    topic: str | None = None
    for question in questions:
        if question.topic != topic:
            topic = question.topic
            _put_text(SubElement(SubElement(quiz, "question", type="category"), "category"), path_of(topic))
        quiz.append(_written(question))
    indent(quiz)
    return to_bytes(quiz)


def _written(question: QuestionDraft) -> Element:
    element = Element("question", type="multichoice")
    _put_text(SubElement(element, "name"), one_line(question.text)[:80].strip())
    _put_text(SubElement(element, "questiontext", format="plain_text"), question.text)
    _put_text(SubElement(element, "generalfeedback", format="plain_text"), question.explanation)
    SubElement(element, "defaultgrade").text = "1"
    SubElement(element, "single").text = "false" if question.multiple else "true"
    SubElement(element, "shuffleanswers").text = "true"
    SubElement(element, "answernumbering").text = "ABCD"
    share = f"{_FULL / max(1, len(question.rights)):.5f}".rstrip("0").rstrip(".") if question.multiple else "100"
    for option in question.options:
        fraction = share if option.right else "-100" if question.multiple else "0"
        _put_text(SubElement(element, "answer", fraction=fraction, format="plain_text"), option.text)
    if question.tags:
        tags = SubElement(element, "tags")
        for tag in question.tags:
            _put_text(SubElement(tags, "tag"), tag)
    return element


def _put_text(parent: Element, text: str) -> None:
    SubElement(parent, "text").text = text


def held(question: QuestionDraft) -> QuestionDraft:
    """Moodle has no place for a source and a difficulty."""
    return replace(question, source="", difficulty=DEFAULT_DIFFICULTY)
