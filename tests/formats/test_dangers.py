"""Files made to harm: nothing outside is read, nothing small becomes large, and each is refused with a reason."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping

import pytest

from quiz.services.formats import FORMATS, BadFile, read, safe_xml
from quiz.services.formats.detect import detect
from quiz.services.formats.safe_zip import MAX_FILE, MAX_MARKS, MAX_PARTS
from tests.formats.making import only, real

LAUGHS = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
DOCTYPES = {
    "entities that grow": f'<!DOCTYPE quiz [<!ENTITY a0 "ha">{LAUGHS}]><quiz>&a9;</quiz>',
    "a file of the server": '<!DOCTYPE quiz [<!ENTITY x SYSTEM "file:///etc/passwd">]><quiz>&x;</quiz>',
    "a file of another server": '<!DOCTYPE quiz SYSTEM "http://127.0.0.1:9/x.dtd"><quiz/>',
    "parameters": '<!DOCTYPE quiz [<!ENTITY % x SYSTEM "file:///etc/passwd"> %x;]><quiz/>',
}


def zipped(parts: Mapping[str, bytes | str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, part in parts.items():
            package.writestr(name, part)
    return out.getvalue()


def replaced(content: bytes, name: str, part: bytes) -> bytes:
    """A package with one part changed."""
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        return zipped({**{other: package.read(other) for other in package.namelist()}, name: part})


@pytest.mark.parametrize("xml", DOCTYPES.values(), ids=DOCTYPES.keys())
def test_document_types_are_not_read(xml: str) -> None:
    with pytest.raises(BadFile) as bad:
        read("x.xml", xml.encode())
    assert only(bad.value).code == "xml_forbidden"


@pytest.mark.parametrize("xml", DOCTYPES.values(), ids=DOCTYPES.keys())
@pytest.mark.parametrize(
    ("form", "part"),
    [
        ("qti", "imsmanifest.xml"),
        ("qti", "items/q00001.xml"),
        ("xlsx", "xl/worksheets/sheet1.xml"),
        ("xlsx", "xl/workbook.xml"),
        ("docx", "word/document.xml"),
    ],
)
def test_nor_those_in_packages(form: str, part: str, xml: str) -> None:
    content = replaced(FORMATS[form].write(real()[:1]), part, xml.encode())
    with pytest.raises(BadFile) as bad:
        read("x", content)
    assert only(bad.value).code == "xml_forbidden"


def test_the_words_of_another_file_never_come_in() -> None:
    content = FORMATS["docx"].write(real()[:1])
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        document = package.read("word/document.xml")
    doctype = b'<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    evil = re.sub(rb"^<\?xml.*?\?>", doctype, document, flags=re.DOTALL).replace("Chủ tịch".encode(), b"&x;")
    assert b"&x;" in evil
    with pytest.raises(BadFile) as bad:
        read("x", replaced(content, "word/document.xml", evil))
    assert only(bad.value).code == "xml_forbidden"


def test_a_package_that_unpacks_to_too_much_is_not_unpacked() -> None:
    nothing = bytes(50 * 2**20)
    for name in ("xl/workbook.xml", "word/document.xml", "imsmanifest.xml"):
        content = zipped({name: nothing})
        assert len(content) < 2**20
        with pytest.raises(BadFile) as bad:
            read("x", content)
        assert only(bad.value).code == "unpacks_too_large"


def test_many_parts_are_too_much_together() -> None:
    with pytest.raises(BadFile) as bad:
        read("x", zipped({"imsmanifest.xml": "", **{f"{n}.xml": bytes(30 * 2**20) for n in range(4)}}))
    assert only(bad.value).code == "unpacks_too_large"
    with pytest.raises(BadFile) as bad:
        read("x", zipped({"imsmanifest.xml": "", **{f"{n}.xml": b"" for n in range(MAX_PARTS)}}))
    assert only(bad.value).code == "unpacks_too_large"


def test_a_package_that_lies_about_its_size_gives_no_more_than_it_says() -> None:
    content = bytearray(zipped({"imsmanifest.xml": bytes(1000)}))
    at = content.index(b"PK\x01\x02")
    content[at + 24 : at + 28] = (10).to_bytes(4, "little")
    with pytest.raises(BadFile) as bad:
        read("x", bytes(content))
    assert only(bad.value).code == "damaged"


def test_an_encrypted_package_is_told() -> None:
    content = bytearray(zipped({"imsmanifest.xml": b"x"}))
    content[content.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(BadFile) as bad:
        read("x", bytes(content))
    assert only(bad.value).code == "locked"


def test_deep_nesting_ends_early() -> None:
    with pytest.raises(BadFile) as bad:
        safe_xml.parse(b"<a>" * 100_000)
    assert only(bad.value).code == "xml_too_deep"


def test_very_many_elements_are_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safe_xml, "MAX_ELEMENTS", 100)
    with pytest.raises(BadFile) as bad:
        safe_xml.parse(b"<a>" + b"<b/>" * 200 + b"</a>")
    assert only(bad.value).code == "xml_too_deep"
    content = FORMATS["docx"].write(real()[:1])
    with pytest.raises(BadFile) as bad:
        read("x", replaced(content, "word/document.xml", b"<w>" + b"<p/>" * (MAX_MARKS + 1) + b"</w>"))
    assert only(bad.value).code == "unpacks_too_large"


def test_deep_json_ends_early() -> None:
    with pytest.raises(BadFile) as bad:
        read("x.json", b'{"questions":' + b"[" * 200_000 + b"]" * 200_000 + b"}")
    assert only(bad.value).code == "json_shape"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b" \n\t ", "empty"),
        (b"x" * (MAX_FILE + 1), "too_large"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 old office", "old_office"),
        (b"%PDF-1.7\n\0\0\0", "unknown_format"),
        (b"\x89PNG\r\n\x1a\n\0\0", "unknown_format"),
        (b"PK\x03\x04 cut short", "damaged"),
        (zipped({"mimetype": "application/vnd.oasis.opendocument.text"}), "unknown_format"),
        (b"<html><body/></html>", "unknown_format"),
        (b"<quiz><question></quiz>", "xml_broken"),
        (b'<?xml version="1.0" encoding="klingon"?><quiz/>', "xml_encoding"),
        (b"\xff\xfe\xfa", "not_utf8"),
        (b"no format at all", "headings_missing"),
    ],
)  # fmt: skip
def test_what_is_no_question_file_is_refused_with_a_reason(content: bytes, code: str) -> None:
    with pytest.raises(BadFile) as bad:
        read("tệp", content)
    assert only(bad.value).code == code


@pytest.mark.parametrize("form", ["xlsx", "docx", "qti"])
def test_a_package_cut_anywhere_is_refused(form: str) -> None:
    content = FORMATS[form].write(real()[:2])
    for end in range(4, len(content), max(1, len(content) // 25)):
        with pytest.raises(BadFile):
            read("x", content[:end])


@pytest.mark.parametrize("form", ["xlsx", "docx", "qti"])
def test_a_package_without_one_of_its_parts_is_refused_or_read(form: str) -> None:
    content = FORMATS[form].write(real()[:2])
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    for gone in parts:
        for part in (None, b"", b"<x/>", b"<"):
            left = {name: data for name, data in parts.items() if name != gone}
            try:
                questions = read("x", zipped(left if part is None else {**left, gone: part}))
            except BadFile:
                continue
            assert questions == real()[:2], gone


@pytest.mark.parametrize(
    ("name", "content", "form"),
    [
        ("a.csv", b"x", "csv"),
        ("a.tsv", b"x", "csv"),
        ("A.GIFT", b"x", "gift"),
        ("a.txt", b"Q?\nA. a\nB. b\nANSWER: A\n", "aiken"),
        ("a.txt", b"\xef\xbb\xbfQ?\r\nA) a\r\nanswer: A\r\n", "aiken"),
        ("a.txt", b"// note\nQ?{=a ~b}", "gift"),
        ("a.txt", b"Q?{=a ~b}", "gift"),
        ("a.txt", "Câu hỏi;A;B;Đáp án".encode(), "csv"),
        ("a.txt", b'  {"questions": []}', "json"),
        ("a.csv", b"<quiz/>", "moodle"),
        ("a.xml", '<?xml version="1.0" encoding="utf-16"?><quiz/>'.encode("utf-16"), "moodle"),
        ("a", b"<qti-assessment-item/>", "qti"),
        ("a", b"<questestinterop/>", "qti"),
    ],
)  # fmt: skip
def test_a_file_is_known_by_what_is_in_it(name: str, content: bytes, form: str) -> None:
    assert detect(name, content) == form
