"""Boards of provinces and unions, of communes, of people."""

from quiz.blueprints.boards.views import blueprint

__all__ = ["blueprint"]
