import io
import zipfile

import pytest
from docx import Document
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from quiz.services.formats import BadFile, OptionDraft, QuestionDraft, word
from tests.formats import documents
from tests.formats.making import codes, faults, only, real

WRITTEN = """
ĐOÀN TNCS HỒ CHÍ MINH
BỘ CÂU HỎI TUẦN 3

Chủ đề 1: Quốc hội khóa I

Câu 1: Cuộc Tổng tuyển cử đầu tiên
diễn ra ngày nào?
A. 6/1/1946
B. 2/9/1945
C. 19/8/1945
D. 3/9/1945
Đáp án: A
Giải thích: Sắc lệnh số 76-SL
dời ngày bầu cử sang 6/1/1946.
(Nguồn: Cổng thông tin Quốc hội)
Mức độ: Nhận biết

Câu 2. Ai là Trưởng ban Thường trực Quốc hội đầu tiên?
A. Nguyễn Văn Tố\tB. Bùi Bằng Đoàn
C. Tôn Đức Thắng\tD. Trường Chinh
Đáp án A

CHỦ ĐỀ II: Hiến pháp
Câu hỏi 3: Chọn hai hiến pháp do Quốc hội khóa I thông qua?
a) Hiến pháp 1946
b) Hiến pháp 1959
c) Hiến pháp 1980
=> Đáp án: A và B
Chủ đề: Lập hiến
Từ khóa: hiến pháp; khóa I
4. Hiến pháp 1946 có mấy điều? A. 60 B. 70 C. 80 D. 90
Đáp án đúng:
B
"""


def options(*texts: str, right: set[int]) -> tuple[OptionDraft, ...]:
    return tuple(OptionDraft(text, place in right) for place, text in enumerate(texts))


def test_paragraphs_are_read_as_organizers_write_them() -> None:
    assert word.read(documents.of_lines(WRITTEN)) == [
        QuestionDraft(
            "Cuộc Tổng tuyển cử đầu tiên\ndiễn ra ngày nào?",
            options("6/1/1946", "2/9/1945", "19/8/1945", "3/9/1945", right={0}),
            explanation="Sắc lệnh số 76-SL\ndời ngày bầu cử sang 6/1/1946.",
            source="Cổng thông tin Quốc hội",
            topic="Quốc hội khóa I",
            difficulty=1,
        ),
        QuestionDraft(
            "Ai là Trưởng ban Thường trực Quốc hội đầu tiên?",
            options("Nguyễn Văn Tố", "Bùi Bằng Đoàn", "Tôn Đức Thắng", "Trường Chinh", right={0}),
            topic="Quốc hội khóa I",
        ),
        QuestionDraft(
            "Chọn hai hiến pháp do Quốc hội khóa I thông qua?",
            options("Hiến pháp 1946", "Hiến pháp 1959", "Hiến pháp 1980", right={0, 1}),
            topic="Lập hiến",
            tags=("hiến pháp", "khóa I"),
        ),
        QuestionDraft("Hiến pháp 1946 có mấy điều?", options("60", "70", "80", "90", right={1}), topic="Hiến pháp"),
    ]


QUESTION = "Câu 1: Thủ đô?\nA. Huế\nB. Hà Nội\nC. Vinh\n"
THE_CAPITAL = QuestionDraft("Thủ đô?", options("Huế", "Hà Nội", "Vinh", right={1}))


@pytest.mark.parametrize(
    "text",
    [
        QUESTION + "Đáp án: B",
        QUESTION + "ĐÁP ÁN: B.",
        QUESTION + "Đáp án: Hà Nội",
        QUESTION + "Đáp án: B. Hà Nội",
        QUESTION + "Đáp án đúng là B",
        QUESTION + "→ Chọn B",
        QUESTION + "BẢNG ĐÁP ÁN\n1-B",
        QUESTION + "ĐÁP ÁN\n1. B   2. A",
        QUESTION + "1.B 2.C 3.A",
        QUESTION.replace("B.", "*B."),
        QUESTION.replace("B. Hà Nội", "B. ==Hà Nội=="),
        QUESTION.replace("B. Hà Nội", "^^B. Hà Nội^^"),
        QUESTION.replace("B. Hà Nội", "**B. Hà Nội**"),
        QUESTION.replace("B.", "__B__."),
        "**Câu 1:** Thủ đô?\n**A.** Huế\n**B.** ^^Hà Nội^^\n**C.** Vinh",
        "Câu 1: Thủ đô? A. Huế B. Hà Nội C. Vinh\nĐáp án: B",
        "Câu 1: Thủ đô?\nA. Huế    B. Hà Nội    C. Vinh\nĐáp án: B",
        "Câu 1: Thủ đô?\nA. Huế\tB. __Hà Nội__\tC. Vinh",
        "1) Thủ đô?\na. Huế\nb. Hà Nội\nc. Vinh\nKey: b",
        "Question 1. Thủ đô?\nA: Huế\nB: Hà Nội\nC: Vinh\nAnswer: B",
        "Ca\u0302u 1: Thủ đô?\nA. Hu\u00ea\u0301\nB. Hà Nội\nC. Vinh\nĐa\u0301p án: B",
    ],
)
def test_the_right_answer_is_found_however_it_is_shown(text: str) -> None:
    assert word.read(documents.of_lines(text)) == [THE_CAPITAL]


def test_every_bad_paragraph_is_listed() -> None:
    text = """
Câu 1: Không có đáp án?
A. a
B. b
Câu 2: Đáp án lạ?
A. a
B. b
Đáp án: E
Câu 3: Một phương án?
A. a
Đáp án: A
Câu 4: Tốt?
A. a
B. b
Đáp án: A
Dòng này không thuộc đâu cả
Câu 5:
A. a
B. b
Đáp án: A
Độ khó: khủng
"""
    with pytest.raises(BadFile) as bad:
        word.read(documents.of_lines(text))
    told = sorted((number, code) for _, number, code in faults(bad.value))
    assert told == [
        (1, "right_missing"),
        (4, "right_unknown"),
        (8, "wrong_number_of_options"),
        (15, "stray_line"),
        (16, "difficulty_unknown"),
        (16, "text_missing"),
    ]
    assert bad.value.good == ()


def test_a_table_with_a_row_a_question() -> None:
    rows = [
        ["TT", "Nội dung câu hỏi", "Phương án A", "Phương án B", "Phương án C", "Đáp án", "Nguồn"],
        ["1", "Thủ đô?", "Huế", "Hà Nội", "Vinh", "B", ""],
        ["2", "Cố đô\nở đâu?", "Huế", "Hà Nội", "", "A", "sách"],
    ]
    content = documents.of_table(rows, before="BỘ CÂU HỎI")
    assert word.read(content) == [
        THE_CAPITAL,
        QuestionDraft("Cố đô\nở đâu?", options("Huế", "Hà Nội", right={0}), source="sách"),
    ]


def test_a_table_goes_on_without_headings_on_the_next_page_and_headlines_are_topics() -> None:
    document = Document()
    head = ["Câu hỏi", "A", "B", "C", "Đáp án"]
    table = documents.add_table(document, [head, ["Địa lý", "", "", "", ""], ["Thủ đô?", "Huế", "Hà Nội", "Vinh", "B"]])
    table.rows[1].cells[0].merge(table.rows[1].cells[4])
    document.add_paragraph("")
    documents.add_table(document, [["Cố đô?", "Huế", "Hà Nội", "Vinh", "A"]])
    first, second = word.read(documents.saved(document))
    assert (first.text, first.topic, second.text, second.topic) == ("Thủ đô?", "Địa lý", "Cố đô?", "Địa lý")


def test_a_table_for_each_question() -> None:
    document = Document()
    choices = [["A", "Huế"], ["B", "Hà Nội"], ["C", "Vinh"]]
    documents.add_table(document, [["Câu 1", "Thủ đô?"], *choices, ["Đáp án", "B"], ["Giải thích", "Vì thế"]])
    ticked = [["Câu 2:", "Cố đô?", ""], ["A.", "Huế", "x"], ["B.", "Hà Nội", ""]]
    documents.add_table(document, ticked)
    assert word.read(documents.saved(document)) == [
        QuestionDraft("Thủ đô?", THE_CAPITAL.options, explanation="Vì thế"),
        QuestionDraft("Cố đô?", options("Huế", "Hà Nội", right={0})),
    ]


@pytest.mark.parametrize(
    "table", [[["Câu", "1", "2"], ["Đáp án", "B", "A"]], [["Câu hỏi", "Đáp án"], ["1", "B"], ["2", "A"]]]
)
def test_a_table_of_answers_at_the_end(table: list[list[str]]) -> None:
    document = Document()
    for line in (QUESTION + QUESTION.replace("Câu 1: Thủ", "Câu 2: Cố")).strip().split("\n"):
        document.add_paragraph(line)
    documents.add_table(document, table)
    assert [question.rights for question in word.read(documents.saved(document))] == [(1,), (0,)]


def test_numbers_that_word_sets_by_itself_are_seen() -> None:
    document = Document()
    questions, letters = documents.number_lists(document)
    for text in ("Thủ đô?", "Cố đô?"):
        documents.add_numbered(document, text, questions)
        for option in ("Huế", "Hà Nội", "Vinh"):
            documents.add_numbered(document, option, questions, 1)
        document.add_paragraph("Đáp án: B")
    for number, text in ((letters, "Câu 3: Ở đâu?"), ("92", "Câu 4: Nơi nào?")):
        document.add_paragraph(text)
        for option in ("Huế", "Hà Nội", "Vinh"):
            documents.add_numbered(document, option, number)
        document.add_paragraph("Đáp án: B")
    found = word.read(documents.saved(document))
    assert [question.text for question in found] == ["Thủ đô?", "Cố đô?", "Ở đâu?", "Nơi nào?"]
    assert all(question.options == THE_CAPITAL.options for question in found)


def test_tracked_changes_fields_and_text_boxes_are_read_as_they_are_seen() -> None:
    document = Document()
    paragraph = document.add_paragraph("Câu 1: Thủ")
    w = nsdecls("w")
    for xml in (
        f'<w:del {w} w:id="1"><w:r><w:delText> cũ</w:delText></w:r></w:del>',
        f'<w:ins {w} w:id="2"><w:r><w:t xml:space="preserve"> đô</w:t></w:r></w:ins>',
        f"<w:sdt {w}><w:sdtContent><w:r><w:t>?</w:t></w:r></w:sdtContent></w:sdt>",
        f"<w:r {w}><w:instrText>PAGE</w:instrText></w:r>",
    ):
        paragraph._p.append(parse_xml(xml))
    for line in ("A. Huế", "B. Hà Nội", "C. Vinh", "Đáp án: B"):
        document.add_paragraph(line)
    assert word.read(documents.saved(document)) == [THE_CAPITAL]


def test_pictures_and_formulas_are_listed() -> None:
    document = Document()
    for line in QUESTION.strip().split("\n"):
        paragraph = document.add_paragraph(line)
        if line.startswith("C"):
            paragraph._p.append(parse_xml(f"<m:oMath {MATH}><m:r><m:t>x</m:t></m:r></m:oMath>"))
    document.add_paragraph("Đáp án: B")
    document.add_paragraph("Câu 2: Ai trong ảnh?").add_run().add_picture(io.BytesIO(PIXEL))
    for line in ("A. a", "B. b", "Đáp án: A"):
        document.add_paragraph(line)
    documents.add_table(document, [["Câu hỏi", "A", "B", "Đáp án"], ["Ai?", "a", "b", "A"]])
    document.tables[0].rows[1].cells[0].paragraphs[0].add_run().add_picture(io.BytesIO(PIXEL))
    with pytest.raises(BadFile) as bad:
        word.read(documents.saved(document))
    assert sorted(codes(bad.value)) == ["formula", "picture", "picture"]


MATH = 'xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"'
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)


def test_a_letterhead_is_no_question() -> None:
    with pytest.raises(BadFile) as bad:
        word.read(documents.of_lines("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM\nI. Mục đích\nKế hoạch tổ chức"))
    assert only(bad.value).code == "no_questions"


def test_a_document_that_is_none_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        package.writestr("word/document.xml", "<w/>")
    with pytest.raises(BadFile) as bad:
        word.read(out.getvalue())
    assert only(bad.value).code == "damaged"


def test_what_is_written_is_a_table_with_headings_on_every_page() -> None:
    content = word.write([real()[0]])
    document = Document(io.BytesIO(content))
    (table,) = document.tables
    assert [cell.text for cell in table.rows[0].cells][:6] == ["Câu hỏi", "A", "B", "C", "D", "Đáp án"]
    assert "tblHeader" in table.rows[0]._tr.xml
    section = document.sections[0]
    assert section.page_width is not None
    assert section.page_height is not None
    assert section.page_width > section.page_height
