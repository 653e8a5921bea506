"""The list for whoever pays the prizes out, as a workbook or CSV; numbers of phones only for who may see them."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from flask_babel import gettext
from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from sqlalchemy import select
from sqlalchemy.orm import Session

from quiz import wording
from quiz.models import AwardList, Identity
from quiz.services.awards.reading import places
from quiz.services.formats.commas import guarded

MEDIA_TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
}
Row = list[str | int]


def write(session: Session, made: AwardList, form: str, *, phones: bool) -> bytes:
    """The held places of a list as a file.

    Args:
        form: xlsx or csv.
        phones: whether who takes the file may see numbers.
    """
    rows = _rows(session, made, phones)
    return _workbook(rows) if form == "xlsx" else _commas(rows)


def _rows(session: Session, made: AwardList, phones: bool) -> list[Row]:
    held = [place for place in places(session, made) if place.award.state == "held"]
    numbers = _numbers(session, [p.award.person_id for p in held if p.award.person_id is not None]) if phones else {}
    head: Row = [
        gettext("Prize"),
        gettext("Place"),
        gettext("Winner"),
        gettext("Account"),
        gettext("Province or union"),
        gettext("Value (đồng)"),
        gettext("Given for"),
        gettext("Paid on"),
        gettext("Payment"),
        *([gettext("Phone")] if phones else []),
    ]
    return [head, *(
        [
            place.award.name,
            place.award.place,
            place.winner,
            place.award.person_id or "",
            place.unit,
            place.award.value,
            place.evidence,
            place.award.paid_on.isoformat() if place.award.paid_on else "",
            place.award.paid_reference or "",
            *([numbers.get(place.award.person_id or 0, "")] if phones else []),
        ]
        for place in held
    )]  # fmt: skip


def _numbers(session: Session, people: Sequence[int]) -> dict[int, str]:
    rows = session.execute(
        select(Identity.user_id, Identity.value).where(Identity.kind == "phone", Identity.user_id.in_(people))
    )
    return {user_id: wording.phone(value) for user_id, value in rows}


def _commas(rows: Sequence[Row]) -> bytes:
    """With the mark that lets Excel see UTF-8, and no cell that it would compute."""
    out = io.StringIO(newline="")
    csv.writer(out).writerows([guarded(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _workbook(rows: Sequence[Row]) -> bytes:
    book = Workbook()
    sheet = book.worksheets[0]
    for row, cells in enumerate(rows, 1):
        for column, value in enumerate(cells, 1):
            cell = sheet.cell(row, column)
            cell.value = value
            if isinstance(value, str):
                cell.data_type = "s"  # never a formula
            if row == 1:
                cell.font = Font(bold=True)
    for column, width in enumerate((28, 8, 30, 10, 26, 16, 40, 12, 18, 16), 1):
        sheet.column_dimensions[get_column_letter(column)].width = width
    sheet.freeze_panes = "A2"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
