import pytest

from quiz.services.formats import BadFile, OptionDraft, QuestionDraft, commas
from quiz.services.formats.commas import guarded, unguarded
from tests.formats.making import NASTY, faults, only

QUESTION = QuestionDraft("Hỏi; gì, đây?", (OptionDraft("a"), OptionDraft("b", True)))


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_files_of_any_spreadsheet_are_read(delimiter: str, encoding: str, ends: str) -> None:
    rows = [["Câu hỏi", "A", "B", "Đáp án"], ['"Hỏi; gì, đây?"', "a", "b", "B"]]
    text = ends.join(delimiter.join(row) for row in rows)
    assert commas.read(text.encode(encoding)) == [QUESTION]


def test_the_line_that_names_the_delimiter_is_no_row() -> None:
    assert commas.read(b"sep=;\nquestion;A;B;answer\nq;a;b;A\n")[0].text == "q"


@pytest.mark.parametrize("sign", [*NASTY, "", "'", "''", "a=b", "'a"])
def test_no_cell_runs_and_none_changes(sign: str) -> None:
    cell = guarded(sign)
    assert not cell.startswith(("=", "+", "-", "@", "＝", "\t", "\r"))
    assert unguarded(cell) == sign


def test_nothing_written_begins_like_a_formula() -> None:
    question = QuestionDraft("=1+1", (OptionDraft("+84", True), OptionDraft("@x"), OptionDraft("-1")), source="=2")
    written = commas.write([question])
    assert written.startswith(b"\xef\xbb\xbf")
    assert not any(f'"{sign}' in written.decode() for sign in "=+@-")
    assert commas.read(written) == [question]


def test_every_bad_line_is_named_though_cells_have_lines_of_their_own() -> None:
    text = 'Câu hỏi,A,B,Đáp án\n"Hai\ndòng?",a,b,A\nThiếu?,a,b,\nLạ?,a,b,C\nTốt?,a,b,A\n'
    with pytest.raises(BadFile) as bad:
        commas.read(text.encode())
    assert faults(bad.value) == [("line", 4, "right_missing"), ("line", 5, "right_unknown")]


def test_a_forgotten_quote_does_not_swallow_the_rest() -> None:
    text = 'Câu hỏi,A,B,Đáp án\nMột?,a,b,\n"Quên?,a,b,A\nBa?,a,b,A\n'
    with pytest.raises(BadFile) as bad:
        commas.read(text.encode())
    assert faults(bad.value) == [("line", 2, "right_missing"), ("line", 3, "csv_broken")]


def test_another_encoding_is_not_guessed() -> None:
    with pytest.raises(BadFile) as bad:
        commas.read("Câu hỏi,A,B,Đáp án\n".encode() + "Huê?,a,b,A".encode("cp1258"))
    assert faults(bad.value) == [("line", 2, "not_utf8")]


def test_a_file_without_headings_is_refused() -> None:
    with pytest.raises(BadFile) as bad:
        commas.read(b"a,b\nc,d\n")
    assert only(bad.value).code == "headings_missing"
