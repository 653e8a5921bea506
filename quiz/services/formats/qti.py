"""QTI: packages of 2.1 are written; 2.0 to 3.0 are read, whole packages or a single item."""

from __future__ import annotations

import io
import posixpath
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from urllib.parse import unquote
from xml.etree.ElementTree import Element

from quiz.services.formats import qti_items, qti_metadata
from quiz.services.formats.drafts import BadFile, Findings, QuestionDraft, Where, refuse
from quiz.services.formats.markup import collapsed
from quiz.services.formats.safe_xml import Document, name_of, parse
from quiz.services.formats.safe_zip import ZIP, open_package, read_part

MANIFEST = "imsmanifest.xml"
_ITEM_TYPE = "imsqti_item_"
_VERSION_1 = ("imsqti_xmlv1p", "imsqti_assessment_xmlv1p", "imscc_xmlv1p")
_FIRST_VERSION_ROOT = "questestinterop"
_SAME_DAY = (2025, 1, 1, 0, 0, 0)
"""The same questions give the same bytes."""


def read(content: bytes) -> list[QuestionDraft]:
    """The choice items of a package, or the one item of an XML file.

    Raises:
        BadFile: with every item that is broken, of another type or with a picture.
    """
    findings = Findings()
    if content.startswith(ZIP):
        with open_package(content) as package:
            for resource in _resources(package):
                _read_item(package, resource, findings)
    else:
        qti_items.read(_of_this_version(parse(content)), "", findings, qti_metadata.Metadata())
    return findings.questions()


@dataclass(frozen=True, slots=True)
class _Resource:
    path: str
    metadata: qti_metadata.Metadata


def _read_item(package: zipfile.ZipFile, resource: _Resource, findings: Findings) -> None:
    try:
        document = _of_this_version(parse(read_part(package, resource.path), resource.path))
    except BadFile as broken:
        for line in broken.lines:
            findings.bad(line.where, line.fault.code, **line.fault.params)
    else:
        qti_items.read(document, resource.path, findings, resource.metadata)


def _of_this_version(document: Document) -> Document:
    if name_of(document.root) == _FIRST_VERSION_ROOT:
        raise refuse("qti_version")
    return document


def _resources(package: zipfile.ZipFile) -> Iterator[_Resource]:
    """The items in the order of the manifest, which may stand in a folder of the package."""
    places = [name for name in package.namelist() if posixpath.basename(name) == MANIFEST]
    if not places:
        raise refuse("part_missing", Where("file", inside=MANIFEST))
    place = min(places, key=lambda name: name.count("/"))
    root = parse(read_part(package, place), place).root
    resources = [element for element in root.iter() if name_of(element) == "resource"]
    if any(resource.get("type", "").startswith(_VERSION_1) for resource in resources):
        raise refuse("qti_version")
    for resource in resources:
        if resource.get("type", "").startswith(_ITEM_TYPE):
            href = unquote(resource.get("href", ""))
            path = posixpath.normpath(posixpath.join(posixpath.dirname(place), href))
            yield _Resource(path, qti_metadata.read(resource))


def write(questions: Sequence[QuestionDraft]) -> bytes:
    """A content package: a manifest, which also says topic, difficulty, tags and source, and an item a question."""
    parts = {MANIFEST: qti_metadata.manifest(questions)}
    for number, question in enumerate(questions, 1):
        parts[qti_metadata.path_of(number)] = qti_items.written(number, question)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, part in parts.items():
            package.writestr(zipfile.ZipInfo(name, _SAME_DAY), part, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def held(question: QuestionDraft) -> QuestionDraft:
    """QTI's text is that of web pages: several spaces are one."""
    return replace(
        question,
        text=collapsed(question.text),
        options=tuple(replace(option, text=collapsed(option.text)) for option in question.options),
        explanation=collapsed(question.explanation),
    )


def is_item(root: Element) -> bool:
    return name_of(root) in ("assessmentitem", _FIRST_VERSION_ROOT)
