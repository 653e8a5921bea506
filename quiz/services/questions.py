"""Questions on their way into the tables: drafts from whatever file, checked as a whole, then added to a round."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from quiz.errors import FieldError, Refusal
from quiz.models import Option, Question, Round
from quiz.services.season import MAX_OPTIONS


class OptionDraft(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    text: str
    right: bool = False


class QuestionDraft(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    text: str
    options: tuple[OptionDraft, ...]
    explanation: str | None = None
    source: str | None = None
    topic: str = ""
    difficulty: int = 2
    multiple: bool = False
    """Several options may be chosen though only one is right; with several right ones it is so by itself."""


class BankFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The project's own format, quiz/data/bank/NN.json; `round` and `theme` say what it was written for."""

    questions: tuple[QuestionDraft, ...]
    round: int | None = None
    theme: str | None = None


_decoder = msgspec.json.Decoder(BankFile)


def read_bank_file(raw: bytes) -> BankFile:
    """Raises Refusal (invalid_request), naming the first place that is not as the format wants it."""
    try:
        return _decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refusal("invalid_request", errors=(FieldError("file", str(error)),)) from error


def add_questions(
    session: Session, target: Round, drafts: Sequence[QuestionDraft], now: datetime, *, actor_id: int | None = None
) -> int:
    """Add all drafts to the round's questions, or none. The bank is frozen separately. The caller commits.

    Raises:
        Refusal: invalid_request, naming everything that is wrong with any of them.
    """
    held = set(session.scalars(select(Question.text).where(Question.round_id == target.id)))
    errors = tuple(_problems(drafts, {_plain(text) for text in held}))
    if errors:
        raise Refusal("invalid_request", errors=errors)
    if not drafts:
        return 0
    numbers = select(func.nextval(func.pg_get_serial_sequence("question", "id"))).select_from(
        func.generate_series(1, len(drafts))
    )
    ids = list(session.scalars(numbers))
    session.execute(
        insert(Question), [_question(row, draft, target, now, actor_id) for row, draft in zip(ids, drafts, strict=True)]
    )
    session.execute(
        insert(Option),
        [
            {"question_id": row, "position": position, "text": option.text.strip(), "right": option.right}
            for row, draft in zip(ids, drafts, strict=True)
            for position, option in enumerate(draft.options, 1)
        ],
    )
    return len(ids)


def _question(row: int, draft: QuestionDraft, target: Round, now: datetime, actor_id: int | None) -> dict[str, Any]:
    return {
        "id": row,
        "stem_id": row,
        "version": 1,
        "contest_id": target.contest_id,
        "round_id": target.id,
        "text": draft.text.strip(),
        "multiple": draft.multiple or sum(option.right for option in draft.options) > 1,
        "explanation": draft.explanation,
        "source": draft.source,
        "topic": draft.topic,
        "difficulty": draft.difficulty,
        "tags": [],
        "created_at": now,
        "created_by": actor_id,
    }


@dataclass(frozen=True, slots=True)
class _Rule:
    field: str
    broken: bool
    message: Any


def _problems(drafts: Sequence[QuestionDraft], held: set[str]) -> Iterator[FieldError]:
    times = Counter(_plain(draft.text) for draft in drafts)
    for number, draft in enumerate(drafts, 1):
        for rule in _rules(draft, times, held):
            if rule.broken:
                yield FieldError(f"questions.{number}.{rule.field}", rule.message)


def _rules(draft: QuestionDraft, times: Counter[str], held: set[str]) -> tuple[_Rule, ...]:
    texts = [_plain(option.text) for option in draft.options]
    plain = _plain(draft.text)
    return (
        _Rule("text", not plain, _l("Write the question.")),
        _Rule("text", bool(plain) and times[plain] > 1, _l("This question stands in the file more than once.")),
        _Rule("text", plain in held, _l("The round has this question already.")),
        _Rule("options", not 2 <= len(texts) <= MAX_OPTIONS, _l("A question needs 2 to 16 options.")),
        _Rule("options", not all(texts), _l("An option has no text.")),
        _Rule("options", len(set(texts)) < len(texts), _l("Two options are the same.")),
        _Rule("options", not any(option.right for option in draft.options), _l("Mark the right option.")),
        _Rule("difficulty", not 1 <= draft.difficulty <= 5, _l("The difficulty goes from 1 to 5.")),
    )


def _plain(text: str) -> str:
    """What makes two texts the same: words, whatever the spaces and capitals."""
    return " ".join(text.split()).casefold()
