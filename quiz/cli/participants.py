"""`flask participants …`"""

from __future__ import annotations

from pathlib import Path

import click
from flask.cli import AppGroup

from quiz import clock
from quiz.cli import refusals
from quiz.extensions import db
from quiz.services import participants
from quiz.services.participants import BadList, Fault

group = AppGroup("participants", help="People who take part.")


@group.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_file(file: Path) -> None:
    """Add the people of FILE (CSV or XLSX): all of them, or none and a list of every bad line.

    Columns, in any order: phone, full name, unit code; birth year and password may be left out. Headings may be
    Vietnamese (Số điện thoại, Họ và tên, Mã đơn vị, Năm sinh, Mật khẩu).
    """
    try:
        with refusals.told():
            count = participants.import_file(db.session(), file.read_bytes(), clock.now())
    except BadList as bad:
        lines = "\n".join(f"  {_told(fault)}" for fault in bad.faults)
        raise click.ClickException(f"Nothing was imported.\n{lines}") from bad
    click.echo(f"{count} participants imported.")


def _told(fault: Fault) -> str:
    place = f"line {fault.line}, {fault.field}: " if fault.line else ""
    return f"{place}{fault.message}"
