"""Correcting the key of a round: proposed, counted with a progress bar, approved by a second organizer, in force."""

from __future__ import annotations

from collections.abc import Callable

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from quiz import clock, staff_session
from quiz.blueprints.organizer.blueprint import Answer, blueprint, refused, status
from quiz.blueprints.organizer.questions import round_of
from quiz.errors import Refusal
from quiz.extensions import db, platform
from quiz.models import KeyProposal, Round
from quiz.services import appeals, corrections
from quiz.services.corrections import MAX_TRIES
from quiz.services.corrections import Answer as Right

SHOWN = 100
"""Questions on a page; the words looked for bring the others."""
_PATH = "/contests/<slug>/rounds/<int:number>/key"


@blueprint.get(_PATH)
def key(slug: str, number: int) -> Answer:
    return _page(slug, number)


def _page(slug: str, number: int, refusal: Refusal | None = None) -> Answer:
    session, made, words = db.session(), round_of(slug, number), request.args.get("q", "")
    asked = request.args.get("question", "")
    proposal = corrections.open_proposal(session, made.id)
    over = made.scheduled_at is not None and clock.now() >= made.opens_at
    found = corrections.keyed_questions(session, made, words) if over and proposal is None else []
    if asked:
        # Come from an appeal: its question alone, and open.
        found = [question for question in found if question.id == asked]
    return render_template(
        "organizer/key.html",
        slug=slug,
        round=made,
        over=over,
        words=words,
        story=corrections.story(session, proposal) if proposal is not None else None,
        stuck=proposal is not None and proposal.tries >= MAX_TRIES and proposal.state != "counted",
        progress=corrections.progress(platform().queue, proposal.id) if proposal is not None else None,
        questions=found[:SHOWN],
        found=len(found),
        asked=asked,
        appeals=appeals.behind(session, made.id, asked) if asked else [],
        linked=appeals.linked_with(session, proposal.id) if proposal is not None else [],
        history=[corrections.story(session, each) for each in corrections.history(session, made.id)],
        form=request.form,
        **refused(refusal),
    ), status(refusal)


@blueprint.post(_PATH)
def propose_key(slug: str, number: int) -> Answer:
    made, who = round_of(slug, number), staff_session.required().id
    changes = _changes()
    return _act(
        slug,
        number,
        lambda: _propose(made, changes, who),
        _("Proposed. What it would change is being counted; nothing is changed yet."),
    )


def _propose(made: Round, changes: dict[str, Right], who: int) -> None:
    """The proposal, and its links with the accepted appeals about the questions that it changes."""
    form, session, now = request.form, db.session(), clock.now()
    proposal = corrections.propose(
        session,
        made,
        changes,
        now,
        actor_id=who,
        reason=form.get("reason", ""),
        notice=(form.get("notice_title", ""), form.get("notice", "")),
    )
    appeals.link(session, proposal, list(changes), now, who)


@blueprint.post(f"{_PATH}/approve")
def approve_key(slug: str, number: int) -> Answer:
    typed, who = request.form.get("typed", ""), staff_session.required().id
    return _act(
        slug,
        number,
        lambda: corrections.approve(db.session(), _open(slug, number).id, typed, clock.now(), actor_id=who),
        _("Approved. The entries are being scored again."),
    )


@blueprint.post(f"{_PATH}/cancel")
def cancel_key(slug: str, number: int) -> Answer:
    reason, who = request.form.get("cancel_reason", ""), staff_session.required().id
    return _act(
        slug,
        number,
        lambda: corrections.cancel(db.session(), _open(slug, number).id, clock.now(), actor_id=who, reason=reason),
        _("Cancelled. No score was touched."),
    )


@blueprint.post(f"{_PATH}/again")
def try_key_again(slug: str, number: int) -> Answer:
    return _act(
        slug, number, lambda: corrections.try_again(db.session(), _open(slug, number).id), _("It is tried again.")
    )


def _open(slug: str, number: int) -> KeyProposal:
    made: Round = round_of(slug, number)
    found = corrections.open_proposal(db.session(), made.id)
    if found is None:
        raise Refusal("not_found")
    return found


def _act(slug: str, number: int, act: Callable[[], object], done: str) -> Answer:
    try:
        act()
    except Refusal as refusal:
        if refusal.code != "invalid_request":
            raise
        db.session.rollback()
        return _page(slug, number, refusal)
    db.session.commit()
    flash(done, "green")
    return redirect(url_for("organizer.key", slug=slug, number=number), 303)


def _changes() -> dict[str, Right]:
    """Questions at which something was ticked; the others keep their key."""
    form = request.form
    asked = {name.partition("-")[2] for name in form if name.startswith(("right-", "void-"))}
    return {
        question: Right(
            options=tuple(form.getlist(f"right-{question}")),
            keep=f"keep-{question}" in form,
            void=f"void-{question}" in form,
        )
        for question in asked
    }
