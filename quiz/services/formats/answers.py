"""How people write which option is right, how hard a question is, and yes and no."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from quiz.services.formats.drafts import DIFFICULTIES, LETTERS, letter
from quiz.services.vietnamese import fold

_LEAD = re.compile(
    r"^(?:phương án|đáp án|lựa chọn|câu|chọn|ý|option|answer|choice)\s*(?:đúng|là)?\s*:?\s+", re.IGNORECASE
)
_JOINTS = re.compile(r"(?:[\s,;/+&.)\-]|\bvà\b|\band\b)+", re.IGNORECASE)
_LETTER_THEN_TEXT = re.compile(rf"^([{LETTERS}])\s*[.):\-]\s*(.+)$", re.IGNORECASE | re.DOTALL)

_DIFFICULTY_WORDS = {
    "rat de": 1,
    "de": 2,
    "trung binh": 3,
    "vua": 3,
    "kho": 4,
    "rat kho": 5,
    # the levels that schools and exam boards use
    "nhan biet": 1,
    "thong hieu": 2,
    "van dung": 3,
    "van dung thap": 3,
    "van dung cao": 4,
    "nb": 1,
    "th": 2,
    "vd": 3,
    "vdc": 4,
    "very easy": 1,
    "easy": 2,
    "medium": 3,
    "hard": 4,
    "difficult": 4,
    "very hard": 5,
    "very difficult": 5,
}
_YES = frozenset(["x", "v", "co", "dung", "yes", "y", "true", "1", "nhieu", "✓", "✔", "✗"])
_NO = frozenset(["", "khong", "no", "n", "false", "0", "sai", "mot"])


def right_places(value: str, options: Sequence[str]) -> list[int] | None:
    """The places of the options that a cell or a line names as right, from 0; None if it can't be told.

    Letters (`B`, `A, C`, `B. Hà Nội`), numbers (`2`) and the option's own text are understood.
    """
    value = unicodedata.normalize("NFC", value).strip()
    texts = [unicodedata.normalize("NFC", option).casefold() for option in options]
    if (place := _letter(value)) is not None:
        return [place] if place < len(options) else None
    if texts.count(value.casefold()) == 1:
        return [texts.index(value.casefold())]
    plain = _LEAD.sub("", value)
    return _listed(plain, len(options)) or _lettered_text(plain, texts)


def _letter(value: str) -> int | None:
    return LETTERS.find(value.upper()) if len(value) == 1 and value.upper() in LETTERS else None


def _listed(value: str, count: int) -> list[int] | None:
    marks = [mark for mark in _JOINTS.split(value) if mark]
    if len(marks) == 1 and marks[0].isalpha() and marks[0].isupper():
        marks = list(marks[0])  # "ACD"
    places: list[int] = []
    for mark in marks:
        place = int(mark) - 1 if mark.isascii() and mark.isdigit() and len(mark) < 3 else _letter(mark)
        if place is None or not 0 <= place < count or place in places:
            return None
        places.append(place)
    return sorted(places) or None


def _lettered_text(value: str, texts: Sequence[str]) -> list[int] | None:
    """`B. Hà Nội`: the letter counts only if the text is that option's."""
    if not (found := _LETTER_THEN_TEXT.match(value)):
        return None
    place = LETTERS.index(found[1].upper())
    return [place] if place < len(texts) and texts[place] == found[2].strip().casefold() else None


def right_letters(places: Sequence[int]) -> str:
    return ", ".join(letter(place) for place in places)


def difficulty_of(value: str) -> int | None:
    """1 to 5 from a number or a word; None if it is neither."""
    number = re.match(r"^(\d)(?:[.,]0+)?(?:\s*/\s*5)?$", value.strip())
    found = int(number[1]) if number else _DIFFICULTY_WORDS.get(fold(value))
    return found if found in DIFFICULTIES else None


def yes_or_no(value: str) -> bool | None:
    word = fold(value) or value.strip()
    if word in _YES:
        return True
    return False if word in _NO else None


def split_tags(value: str) -> list[str]:
    """Tags of one cell, separated by ; or , unless a backslash stands before it."""
    parts = re.findall(r"(?:\\.|[^\\;,]|\\$)+", value, re.DOTALL)
    return [re.sub(r"\\([\\;,])", r"\1", part) for part in parts]


def join_tags(tags: Sequence[str]) -> str:
    return "; ".join(re.sub(r"([\\;,])", r"\\\1", tag) for tag in tags)
