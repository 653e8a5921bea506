import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from quiz.services.formats import BadFile, OptionDraft, QuestionDraft, qti
from tests.formats.making import codes, faults, only

SAMPLES = Path(__file__).parent / "samples"
ITEM = """<assessmentItem xmlns="http://www.imsglobal.org/xsd/imsqti_v2p1" identifier="i" title="t"
 adaptive="false" timeDependent="false">
<responseDeclaration identifier="R" cardinality="single" baseType="identifier">
<correctResponse><value>A</value></correctResponse></responseDeclaration>
<itemBody>{body}</itemBody></assessmentItem>"""
CHOICE = """<choiceInteraction responseIdentifier="R" maxChoices="1"><prompt>Hỏi?</prompt>
<simpleChoice identifier="A">a</simpleChoice><simpleChoice identifier="B">b</simpleChoice></choiceInteraction>"""
MANIFEST = """<manifest xmlns="http://www.imsglobal.org/xsd/imscp_v1p1"><resources>{}</resources></manifest>"""
RESOURCE = '<resource identifier="{0}" type="imsqti_item_xmlv2p1" href="{0}"/>'


def zipped(parts: Mapping[str, str | bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, part in parts.items():
            package.writestr(name, part)
    return out.getvalue()


def package(**items: str) -> bytes:
    manifest = MANIFEST.format("".join(RESOURCE.format(name) for name in items))
    return zipped({"imsmanifest.xml": manifest, **items})


def sample() -> dict[str, bytes]:
    folder = SAMPLES / "qti21"
    names = {file: file.relative_to(folder).as_posix() for file in folder.rglob("*.xml")}
    # The manifest names it in percent signs, as tools do with Vietnamese names.
    return {name.replace("/mot/", "/một/"): file.read_bytes() for file, name in names.items()}


FIRST = QuestionDraft(
    "Ngày 6 tháng 1 năm 1946, cả nước đi bầu.\nĐó là thứ mấy?",
    (OptionDraft("Thứ Bảy"), OptionDraft("Chủ nhật", True), OptionDraft("Thứ <Hai>")),
    explanation="Hãy xem lịch.\nLịch năm 1946.",
    difficulty=5,
    tags=("bầu cử", "1946"),
)
SECOND = QuestionDraft(
    "Khóa I thông qua?",
    (OptionDraft("Hiến pháp 1946", True), OptionDraft("Hiến pháp 1980"), OptionDraft("Hiến pháp 1959", True)),
)


def test_a_package_of_another_tool_comes_in_whole() -> None:
    assert qti.read(zipped(sample())) == [FIRST, SECOND]


def test_a_package_may_stand_in_a_folder() -> None:
    assert qti.read(zipped({f"Đề thi/{name}": part for name, part in sample().items()})) == [FIRST, SECOND]


def test_an_item_of_qti_3_is_read() -> None:
    assert qti.read((SAMPLES / "qti3_item.xml").read_bytes()) == [
        QuestionDraft(
            "Nước (H₂O) gồm\nnhững nguyên tố nào?",
            (OptionDraft("Hydro", True), OptionDraft("Nitơ"), OptionDraft("Oxy", True)),
        )
    ]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("<p>Chỉ để đọc.</p>", "description"),
        ('<extendedTextInteraction responseIdentifier="R"/>', "extendedtextinteraction"),
        (CHOICE + '<p><textEntryInteraction responseIdentifier="R2"/></p>', "textentryinteraction"),
        (CHOICE + CHOICE.replace("Hỏi", "Hỏi nữa"), "composite"),
    ],
)
def test_other_kinds_of_item_are_listed(body: str, kind: str) -> None:
    with pytest.raises(BadFile) as bad:
        qti.read(package(**{"x.xml": ITEM.format(body=body), "y.xml": ITEM.format(body=CHOICE)}))
    (line,) = bad.value.lines
    assert (line.where.inside, line.fault.code, line.fault.params) == ("x.xml", "unsupported_type", {"type": kind})
    assert bad.value.can_go
    assert len(bad.value.good) == 1


def test_pictures_and_formulas_are_listed() -> None:
    picture = CHOICE.replace("Hỏi?", 'Ai? <img src="a.png" alt="x"/>')
    formula = CHOICE.replace("Hỏi?", '<math xmlns="http://www.w3.org/1998/Math/MathML"><mi>x</mi></math>?')
    with pytest.raises(BadFile) as bad:
        qti.read(package(**{"a.xml": ITEM.format(body=picture), "b.xml": ITEM.format(body=formula)}))
    assert codes(bad.value) == ["picture", "formula"]


def test_every_broken_item_is_listed_and_none_comes_in() -> None:
    items = {
        "cut.xml": "<assessmentItem>",
        "test.xml": "<assessmentTest/>",
        "no-key.xml": ITEM.format(body=CHOICE).replace("<value>A</value>", ""),
        "good.xml": ITEM.format(body=CHOICE),
    }
    manifest = MANIFEST.format("".join(RESOURCE.format(name) for name in [*items, "gone.xml", "../../etc/passwd"]))
    with pytest.raises(BadFile) as bad:
        qti.read(zipped({"imsmanifest.xml": manifest, **items}))
    assert [(line.where.inside, line.fault.code) for line in bad.value.lines] == [
        ("cut.xml", "xml_broken"),
        ("test.xml", "not_this_format"),
        ("no-key.xml", "right_missing"),
        ("gone.xml", "part_missing"),
        ("../../etc/passwd", "part_missing"),
    ]
    assert not bad.value.can_go


def test_the_first_version_is_named() -> None:
    old = '<resource identifier="x" type="imsqti_xmlv1p2" href="x.xml"/>'
    with pytest.raises(BadFile) as bad:
        qti.read(zipped({"imsmanifest.xml": MANIFEST.format(old)}))
    assert only(bad.value).code == "qti_version"
    with pytest.raises(BadFile) as bad:
        qti.read(b"<questestinterop/>")
    assert only(bad.value).code == "qti_version"


def test_a_package_without_items_or_manifest_is_refused() -> None:
    with pytest.raises(BadFile) as bad:
        qti.read(package())
    assert faults(bad.value) == [("file", 0, "no_questions")]
    with pytest.raises(BadFile) as bad:
        qti.read(zipped({"a.xml": ITEM.format(body=CHOICE)}))
    assert only(bad.value).code == "part_missing"


def test_several_right_choices_of_which_one_is_enough_are_listed() -> None:
    two = ITEM.format(body=CHOICE).replace("<value>A</value>", "<value>A</value><value>B</value>")
    with pytest.raises(BadFile) as bad:
        qti.read(two.encode())
    assert codes(bad.value) == ["one_right_only"]


def test_a_written_package_says_all_in_its_manifest() -> None:
    question = QuestionDraft(
        "Hỏi?",
        (OptionDraft("a", True), OptionDraft("b")),
        source="Hiến pháp",
        topic="Điều 1",
        difficulty=5,
        tags=("x",),
    )
    with zipfile.ZipFile(io.BytesIO(qti.write([question]))) as written:
        manifest = written.read("imsmanifest.xml").decode()
        item = written.read("items/q00001.xml").decode()
    for text in ("Hiến pháp", "Điều 1", "very difficult", ">x<", 'href="items/q00001.xml"', "imsqti_item_xmlv2p1"):
        assert text in manifest
    assert 'maxChoices="1"' in item
    assert "<value>A</value>" in item
