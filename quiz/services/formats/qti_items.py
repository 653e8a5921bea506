"""One item of QTI: a choice interaction, its right choices and its feedback."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, register_namespace

from quiz.services.formats.drafts import (
    Fault,
    Findings,
    OptionDraft,
    QuestionDraft,
    Where,
    letter,
    one_line,
    several_of_one,
)
from quiz.services.formats.markup import PlainText, from_elements, put_lines
from quiz.services.formats.qti_metadata import Metadata, identifier_of
from quiz.services.formats.safe_xml import Document, name_of, plain_name, to_bytes

QTI = "http://www.imsglobal.org/xsd/imsqti_v2p1"
SCHEMA = "http://www.imsglobal.org/xsd/qti/qtiv2p1/imsqti_v2p1.xsd"
_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
_MATCH_CORRECT = "http://www.imsglobal.org/question/qti_v2p1/rptemplates/match_correct"
_INTERACTION = "interaction"
_CHOICE = "choiceinteraction"
_ASIDE = frozenset({"feedbackinline", "feedbackblock", "rubricblock", "simplechoice", "modalfeedback"})
"""Not part of the question's text."""
_FEEDBACK = frozenset({"feedbackinline", "feedbackblock", "modalfeedback"})
_MOVING = frozenset({"templatedeclaration", "assessmentstimulusref"})
"""Items whose text is made when it is shown, or stands elsewhere."""

register_namespace("", QTI)
register_namespace("xsi", _INSTANCE)


def read(document: Document, inside: str, findings: Findings, metadata: Metadata) -> None:
    """Add the item's question, or what is wrong with it."""
    root = document.root
    where = Where("line", document.lines[root], inside)
    if name_of(root) != "assessmentitem":
        findings.bad(where, "not_this_format", format="QTI")
        return
    interactions = [element for element in root.iter() if name_of(element).endswith(_INTERACTION)]
    if kind := _other_kind(root, interactions):
        findings.bad(where, "unsupported_type", type=kind)
    else:
        draft, faults = _Item(root, interactions[0]).draft(metadata)
        findings.add(where, draft, *faults)


def _other_kind(root: Element, interactions: Sequence[Element]) -> str | None:
    """What makes it no question of ours; None if it is a single choice interaction."""
    for element in root.iter():
        if name_of(element) in _MOVING:
            return name_of(element)
    if not interactions:
        return "description"
    others = [name_of(interaction) for interaction in interactions if name_of(interaction) != _CHOICE]
    return others[0] if others else "composite" if len(interactions) > 1 else None


def _attribute(element: Element, name: str) -> str:
    return next((value for key, value in element.attrib.items() if plain_name(key) == name), "")


def _children(element: Element, name: str) -> list[Element]:
    return [child for child in element.iter() if name_of(child) == name]


class _Item:
    def __init__(self, root: Element, interaction: Element) -> None:
        self._root = root
        self._interaction = interaction
        self._lost: set[str] = set()

    def draft(self, metadata: Metadata) -> tuple[QuestionDraft, list[Fault]]:
        declaration = self._declaration()
        rights = _right_choices(declaration) if declaration is not None else set()
        choices = _children(self._interaction, "simplechoice")
        options = tuple(
            OptionDraft(self._text(choice, _FEEDBACK), _attribute(choice, "identifier").strip() in rights)
            for choice in choices
        )
        single = declaration is None or _attribute(declaration, "cardinality") == "single"
        body = _children(self._root, "itembody")
        draft = QuestionDraft(
            text="\n".join(filter(None, (self._text(part, _ASIDE) for part in body))),
            options=options,
            multiple=not single,
            explanation=self._explanation(),
            source=metadata.source,
            topic=metadata.topic,
            difficulty=metadata.difficulty,
            tags=metadata.tags,
        )
        return draft, [*(Fault(code) for code in sorted(self._lost)), *several_of_one(single, draft)]

    def _declaration(self) -> Element | None:
        name = _attribute(self._interaction, "responseidentifier")
        found = _children(self._root, "responsedeclaration")
        return next((element for element in found if _attribute(element, "identifier") == name), None)

    def _explanation(self) -> str:
        feedbacks = [element for element in self._root.iter() if name_of(element) in _FEEDBACK]
        texts = dict.fromkeys(self._text(element, frozenset()) for element in feedbacks)
        return "\n".join(filter(None, texts))

    def _text(self, element: Element, skip: frozenset[str]) -> str:
        plain = PlainText()
        from_elements(element, plain, skip)
        self._lost |= plain.lost
        return plain.result()


def _right_choices(declaration: Element) -> set[str]:
    """Of the right response, or of the mapping to points where there is none."""
    correct = _children(declaration, "correctresponse")
    if correct:
        return {(value.text or "").strip() for value in _children(correct[0], "value")}
    points = {_attribute(entry, "mapkey"): _number(entry) for entry in _children(declaration, "mapentry")}
    best = max(points.values(), default=0.0)
    if _attribute(declaration, "cardinality") == "single":
        return {key for key, value in points.items() if value == best > 0}
    return {key for key, value in points.items() if value > 0}


def _number(entry: Element) -> float:
    try:
        return float(_attribute(entry, "mappedvalue"))
    except ValueError:
        return 0.0


def written(number: int, question: QuestionDraft) -> bytes:
    """The item's file. The explanation is a feedback that is always shown."""
    cardinality = "multiple" if question.multiple else "single"
    item = Element(
        _q("assessmentItem"),
        {
            f"{{{_INSTANCE}}}schemaLocation": f"{QTI} {SCHEMA}",
            "identifier": identifier_of(number),
            "title": one_line(question.text)[:80].strip() or identifier_of(number),
            "adaptive": "false",
            "timeDependent": "false",
            _LANGUAGE: "vi",
        },
    )
    response = _put(item, "responseDeclaration", identifier="RESPONSE", cardinality=cardinality, baseType="identifier")
    if question.rights:
        correct = _put(response, "correctResponse")
        for place in question.rights:
            _put(correct, "value").text = letter(place)
    _put_outcome(item, "SCORE", "float", "0")
    if question.explanation:
        _put_outcome(item, "FEEDBACK", "identifier", "EXPLANATION")
    _put_body(item, question)
    _put(item, "responseProcessing", template=_MATCH_CORRECT)
    if question.explanation:
        shown = _put(item, "modalFeedback", outcomeIdentifier="FEEDBACK", identifier="EXPLANATION", showHide="show")
        put_lines(shown, question.explanation, _q("br"))
    return to_bytes(item)


def _put_body(item: Element, question: QuestionDraft) -> None:
    most = "0" if question.multiple else "1"
    body = _put(item, "itemBody")
    interaction = _put(body, "choiceInteraction", responseIdentifier="RESPONSE", shuffle="true", maxChoices=most)
    put_lines(_put(interaction, "prompt"), question.text, _q("br"))
    for place, option in enumerate(question.options):
        put_lines(_put(interaction, "simpleChoice", identifier=letter(place)), option.text, _q("br"))


def _put_outcome(item: Element, identifier: str, base: str, value: str) -> None:
    outcome = _put(item, "outcomeDeclaration", identifier=identifier, cardinality="single", baseType=base)
    _put(_put(outcome, "defaultValue"), "value").text = value


def _put(parent: Element, name: str, **attributes: str) -> Element:
    return SubElement(parent, _q(name), attributes)


def _q(name: str) -> str:
    return f"{{{QTI}}}{name}"
