"""What everybody may see: home, the rounds and their rules, winners, what is kept of a person, the language."""

from quiz.blueprints.site import awards  # noqa: F401 - it binds its views
from quiz.blueprints.site.views import blueprint

__all__ = ["blueprint"]
