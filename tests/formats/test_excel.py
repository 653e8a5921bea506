import io
import zipfile
from datetime import date, datetime, time
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from quiz.services import question_files
from quiz.services.formats import BadFile, OptionDraft, QuestionDraft, sheets
from tests.formats.making import faults, only, real

MORNING = datetime(1946, 1, 6, 7, 30)  # noqa: DTZ001 - Excel knows no zones
HEADINGS = ["STT", "Câu hỏi", "A", "B", "C", "D", "Đáp án"]


def book(*rows: list[Any], title: str = "Câu hỏi") -> Workbook:
    made = Workbook()
    sheet = made.active
    assert sheet is not None
    sheet.title = title
    for row in rows:
        sheet.append(row)
    return made


def saved(made: Workbook) -> bytes:
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def read(*rows: list[Any]) -> list[QuestionDraft]:
    return sheets.read(saved(book(HEADINGS, *rows)))


def test_numbers_and_dates_are_read_as_excel_shows_them() -> None:
    made = book(
        HEADINGS, [1, "Năm nào?", 1946, 98.4, 333000, 0.984, "A"], [2, "Ngày nào?", None, None, None, None, "B"]
    )
    sheet = made["Câu hỏi"]
    sheet["E2"].number_format = "#,##0"
    sheet["F2"].number_format = "0.0%"
    sheet["C3"], sheet["D3"], sheet["E3"], sheet["F3"] = (
        date(1946, 1, 6), MORNING, time(7, 30), True
    )  # fmt: skip
    sheet["C3"].number_format = "d/m/yyyy"
    sheet["D3"].number_format = "dd/mm/yyyy hh:mm"
    first, second = sheets.read(saved(made))
    assert [option.text for option in first.options] == ["1946", "98,4", "333.000", "98,4%"]
    assert [option.text for option in second.options] == ["6/1/1946", "06/01/1946 07:30", "07:30", "TRUE"]


def test_formulas_and_errors_are_told_with_their_cell() -> None:
    made = book(HEADINGS, [1, "Hỏi?", "=1+1", "b", None, None, "B"])
    made["Câu hỏi"]["D2"] = "#REF!"
    made["Câu hỏi"]["D2"].data_type = "e"
    with pytest.raises(BadFile) as bad:
        sheets.read(saved(made))
    told = [(line.where.number, line.fault.code, line.fault.params) for line in bad.value.lines]
    assert told[:2] == [(2, "formula_cell", {"cell": "C2"}), (2, "excel_error", {"cell": "D2"})]


def test_nothing_written_is_a_formula() -> None:
    signs = ["=1+1", "+1", "-1", "@A1", "'=1", '=HYPERLINK("http://x","y")']
    question = QuestionDraft("=cmd|'/c calc'!A1", tuple(OptionDraft(sign, sign == "+1") for sign in signs))
    content = sheets.write([question])
    sheet = load_workbook(io.BytesIO(content))["Câu hỏi"]
    cells = [cell for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} == {"s"}
    assert {cell.number_format for cell in cells} == {"@"}
    assert all(cell.quotePrefix for cell in cells if str(cell.value).startswith(("=", "+", "-", "@", "'")))
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        assert b"<f>" not in package.read("xl/worksheets/sheet1.xml")
    assert sheets.read(content) == [question]


def test_several_sheets_are_read_and_their_rows_told_apart() -> None:
    made = book(HEADINGS, [1, "Một?", "a", "b", "", "", "A"], title="Tuần 1")
    second = made.create_sheet("Tuần 2")
    for row in (["Tiêu đề"], HEADINGS, [1, "Hai?", "a", "b", "", "", "B"], [2, "Ba?", "a", "b", "", "", "C"]):
        second.append(row)
    made.create_sheet("Ghi chú").append(["không phải câu hỏi"])
    hidden = made.create_sheet("Nháp")
    hidden.append(HEADINGS)
    hidden.append([1, "Ẩn?", "a", "b", "", "", "Z"])
    hidden.sheet_state = "hidden"
    with pytest.raises(BadFile) as bad:
        sheets.read(saved(made))
    (line,) = bad.value.lines
    assert (line.where.inside, line.where.number, line.fault.code) == ("Tuần 2", 4, "right_unknown")
    assert question_files.place(line.where) == "Tuần 2, Row 4"


def test_a_workbook_without_headings_is_refused() -> None:
    with pytest.raises(BadFile) as bad:
        sheets.read(saved(book(["a", "b"], ["c", "d"])))
    assert only(bad.value).code == "headings_missing"


def test_a_row_at_the_end_of_the_world_is_reached() -> None:
    made = book(HEADINGS, [1, "Hỏi?", "a", "b", "", "", "A"])
    made["Câu hỏi"].cell(1_048_576, 2, "lạc")
    with pytest.raises(BadFile) as bad:
        sheets.read(saved(made))
    assert {fault[1] for fault in faults(bad.value)} == {1_048_576}


def test_a_workbook_that_claims_impossible_rows_does_not_hang() -> None:
    content = saved(book(HEADINGS, [1, "Hỏi?", "a", "b", "", "", "A"]))
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            part = old.read(name)
            if name == "xl/worksheets/sheet1.xml":
                part = part.replace(b'<row r="2"', b'<row r="999999999999"').replace(b'r="A2"', b'r="A999999999999"')
            new.writestr(name, part)
    with pytest.raises(BadFile):
        sheets.read(out.getvalue())


def test_the_template_is_ready_to_be_filled_in() -> None:
    content = question_files.template()
    made = load_workbook(io.BytesIO(content))
    assert made.sheetnames == ["Câu hỏi", "Hướng dẫn"]
    with pytest.raises(BadFile) as bad:
        sheets.read(content)
    assert only(bad.value).code == "no_questions"
    sheet = made["Câu hỏi"]
    headings = [cell.value for cell in sheet[1]]
    assert {row[0].value for row in made["Hướng dẫn"].iter_rows()} >= set(headings) - set("ABCD")
    for column, text in {1: "Hỏi?", 2: "a", 3: "b", headings.index("Đáp án") + 1: "B"}.items():
        sheet.cell(2, column, text)
    assert sheets.read(saved(made)) == [QuestionDraft("Hỏi?", (OptionDraft("a"), OptionDraft("b", True)))]


def test_what_excel_saves_again_is_still_the_same() -> None:
    """Excel moves texts to a shared table, and may write line ends its own way."""
    questions = real()[:20]
    again = load_workbook(io.BytesIO(sheets.write(questions)))
    again["Câu hỏi"]["A2"] = "dòng một_x000D_\ndòng hai"
    back = sheets.read(saved(again))
    assert back[0].text == "dòng một\ndòng hai"
    assert back[1:] == questions[1:]
