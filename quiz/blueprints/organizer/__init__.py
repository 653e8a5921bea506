"""The screens of staff: entrance, log, people, calendar, results. Who may call what stands in quiz/audiences.py."""

from quiz.blueprints.organizer import (  # noqa: F401 - they bind their views
    announcing,
    appeals,
    awards,
    barred,
    calendar,
    corrections,
    entrance,
    log,
    people,
    question_files,
    questions,
    ranking,
    results,
    rules,
    signals,
    targets,
    windows,
)
from quiz.blueprints.organizer.blueprint import blueprint

__all__ = ["blueprint"]
