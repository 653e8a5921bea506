"""The season: contests, their rounds, frozen banks, and how they get from the tables into intake.

The functions that write tables leave the commit to the caller; `publish` and the priming ones come after it, for they
copy what is committed.
"""

from quiz.services.season.banks import MAX_OPTIONS, freeze_bank
from quiz.services.season.calendar import Move, copy_move, copy_times, move, plan, preview_move
from quiz.services.season.cards import contest_cards, homes_of, parts_of, publish, round_card, strata_of
from quiz.services.season.contests import create_contest, create_round, schedule_round
from quiz.services.season.planning import (
    Fixed,
    add_rounds,
    change_round,
    daily_windows,
    fixed_parts,
    make_contest,
    publish_round,
    question_count,
    rules_of_template,
    rules_to_begin_with,
)
from quiz.services.season.priming import prime_all, prime_round
from quiz.services.season.rules import OPEN_MAY_CHANGE, change_rules, change_template, checked, may_change
from quiz.services.season.templates import TEMPLATES, Template

__all__ = [
    "MAX_OPTIONS",
    "OPEN_MAY_CHANGE",
    "TEMPLATES",
    "Fixed",
    "Move",
    "Template",
    "add_rounds",
    "change_round",
    "change_rules",
    "change_template",
    "checked",
    "contest_cards",
    "copy_move",
    "copy_times",
    "create_contest",
    "create_round",
    "daily_windows",
    "fixed_parts",
    "freeze_bank",
    "homes_of",
    "make_contest",
    "may_change",
    "move",
    "parts_of",
    "plan",
    "preview_move",
    "prime_all",
    "prime_round",
    "publish",
    "publish_round",
    "question_count",
    "round_card",
    "rules_of_template",
    "rules_to_begin_with",
    "schedule_round",
    "strata_of",
]
