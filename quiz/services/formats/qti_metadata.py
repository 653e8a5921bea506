"""The manifest of a QTI package, and the learning object metadata (LOM) in it: what an item itself has no place for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement, indent, register_namespace

from quiz.services.formats.drafts import DEFAULT_DIFFICULTY, QuestionDraft
from quiz.services.formats.safe_xml import name_of, to_bytes

CP = "http://www.imsglobal.org/xsd/imscp_v1p1"
LOM = "http://ltsc.ieee.org/xsd/LOM"
_VOCABULARY = "LOMv1.0"
_ITEM_TYPE = "imsqti_item_xmlv2p1"
_DIFFICULTIES = ("very easy", "easy", "medium", "difficult", "very difficult")
_LANGUAGE = "vi"

register_namespace("imsmd", LOM)


@dataclass(frozen=True, slots=True)
class Metadata:
    topic: str = ""
    difficulty: int = DEFAULT_DIFFICULTY
    source: str = ""
    tags: tuple[str, ...] = ()


def identifier_of(number: int) -> str:
    return f"q{number:05}"


def path_of(number: int) -> str:
    return f"items/{identifier_of(number)}.xml"


def read(resource: Element) -> Metadata:
    """What the manifest says of an item, in any version of LOM."""
    level = " ".join(_texts(resource, ("educational", "difficulty", "value"))).lower()
    return Metadata(
        topic=" / ".join(_texts(resource, ("classification", "taxonpath", "taxon", "entry"))),
        difficulty=_DIFFICULTIES.index(level) + 1 if level in _DIFFICULTIES else DEFAULT_DIFFICULTY,
        source="\n".join(_texts(resource, ("relation", "resource", "description"))),
        tags=tuple(_texts(resource, ("general", "keyword"))),
    )


def _texts(element: Element, path: Sequence[str]) -> list[str]:
    """The texts at the end of a path of names, whatever stands between; a <string> a text."""
    found = [element]
    for name in path:
        found = [child for parent in found for child in parent.iter() if name_of(child) == name]
    texts = []
    for leaf in found:
        strings = [child for child in leaf.iter() if name_of(child) in ("string", "langstring")] or [leaf]
        texts += [text for string in strings if (text := (string.text or "").strip())]
    return texts


def manifest(questions: Sequence[QuestionDraft]) -> bytes:
    root = Element("manifest", {"xmlns": CP, "identifier": "MANIFEST-QUIZ80"})
    about = SubElement(root, "metadata")
    SubElement(about, "schema").text = "QTIv2.1 Package"
    SubElement(about, "schemaversion").text = "1.0.0"
    SubElement(root, "organizations")
    resources = SubElement(root, "resources")
    for number, question in enumerate(questions, 1):
        href = path_of(number)
        resource = SubElement(
            resources, "resource", {"identifier": identifier_of(number), "type": _ITEM_TYPE, "href": href}
        )
        SubElement(resource, "metadata").append(_lom(question))
        SubElement(resource, "file", {"href": href})
    indent(root)
    return to_bytes(root)


def _lom(question: QuestionDraft) -> Element:
    """Parts in the order that the schema of LOM wants."""
    lom = Element(_tag("lom"))
    if question.tags:
        general = SubElement(lom, _tag("general"))
        for tag in question.tags:
            _put_string(SubElement(general, _tag("keyword")), tag)
    _put_word(SubElement(lom, _tag("educational")), "difficulty", _level(question.difficulty))
    if question.source:
        relation = SubElement(lom, _tag("relation"))
        _put_word(relation, "kind", "isbasedon")
        _put_string(SubElement(SubElement(relation, _tag("resource")), _tag("description")), question.source)
    if question.topic:
        classification = SubElement(lom, _tag("classification"))
        _put_word(classification, "purpose", "discipline")
        taxon = SubElement(SubElement(classification, _tag("taxonPath")), _tag("taxon"))
        _put_string(SubElement(taxon, _tag("entry")), question.topic)
    return lom


def _level(difficulty: int) -> str:
    return _DIFFICULTIES[min(max(difficulty, 1), len(_DIFFICULTIES)) - 1]


def _put_word(parent: Element, name: str, value: str) -> None:
    """A word of a vocabulary, with the vocabulary's name."""
    element = SubElement(parent, _tag(name))
    SubElement(element, _tag("source")).text = _VOCABULARY
    SubElement(element, _tag("value")).text = value


def _put_string(parent: Element, text: str) -> None:
    SubElement(parent, _tag("string"), language=_LANGUAGE).text = text


def _tag(name: str) -> str:
    return f"{{{LOM}}}{name}"
