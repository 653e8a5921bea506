"""Small rounds worked out by hand: set up, played and made final through the services, as people would."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from redis import Redis
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from quiz import clock
from quiz.extensions import Platform
from quiz.intake.calls import Starter
from quiz.intake.season import RoundCard
from quiz.models import Round, Unit, User
from quiz.services import papers, questions, season, steps
from quiz.services.papers import Desk, Sheet, ShownQuestion
from quiz.services.questions import OptionDraft, QuestionDraft
from scoring import finalize, sweeper
from tests.published import Published
from tests.scoring.conftest import drain

RIGHT = "đúng"
BIRTH_YEAR = 1990


@dataclass(frozen=True)
class Play:
    """One attempt: handed in so many ms after the opening, with so many right answers."""

    who: str
    at: int
    right: int
    prediction: int | None = None
    takes: int = 500
    """ms from the start to the hand-in."""
    answered: int | None = None
    """Only so many questions; None: all."""


def bank(count: int, options: int, most_right: int) -> list[QuestionDraft]:
    """Questions with 1 to `most_right` right options, in turn, of two topics and two difficulties."""
    return [
        QuestionDraft(
            text=f"Câu hỏi {number}?",
            options=tuple(
                OptionDraft(
                    f"{number}.{place} {RIGHT if place <= number % most_right else 'sai'}", place <= number % most_right
                )
                for place in range(options)
            ),
            topic="chẵn" if number % 2 == 0 else "lẻ",
            difficulty=1 + number // 2 % 2,
        )
        for number in range(count)
    ]


def options_of(question: ShownQuestion, *, right: bool) -> list[str]:
    """Ids of the right options, known by their texts alone; or a wrong answer."""
    wanted = [option.id for option in question.options if option.text.endswith(RIGHT)]
    if right:
        return wanted
    # It lacks one right option, or is another one: nearly right is wrong as well.
    return wanted[1:] or [next(option.id for option in question.options if option.id not in wanted)]


class Golden:
    """A contest in the tables and in intake, and its first round to play in."""

    def __init__(
        self,
        platform: Platform,
        session: Session,
        contest: Published,
        people: Sequence[User],
        most_right: int = 1,
        *,
        written: Callable[[dict[str, int]], None] | None = None,
        questions_of: int = 40,
    ) -> None:
        """Args: written: writes the rules into the drafts itself, given the ids of the people; else they are made so.

        questions_of: so many questions in the bank.
        """
        self._platform, self._session = platform, session
        self._desk = Desk(platform.gateway, platform.signer, 0, platform.season)
        session.add_all(people)
        session.flush()
        for person in people:
            person.person_id = person.id
        self.people = {person.full_name: person.id for person in people}
        self._unit = people[0].unit_id or 0
        self._questions = questions_of
        self.rounds = self._set_up(contest, most_right, written)
        session.commit()
        season.prime_all(session, self._intake, contest.start)
        session.commit()
        platform.season.forget()
        self.card: RoundCard = platform.season.get().rounds[self.rounds[0].id]

    @property
    def _intake(self) -> Redis:
        return self._platform.gateway.client

    def _set_up(
        self, published: Published, most_right: int, written: Callable[[dict[str, int]], None] | None
    ) -> list[Round]:
        session, before = self._session, published.start - timedelta(days=30)
        contest = season.create_contest(session, "cuoc-thi", published.title, before, current=True)
        start = published.start
        calendar = season.plan(
            start, start.weekday(), start.hour, published.rounds, length=published.length,
            every_days=published.every_days,
        )  # fmt: skip
        made = [
            season.create_round(
                session, contest, number, f"Kỳ {number}", opens, closes, {} if written else published.rules,
                windows=published.windows(opens) if published.windows else None, shards=2,
            )
            for number, (opens, closes) in enumerate(calendar, 1)
        ]  # fmt: skip
        if written is not None:
            session.commit()
            written(self.people)
            session.expire_all()
        questions.add_questions(session, made[0], bank(self._questions, published.options, most_right), before)
        season.freeze_bank(session, made[0], before)
        season.schedule_round(session, made[0], before)
        return made

    def play(self, played: Play) -> None:
        """Start and hand in; the right answers are known by the texts of the options alone."""
        started_at = self.card.opens + played.at - played.takes
        who = Starter(self.people[played.who], self._unit, 0)
        started = papers.start(self._desk, self.card, who, max(self.card.opens, started_at), lambda: self._session)
        shown = papers.shown_questions(self._desk, self.card, started.paper)
        answers = {
            question.id: options_of(question, right=place < played.right)
            for place, question in enumerate(shown[: played.answered])
        }
        sheet = Sheet(started.token, answers, played.prediction)
        papers.hand_in(self._desk, sheet, None, who.participant, self.card.opens + played.at, lambda: self._session)

    def walk(self, who: str, paces: Sequence[int], handed_in: bool = True) -> None:
        """Take a paper question by question from the opening on, each answer right and so many ms after its question.

        The sheet is handed in with the last answer, or, where somebody goes away, by the sweeper.
        """
        now = self.card.opens
        starter = Starter(self.people[who], self._unit, 0)
        token = papers.start(self._desk, self.card, starter, now, lambda: self._session).token
        for pace in paces:
            standing = steps.take(self._desk, token, None, None, starter.participant, now)
            question = standing.question
            assert question is not None
            now += pace
            given = {question.id: options_of(question, right=True)}
            steps.take(self._desk, token, given, None, starter.participant, now)
        if handed_in:
            papers.hand_in(self._desk, Sheet(token, {}), None, starter.participant, now, lambda: self._session)

    def settle(self) -> int:
        """What the sweeper does once every deadline of the opening has passed."""
        over = clock.from_ms(self.card.opens + self.card.limit + self.card.grace + 1)
        return sweeper.settle_overdue(self._platform.gateway, self._platform.signer, [self.card], over)

    def make_final(self) -> None:
        drain(self._platform, self.card)
        after = clock.from_ms(self.card.closes + self.card.grace + self.card.late + 1_000)
        assert finalize.obstacle(self._session, self._intake, self.card, after) is None
        assert finalize.finalize_round(self._session, self.card.id, after)
        self._session.commit()

    def ranks(self) -> dict[str, tuple[int, int, int]]:
        """Name → (rank, attempt that counts, score), as the tables have it."""
        names = {number: name for name, number in self.people.items()}
        rows = self._session.execute(
            text("SELECT person_id, rank, attempt, score FROM standing WHERE round_id = :id ORDER BY rank, person_id"),
            {"id": self.card.id},
        )
        return {names[row[0]]: (row[1], row[2], row[3]) for row in rows}

    def scores(self) -> dict[str, tuple[int, int]]:
        """Name → (points, right questions) of the standing, final or not."""
        names = {number: name for name, number in self.people.items()}
        rows = self._session.execute(
            text("SELECT person_id, score, correct FROM standing WHERE round_id = :id"), {"id": self.card.id}
        )
        return {names[row[0]]: (row[1], row[2]) for row in rows}


def person(session: Session, name: str, birth_year: int | None = BIRTH_YEAR, barred: datetime | None = None) -> User:
    unit = session.scalars(select(Unit.id).order_by(Unit.id).limit(1)).one()
    return User(
        person_id=0, full_name=name, unit_id=unit, birth_year=birth_year, created_at=clock.from_ms(0),
        barred_at=barred, barred_reason=None if barred is None else "Ban Tổ chức",
    )  # fmt: skip
