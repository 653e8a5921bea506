"""The form of a round's rules, and of those that a contest's rounds begin with.

The buttons inside it (a row more, a row less, up, down, preview) send the form and get it back as it stands then; the
script of the page does the same in the background.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from quiz import clock, staff_session
from quiz.blueprints.organizer.blueprint import Answer, blueprint, refused, status
from quiz.blueprints.organizer.calendar import contest_of, prime, publish_season, round_of
from quiz.errors import FieldError, Refusal
from quiz.extensions import db, platform
from quiz.models import Contest, Round
from quiz.phases import Phase
from quiz.services import board_pages, contest_bars, member_kinds, rules_form, rules_problems, rules_text, season
from quiz.services.rules_form import State

# Of a round


@blueprint.get("/contests/<slug>/rounds/<int:number>/rules")
def round_rules(slug: str, number: int) -> Answer:
    made = round_of(contest_of(slug), number)
    return _round_page(made, rules_form.state_of(made.rules))


@blueprint.post("/contests/<slug>/rounds/<int:number>/rules")
def keep_round_rules(slug: str, number: int) -> Answer:
    session, now = db.session(), clock.now()
    made = round_of(contest_of(slug), number)
    state = rules_form.state_from(request.form, made.rules)
    if "act" in request.form:
        return _acted(state, made)
    try:
        names = season.change_rules(session, made, rules_form.document_of(state), now, staff_session.required().id)
        session.commit()
    except Refusal as refusal:
        session.rollback()
        return _round_page(round_of(contest_of(slug), number), state, refusal)
    if names:
        _spread([made])
    flash(_("The rules are kept.") if names else _("Nothing was changed."), "green")
    return redirect(url_for("organizer.round_page", slug=slug, number=number), 303)


def _acted(state: State, made: Round) -> Answer:
    rules_form.act(state, request.form.get("act", ""), request.form.get("ranking.more", ""))
    return _round_page(made, state, _looked_at(state))


def _round_page(made: Round, state: State, refusal: Refusal | None = None) -> Answer:
    may = season.may_change(made, clock.now())
    return _page(
        state,
        refusal,
        may,
        contest=made.contest,
        round=made,
        phase=made.phase(clock.now()).value,
        back=url_for("organizer.round_page", slug=made.contest.slug, number=made.number),
        here=url_for("organizer.keep_round_rules", slug=made.contest.slug, number=made.number),
    )


# Of a contest


@blueprint.get("/contests/<slug>/rules")
def contest_rules(slug: str) -> Answer:
    contest = contest_of(slug)
    return _contest_page(contest, rules_form.state_of(season.rules_to_begin_with(contest)))


@blueprint.post("/contests/<slug>/rules")
def keep_contest_rules(slug: str) -> Answer:
    session, now, contest = db.session(), clock.now(), contest_of(slug)
    state = rules_form.state_from(request.form, season.rules_to_begin_with(contest))
    if "act" in request.form:
        rules_form.act(state, request.form.get("act", ""), request.form.get("ranking.more", ""))
        return _contest_page(contest, state, _looked_at(state))
    try:
        rounds = season.change_template(
            session, contest, rules_form.document_of(state), now, staff_session.required().id
        )
        session.commit()
    except Refusal as refusal:
        session.rollback()
        return _contest_page(contest_of(slug), state, refusal)
    _spread(rounds)
    flash(
        ngettext(
            "The rules are kept; %(num)d round that has not opened has them now.",
            "The rules are kept; %(num)d rounds that have not opened have them now.",
            len(rounds),
        ),
        "green",
    )
    return redirect(url_for("organizer.contest", slug=slug), 303)


def _contest_page(contest: Contest, state: State, refusal: Refusal | None = None) -> Answer:
    now = clock.now()
    waiting = [made for made in contest.rounds if made.phase(now) in (Phase.DRAFT, Phase.SCHEDULED)]
    return _page(
        state,
        refusal,
        None,
        contest=contest,
        round=None,
        waiting=len(waiting),
        back=url_for("organizer.contest", slug=contest.slug),
        here=url_for("organizer.keep_contest_rules", slug=contest.slug),
    )


# Both


def _looked_at(state: State) -> Refusal | None:
    """What is wrong with the form as it stands, while it is still being filled in."""
    wrong = rules_form.problems(rules_form.document_of(state))
    if not wrong:
        return None
    return Refusal("invalid_request", errors=tuple(FieldError(name, said) for name, said in wrong.items()))


def _page(state: State, refusal: Refusal | None, may: Iterable[str] | None, **more: Any) -> Answer:
    """Args: may: the fields that may still change; None: all."""
    acting = "act" in request.form
    document = rules_form.document_of(state)
    bracket_names = {row["key"]: row.get("name", "") for row in state.rows["brackets"] if row.get("key")}
    allowed = None if may is None else set(may)
    why = refused(refusal)
    page = render_template(
        "organizer/rules.html",
        state=state,
        preview=_preview(document),
        open_parts={
            part: allowed is None or not allowed.isdisjoint(fields) for part, fields in rules_form.SECTIONS.items()
        },
        labels=rules_problems.LABELS,
        label=rules_problems.label,
        kinds=member_kinds.KINDS,
        functions=member_kinds.FUNCTIONS,
        words=rules_text,
        bracket_names=bracket_names,
        acting=acting,
        problem=why["problem"],
        # The list under the preview names all of them; a row that was just added is not marked before it is filled in.
        lacking=why["errors"],
        errors={name: said for name, said in why["errors"].items() if not name.startswith(_new_row(state))},
        **more,
    )
    return page, 200 if acting else status(refusal)


def _new_row(state: State) -> tuple[str, ...]:
    """How the inputs of the row begin that this request has added; empty if it has added none."""
    verb, _colon, name = request.form.get("act", "").partition(":")
    return (f"{name}.{len(state.rows[name]) - 1}.",) if verb == "add" and name in state.rows else ()


def _preview(document: Mapping[str, Any]) -> dict[str, list[str]] | None:
    """The sentences that participants would read; None while the form is no set of rules yet."""
    if rules_form.problems(document):
        return None
    names = board_pages.names_of(db.session(), sorted(rules_text.unit_codes_of(document)))
    return rules_text.in_parts(document, names)


def _spread(changed: Iterable[Round]) -> None:
    """After the commit: the season to all processes, limits and bars to the shards of those that are scheduled."""
    held, now, contests = platform(), clock.now(), set()
    publish_season()
    for made in changed:
        contests.add(made.contest_id)
        if made.phase(now) is Phase.SCHEDULED:
            prime(made)
    for contest_id in contests:
        contest_bars.spread(db.session(), held.gateway.client, held.season.refresh(), contest_id)
