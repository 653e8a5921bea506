"""The rules of a round in words: what participants read as its Thể lệ, and organizers beside the form.

Every sentence comes from a field of the document, so the text can't say anything else than what is applied.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from flask_babel import gettext, ngettext

from quiz import wording
from scoring.rules import DrawPart, Rules, rules_from


def paragraph(rules: Rules) -> str:
    """All of it in one piece."""
    return " ".join([*sentences(rules), *releases(rules)])


def stored(document: Mapping[str, Any]) -> str:
    """The paragraph of a round's stored document."""
    return paragraph(rules_from(document))


def sentences(rules: Rules) -> list[str]:
    """How to take part, what counts, who ranks before whom and who may take part."""
    return [*_papers(rules), *_points(rules), *_prediction(rules), *_ranking(rules), *_late(rules), *_people(rules)]


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
    if rules.draw:
        parts = "; ".join(_part(part) for part in rules.draw)
        yield gettext("Each attempt draws %(count)s questions by lot: %(parts)s.", count=rules.questions, parts=parts)
    else:
        yield gettext("Each attempt draws %(count)s questions of the week's theme by lot.", count=rules.questions)
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


def _people(rules: Rules) -> Iterator[str]:
    youngest, oldest = rules.min_age, rules.max_age
    if youngest is None and oldest is None:
        return
    if youngest is not None and oldest is not None:
        yield gettext("Open to people from %(low)s to %(high)s years of age.", low=youngest, high=oldest)
    elif youngest is not None:
        yield gettext("Open to people from %(age)s years of age.", age=youngest)
    else:
        yield gettext("Open to people up to %(age)s years of age.", age=oldest)
    yield gettext("Age is this year less the year of birth.")
