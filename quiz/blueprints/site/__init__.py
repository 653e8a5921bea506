"""What everybody may see: home, the rounds and their rules, what is kept of a person, the choice of language."""

from quiz.blueprints.site.views import blueprint

__all__ = ["blueprint"]
