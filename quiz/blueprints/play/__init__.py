"""Taking part: starting, the paper, handing in, the receipt with its result, the own history."""

from quiz.blueprints.play import appeals, entries, paper
from quiz.blueprints.play.blueprint import blueprint

__all__ = ["appeals", "blueprint", "entries", "paper"]
