"""Question files as organizers meet them: what is wrong with one, in sentences, and what an export would lose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from quiz.services import formats
from quiz.services.formats import BadFile, BadLine, Fault, Loss, QuestionDraft, Where

SENTENCES: Mapping[str, Any] = {
    # the file
    "empty": _l("The file is empty."),
    "too_large": _l("The file is larger than %(limit)s MB. Split it into several."),
    "unknown_format": _l("This is none of the formats that questions can be read from."),
    "old_office": _l(
        "This is an old Office file or one with a password. Save it as .xlsx or .docx, without a password."
    ),
    "locked": _l("The file is encrypted. Save it without a password."),
    "damaged": _l("The file is damaged. Open it in the program it was made with and save it again."),
    "unpacks_too_large": _l("The file unpacks to more than %(limit)s MB. Take out pictures and what is no question."),
    "part_missing": _l("The package names this file, but it is not in it."),
    "not_utf8": _l("The text is not in UTF-8. Save the file again as UTF-8, or the accents would be lost."),
    "headings_missing": _l("No row of headings was found. It needs at least a question and the right answer (Đáp án)."),
    "no_questions": _l("There is no question in the file."),
    "too_many_questions": _l("The file has %(count)s questions; at most %(limit)s can be read at once."),
    "not_this_format": _l("This is no %(format)s file."),
    "qti_version": _l("This is QTI 1.2. Export it as QTI 2.1 or later."),
    "csv_broken": _l("The quotes of this line are not closed as CSV wants it. The rest of the file could not be read."),
    "xml_broken": _l("The XML is broken here (column %(column)s). The rest of the file could not be read."),
    "xml_forbidden": _l("The file declares a document type, which is not read: it could bring in other files."),
    "xml_too_deep": _l("The file has too many elements, or they are nested too deeply."),
    "xml_encoding": _l("The file is in an encoding that can't be read. Save it as UTF-8."),
    "json_shape": _l("This is not as the format wants it: %(detail)s"),
    # a question
    "text_missing": _l("The question has no text."),
    "too_long": _l("%(field)s: %(length)s characters; at most %(limit)s are possible."),
    "wrong_number_of_options": _l("The question has %(count)s options; it needs 2 to %(limit)s."),
    "option_missing": _l("Option %(option)s has no text."),
    "same_option_twice": _l("Option %(option)s is the same as option %(other)s."),
    "right_missing": _l("It is not said which option is right."),
    "right_unknown": _l("“%(value)s” names no option of this question."),
    "difficulty_unknown": _l("“%(value)s” is no difficulty. Write 1 to 5."),
    "multiple_unknown": _l("“%(value)s” is neither yes nor no. Write x, or leave it empty."),
    "too_many_tags": _l("The question has %(count)s tags; at most %(limit)s are possible."),
    "fraction_unknown": _l("“%(value)s” is no share of the points."),
    "outside_question": _l("This line belongs to no question."),
    "option_order": _l("Option %(expected)s should stand here, not %(option)s."),
    "question_unfinished": _l("The question has no line ANSWER."),
    "stray_line": _l("It is not clear what this line belongs to: “%(text)s”"),
    "gift_braces": _l("A question needs one pair of braces { } around its answers."),
    "gift_answers": _l("The answers must begin with = or ~."),
    "formula_cell": _l("Cell %(cell)s has a formula. Replace it by its value."),
    "excel_error": _l("Cell %(cell)s shows an error."),
    # what the bank has no place for
    "unsupported_type": _l("This is a question of another kind (%(type)s). It would be left out."),
    "picture": _l("The question has a picture, sound or film. It would be left out."),
    "formula": _l("The question has a formula that text can't show. It would be left out."),
    "one_right_only": _l("%(count)s options are right and one of them is enough. The question would be left out."),
    "partial_credit": _l("An option is worth a part of the points. It would count as wrong."),
    "unknown_heading": _l("The column “%(heading)s” is not known. It would be left out."),
    "cell_without_heading": _l("This cell stands in a column without a heading and would be left out: “%(value)s”"),
}
"""One for each code of `formats`."""

_KINDS: Mapping[str, Any] = {
    "essay": _l("essay"),
    "description": _l("text without a question"),
    "shortanswer": _l("short answer"),
    "numerical": _l("a number as answer"),
    "matching": _l("matching"),
    "composite": _l("several questions in one"),
}
"""Kinds of question that other tools name in their own words: those that are met most."""
_PLACES: Mapping[str, Any] = {
    "file": _l("File"),
    "line": _l("Line %(number)s"),
    "row": _l("Row %(number)s"),
    "question": _l("Question %(number)s"),
    "paragraph": _l("Paragraph %(number)s"),
    "table_row": _l("Table %(inside)s, row %(number)s"),
}
_FIELDS: Mapping[str, Any] = {
    "question": _l("whole questions"),
    "text": _l("Question"),
    "options": _l("Options"),
    "multiple": _l("Several answers"),
    "explanation": _l("Explanation"),
    "source": _l("Source"),
    "topic": _l("Topic"),
    "difficulty": _l("Difficulty"),
    "tags": _l("Tags"),
}
_FIELD_OF = {
    "text_missing": "text",
    "wrong_number_of_options": "options",
    "option_missing": "options",
    "same_option_twice": "options",
    "right_missing": "options",
    "too_many_tags": "tags",
    "difficulty_unknown": "difficulty",
}


def read(filename: str, content: bytes, *, go_without: bool = False) -> list[QuestionDraft]:
    """The questions of a file in any of the formats.

    Args:
        go_without: the importer has seen what the bank has no place for and goes without it.

    Raises:
        BadFile: with every bad line; nothing may be imported.
    """
    try:
        return formats.read(filename, content)
    except BadFile as bad:
        if go_without and bad.can_go:
            return list(bad.good)
        raise


def sentence(fault: Fault) -> str:
    params = dict(fault.params)
    if "field" in params:
        params["field"] = str(_FIELDS[str(params["field"])])
    if "type" in params:
        params["type"] = str(_KINDS.get(str(params["type"]), params["type"]))
    return str(SENTENCES[fault.code]) % params


def place(where: Where) -> str:
    """`Row 5`, `items/q1.xml, line 3`: where to look in the file."""
    told = str(_PLACES[where.kind]) % {"number": where.number, "inside": where.inside}
    return f"{where.inside}, {told}" if where.inside and where.kind != "table_row" else told


def line(bad: BadLine) -> str:
    return f"{place(bad.where)}: {sentence(bad.fault)}"


def field_of(fault: Fault) -> str:
    """The field of a draft that a fault is about; the text, if it is about all of it."""
    return str(fault.params.get("field", _FIELD_OF.get(fault.code, "text")))


def loss(lost: Loss) -> str:
    """What an export would not hold, for the list before it."""
    params = {"field": str(_FIELDS[lost.name]), "count": lost.count, "first": lost.first}
    if lost.changed:
        return str(_("%(field)s: changed in %(count)s questions, the first is number %(first)s", **params))
    return str(_("%(field)s: left out in %(count)s questions, the first is number %(first)s", **params))


EXPIRED = _l("The questions of the file are not kept any more. Choose the file again.")

GUIDE = (
    ("Câu hỏi", _l("The question. A line break is Alt+Enter.")),
    ("A, B, C, D…", _l("The options, at least two. For more than four add columns E, F… up to P.")),
    ("Đáp án", _l("The letter of the right option, or several: A, C.")),
    ("Nhiều đáp án", _l("An x if several options may be chosen though only one is right; else empty.")),
    ("Giải thích", _l("What people read after the key is released.")),
    ("Nguồn", _l("Where the answer can be checked: a law, a book, a page.")),
    ("Chủ đề", _l("The topic; papers can be drawn by topic.")),
    ("Độ khó", _l("1 (very easy) to 5 (very hard); empty counts as 2.")),
    ("Nhãn", _l("Words to find the question by, separated by semicolons.")),
)
"""The second sheet of the template: the headings stay Vietnamese, as they are read."""


def template() -> bytes:
    """An Excel workbook to fill in."""
    return formats.sheets.template([(heading, str(text)) for heading, text in GUIDE])
