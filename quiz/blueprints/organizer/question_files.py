"""Question files: in, with every bad line or none of it; out, after what the format can't hold was said."""

from __future__ import annotations

from flask import Response as Download
from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from quiz import clock, staff_session
from quiz.blueprints.organizer.blueprint import Answer, blueprint, refused, status
from quiz.blueprints.organizer.questions import round_of
from quiz.errors import FieldError, Refusal
from quiz.extensions import db, platform
from quiz.services import audit, imports, question_files
from quiz.services import questions as service
from quiz.services.formats import FORMATS, BadFile

_PATH = "/contests/<slug>/rounds/<int:number>/questions"
SHOWN = 200
"""Of the bad lines on a page: a file with more is not mended line by line."""


@blueprint.get(f"{_PATH}/import")
def import_questions(slug: str, number: int) -> Answer:
    return _import_page(slug, number)


def _import_page(slug: str, number: int, refusal: Refusal | None = None, **shown: object) -> Answer:
    made = round_of(slug, number)
    answer = render_template(
        "organizer/import.html", slug=slug, round=made, formats=FORMATS.values(), **refused(refusal), **shown
    )
    return answer, 422 if "lines" in shown else status(refusal)


@blueprint.post(f"{_PATH}/import")
def read_questions(slug: str, number: int) -> Answer:
    """Read a file and show what would come in; nothing is added yet."""
    made, file = round_of(slug, number), request.files.get("file")
    if file is None or not file.filename:
        return _import_page(slug, number, Refusal("invalid_request", errors=(FieldError("file", _("Choose a file.")),)))
    try:
        drafts = question_files.read(file.filename, file.read(), go_without="go_without" in request.form)
    except BadFile as bad:
        lines = [question_files.line(line) for line in bad.lines[:SHOWN]]
        return _import_page(
            slug, number, lines=lines, bad=len(bad.lines), can_go=bad.can_go, good=len(bad.good), filename=file.filename
        )
    token = imports.hold(platform().cache, made.id, staff_session.required().id, drafts)
    twins = service.lookalikes(db.session(), made, drafts)
    return render_template(
        "organizer/import_check.html", slug=slug, round=made, drafts=drafts, twins=twins, token=token, problem=None
    )


@blueprint.post(f"{_PATH}/add")
def add_questions(slug: str, number: int) -> Answer:
    """Add what was read and looked at."""
    session, made, who = db.session(), round_of(slug, number), staff_session.required().id
    redis, token, now = platform().cache, request.form.get("token", ""), clock.now()
    try:
        added = service.add_questions(session, made, imports.held(redis, made.id, who, token), now, actor_id=who)
    except Refusal as refusal:
        session.rollback()
        return _import_page(slug, number, refusal)
    audit.append(session, now, who, "questions.imported", f"round:{made.id}", {"questions": added})
    session.commit()
    imports.drop(redis, made.id, who, token)
    flash(ngettext("%(num)d question was added.", "%(num)d questions were added.", added), "green")
    return redirect(url_for("organizer.bank", slug=slug, number=number), 303)


@blueprint.get("/questions/template.xlsx")
def question_template() -> Response:
    return _download(question_files.template(), FORMATS["xlsx"].media_type, "quiz80.xlsx")


@blueprint.get(f"{_PATH}/export")
def export_questions(slug: str, number: int) -> str:
    """What each format would lose, before anybody takes one."""
    made = round_of(slug, number)
    drafts = service.drafts_of(db.session(), made)
    losses = [(form, [question_files.loss(lost) for lost in form.losses(drafts)]) for form in FORMATS.values()]
    return render_template("organizer/export.html", slug=slug, round=made, losses=losses, count=len(drafts))


@blueprint.get(f"{_PATH}/export/<name>")
def question_file(slug: str, number: int, name: str) -> Response:
    """The file, with the right answers in it: so the log says who took it."""
    form, session, made = FORMATS.get(name), db.session(), round_of(slug, number)
    if form is None:
        raise Refusal("not_found")
    drafts = service.drafts_of(session, made)
    detail = {"format": name, "questions": len(drafts)}
    audit.append(session, clock.now(), staff_session.required().id, "questions.exported", f"round:{made.id}", detail)
    session.commit()
    return _download(form.write(drafts), form.media_type, f"{slug}-{number}{form.extension}")


def _download(content: bytes, media_type: str, filename: str) -> Response:
    answer = Download(content, content_type=media_type)
    answer.headers.set("Content-Disposition", "attachment", filename=filename)
    answer.headers["Cache-Control"] = "no-store"
    return answer
