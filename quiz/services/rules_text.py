"""The rules of a round in words: what participants read as its Thể lệ, and organizers beside the form.

Every sentence comes from a field of the document, so the text can't say anything else than what is applied.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from flask_babel import gettext, ngettext

from quiz import wording
from quiz.services import member_kinds
from scoring.rules import COLLECTIVE_BY, LEVELS, RANKING_KEYS, Bracket, DrawPart, Prize, Rules, rules_from

Names = Mapping[str, str]
"""Unit code → name; a code that is not in it is shown as it is."""


def paragraph(rules: Rules, names: Names | None = None) -> str:
    """All of it in one piece."""
    return " ".join([*sentences(rules, names), *prizes(rules), *releases(rules)])


def stored(document: Mapping[str, Any], names: Names | None = None) -> str:
    """The paragraph of a round's stored document."""
    return paragraph(rules_from(document), names)


def sentences(rules: Rules, names: Names | None = None) -> list[str]:
    """How to take part, what counts, who ranks before whom and who may take part."""
    said = [*_papers(rules), *_points(rules), *_prediction(rules), *_ranking(rules), *_late(rules)]
    return [*said, *_people(rules, names or {})]


def prizes(rules: Rules) -> list[str]:
    """The prizes in their order, and how many of them one may get."""
    return [*(_prize(rules, prize) for prize in rules.prizes), *_prize_caps(rules)]


def bracket_names(document: Mapping[str, Any]) -> dict[str, str]:
    """Key → name of the brackets of a round's stored document."""
    return {bracket.key: bracket.name for bracket in rules_from(document).brackets}


def in_parts(document: Mapping[str, Any], names: Names | None = None) -> dict[str, list[str]]:
    """What the paragraph says of a stored document, a sentence each: `sentences`, `prizes` and `releases`."""
    rules = rules_from(document)
    return {"sentences": sentences(rules, names), "prizes": prizes(rules), "releases": releases(rules)}


def unit_codes_of(document: Mapping[str, Any]) -> set[str]:
    return unit_codes(rules_from(document))


def unit_codes(rules: Rules) -> set[str]:
    """Codes of all units that the rules speak of: whoever shows the text looks their names up."""
    return set(rules.eligible_units).union(*(bracket.units for bracket in rules.brackets))


def releases(rules: Rules, closes: int | None = None) -> list[str]:
    """When people learn the score and the right answers.

    Args:
        closes: the close of the round in ms, where it is known; it is then said with its time.
    """
    when = gettext("after the week has closed")
    if closes is not None:
        when = gettext("after the week has closed, at %(time)s", time=wording.moment(closes))
    score = gettext("at once") if rules.release.score == "at_once" else when
    key = gettext("when the results are published") if rules.release.key == "after_publish" else when
    return [
        gettext("You learn your score %(when)s.", when=score),
        gettext("The right answers are not published.")
        if rules.release.key == "never"
        else gettext("You see the right answers %(when)s.", when=key),
    ]


def _papers(rules: Rules) -> Iterator[str]:
    if rules.fixed:
        yield gettext("Each attempt has the same %(count)s questions, in the same order.", count=rules.questions)
    elif rules.draw:
        parts = "; ".join(_part(part) for part in rules.draw)
        yield gettext("Each attempt draws %(count)s questions by lot: %(parts)s.", count=rules.questions, parts=parts)
    else:
        yield gettext("Each attempt draws %(count)s questions of the week's theme by lot.", count=rules.questions)
    if rules.seconds_per_question is not None:
        yield gettext(
            "The questions come one by one; you have %(each)s for each, %(time)s in all, by the server's clock.",
            each=wording.duration(rules.seconds_per_question * 1000),
            time=wording.duration(rules.seconds * 1000),
        )
    else:
        yield gettext(
            "You have %(time)s for them, from the moment you start, by the server's clock.",
            time=wording.duration(rules.seconds * 1000),
        )
    yield gettext("When the time is over, the sheet is handed in by itself with what you answered until then.")
    if rules.cap is None:
        yield gettext("You may take part as often as you like.")
    elif rules.cap == 1:
        yield gettext("You may take part once.")
    else:
        yield gettext("You may take part up to %(count)s times.", count=rules.cap)


def _part(part: DrawPart) -> str:
    count = str(ngettext("%(num)d question", "%(num)d questions", part.count))
    if part.topic is not None:
        count = gettext("%(questions)s of the topic “%(topic)s”", questions=count, topic=part.topic)
    if part.difficulty is not None:
        count = gettext("%(questions)s of difficulty %(level)s", questions=count, level=part.difficulty)
    if part.topic is None and part.difficulty is None:
        count = gettext("%(questions)s of any kind", questions=count)
    return count


def _points(rules: Rules) -> Iterator[str]:
    yield gettext("A question is right when all its right options were chosen and no other.")
    yield ngettext("A right answer gives %(num)d point.", "A right answer gives %(num)d points.", rules.points)
    if rules.complete_only:
        yield gettext("A sheet with an unanswered question gets no points.")
    if rules.cap == 1:
        return
    yield {
        "best": gettext("Of your entries the best one counts."),
        "first": gettext("Of your entries the first one counts."),
        "last": gettext("Of your entries the last one counts."),
    }[rules.which]


def _prediction(rules: Rules) -> Iterator[str]:
    if rules.prediction is None:
        return
    yield gettext("At the end there is a prediction: “%(text)s”", text=rules.prediction.text)
    if "prediction_gap" in rules.ranking:
        yield gettext("Whoever predicts nothing ranks behind all who do where the prediction decides.")


def _ranking(rules: Rules) -> Iterator[str]:
    # Without a prediction its gap is the same for all and can't decide.
    names = [name for name in rules.ranking if name != "prediction_gap" or rules.prediction is not None]
    if not names:
        yield gettext("Nobody is ranked before another.")
        return
    if len(names) == 1:
        yield gettext("What decides on the rank is %(key)s alone.", key=ranking_key(names[0]))
    else:
        keys = "; ".join(ranking_key(name) for name in names)
        yield gettext("These decide on the rank, one after the other: %(keys)s.", keys=keys)
    if "lot" not in names:
        yield gettext("Whoever can't be told apart by this shares a rank.")


def ranking_keys() -> tuple[str, ...]:
    """All there are."""
    return RANKING_KEYS


def ranking_key(name: str) -> str:
    """A key of the ranking as the side that is better for it."""
    words: dict[str, str] = {
        "score": gettext("more points"),
        "correct": gettext("more right answers"),
        "prediction_gap": gettext("the nearer prediction"),
        "received_at": gettext("the earlier hand-in"),
        "received_second": gettext("the earlier hand-in, to the second"),
        "duration": gettext("the shorter time"),
        "attempts": gettext("fewer attempts"),
        "lot": gettext("the draw of lots"),
    }
    return words[name]


def _late(rules: Rules) -> Iterator[str]:
    minutes = rules.late.accept_minutes
    if not minutes:
        return
    if rules.late.counts == "participation":
        yield ngettext(
            "A sheet that comes in up to %(num)d minute late counts as taking part, with no points.",
            "A sheet that comes in up to %(num)d minutes late counts as taking part, with no points.",
            minutes,
        )
    else:
        yield ngettext(
            "A sheet that comes in up to %(num)d minute late is kept, but does not count.",
            "A sheet that comes in up to %(num)d minutes late is kept, but does not count.",
            minutes,
        )


def _people(rules: Rules, names: Names) -> Iterator[str]:
    if (ages := _ages(rules.min_age, rules.max_age)) is not None:
        yield gettext("Open to people %(ages)s.", ages=ages)
    if rules.eligible_kinds:
        yield gettext("Open to: %(kinds)s.", kinds=_kinds(rules.eligible_kinds))
    if rules.eligible_units:
        yield gettext("Open to people of: %(units)s.", units=_units(rules.eligible_units, names))
    if rules.barred_kinds:
        yield gettext("Not open to: %(kinds)s.", kinds=_kinds(rules.barred_kinds))
    if rules.brackets:
        parts = "; ".join(_bracket(bracket, names) for bracket in rules.brackets)
        yield gettext("People are also ranked in brackets, each in the first that fits: %(brackets)s.", brackets=parts)
    limits = [(rules.min_age, rules.max_age), *((bracket.min_age, bracket.max_age) for bracket in rules.brackets)]
    if any(low or high for low, high in limits):
        yield gettext("Age is this year less the year of birth.")


def _ages(youngest: int | None, oldest: int | None) -> str | None:
    if youngest is not None and oldest is not None:
        return str(gettext("from %(low)s to %(high)s years of age", low=youngest, high=oldest))
    if youngest is not None:
        return str(gettext("from %(age)s years of age", age=youngest))
    return None if oldest is None else str(gettext("up to %(age)s years of age", age=oldest))


def _kinds(kinds: Iterable[str]) -> str:
    return "; ".join(str(member_kinds.ALL[kind]) for kind in kinds)


def _units(codes: Iterable[str], names: Names) -> str:
    return ", ".join(names.get(code, code) for code in codes)


def _bracket(bracket: Bracket, names: Names) -> str:
    """“Sinh viên” (from 18 to 25 years of age; student)"""
    asked = []
    if bracket.units:
        units = _units(bracket.units, names)
        outside = gettext("outside of %(units)s", units=units)
        asked.append(outside if bracket.outside else gettext("inside %(units)s", units=units))
    if (ages := _ages(bracket.min_age, bracket.max_age)) is not None:
        asked.append(ages)
    if bracket.kinds:
        asked.append(", ".join(str(member_kinds.KINDS[kind]) for kind in bracket.kinds))
    people = "; ".join(asked) if asked else gettext("everybody else")
    return f"“{bracket.name}” ({people})"


def _prize(rules: Rules, prize: Prize) -> str:
    count = str(ngettext("%(num)d prize", "%(num)d prizes", prize.count))
    said = gettext("%(name)s: %(count)s", name=prize.name, count=count)
    if prize.value:
        said = gettext("%(prize)s of %(value)s đồng each", prize=said, value=wording.number(prize.value))
    if prize.kind == "collective" and prize.by is not None and prize.level is not None:
        said = gettext("%(prize)s, for %(units)s %(by)s", prize=said, units=level(prize.level), by=collective(prize.by))
        if prize.min_participants:
            said = gettext(
                "%(prize)s, from %(count)s people on", prize=said, count=wording.number(prize.min_participants)
            )
    elif prize.kind == "spreading":
        said = gettext("%(prize)s, for spreading the contest", prize=said)
    if prize.bracket is not None:
        name = next(bracket.name for bracket in rules.brackets if bracket.key == prize.bracket)
        said = gettext("%(prize)s, for the bracket “%(name)s”", prize=said, name=name)
    return f"{said}."


def levels() -> list[tuple[str, str]]:
    """Each with its word, for a form."""
    return [(word, level(word)) for word in LEVELS]


def collectives() -> list[tuple[str, str]]:
    return [(word, collective(word)) for word in COLLECTIVE_BY]


def level(word: str) -> str:
    """Which units a collective prize is for."""
    words: dict[str, str] = {
        "province": gettext("provinces"),
        "union": gettext("attached unions"),
        "commune": gettext("communes"),
    }
    return words[word]


def collective(word: str) -> str:
    """What units are compared by."""
    words: dict[str, str] = {
        "participants": gettext("with the most people taking part"),
        "member_share": gettext("with the greatest share of their members taking part"),
        "perfect_papers": gettext("with the most papers that are all right"),
    }
    return words[word]


def _prize_caps(rules: Rules) -> Iterator[str]:
    caps = rules.prize_caps
    if caps.person_round is not None:
        yield ngettext(
            "Nobody gets more than %(num)d prize in a week.",
            "Nobody gets more than %(num)d prizes in a week.",
            caps.person_round,
        )
    if caps.person_season is not None:
        yield ngettext(
            "Nobody gets more than %(num)d prize in the whole contest.",
            "Nobody gets more than %(num)d prizes in the whole contest.",
            caps.person_season,
        )
    if caps.unit_round is not None:
        yield ngettext(
            "No more than %(num)d prize of a week goes to one province or attached union.",
            "No more than %(num)d prizes of a week go to one province or attached union.",
            caps.unit_round,
        )
    if caps.unit_season is not None:
        yield ngettext(
            "No more than %(num)d prize of the whole contest goes to one province or attached union.",
            "No more than %(num)d prizes of the whole contest go to one province or attached union.",
            caps.unit_season,
        )
