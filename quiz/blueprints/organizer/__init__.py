"""The screens of staff: entrance, log, people, calendar, results. Who may call what stands in quiz/audiences.py."""

from quiz.blueprints.organizer import calendar, entrance, log, people, questions  # noqa: F401 - they bind their views
from quiz.blueprints.organizer.blueprint import blueprint

__all__ = ["blueprint"]
