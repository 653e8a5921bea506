"""Questions that are in a bank twice: the same words, or nearly. Pure: drafts in, pairs out; people decide.

Likeness is the share of words and pairs of neighbouring words that two texts have in common (Jaccard's index). Two
texts with different numbers are different questions, however much else they share: the bank is full of
"Quốc hội khóa I…" and "Quốc hội khóa II…".
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from quiz.services.formats import QuestionDraft
from quiz.services.formats.drafts import same

NEARLY = 0.6
NEARLY_WITH_THE_SAME_ANSWER = 0.4
"""Reworded questions reach these, and hardly any two of the demo's bank, which were written to differ: see the test."""

_WORD = re.compile(r"\w+")
_ROMAN = re.compile(r"X{0,3}(?:IX|IV|V?I{0,3})")
_ROMAN_VALUES = {"I": 1, "V": 5, "X": 10}
_TONES = frozenset("\u0300\u0301\u0303\u0309\u0323")
_Y_OR_I = re.compile(r"^[hklmst]y$|^quy$")
"""Syllables that are written with either: lý, lí."""


class Kind(StrEnum):
    SAME = "same"
    """The same text and the same options."""
    SAME_TEXT = "same_text"
    """The same text with other options: often a question like "Phát biểu nào đúng?"."""
    NEAR = "near"


@dataclass(frozen=True, slots=True)
class Twin:
    """Two questions that look like one. Places count from 0, first those looked at, then those that are known."""

    first: int
    second: int
    kind: Kind
    likeness: float


@dataclass(frozen=True, slots=True)
class _Text:
    key: str
    features: frozenset[str]
    numbers: frozenset[str]
    options: frozenset[str]
    rights: frozenset[str]


def find(questions: Sequence[QuestionDraft], known: Sequence[QuestionDraft] = ()) -> list[Twin]:
    """Pairs among `questions`, and between them and `known`; the likest first.

    Args:
        known: questions that were compared with each other before, as those of the bank when a file comes in.
    """
    texts = [_text(question) for question in (*questions, *known)]
    twins = [*_same(texts, len(questions)), *_near(texts, len(questions))]
    return sorted(twins, key=lambda twin: (-twin.likeness, twin.first, twin.second))


def words(text: str) -> list[str]:
    """The words of a text as they are compared: whatever the case, the signs and the place of the tone.

    >>> words("Hoà bình, khóa II; 06/01") == words("hòa bình khoá 2: 6-1")
    True
    """
    return [_word(word) for word in _WORD.findall(unicodedata.normalize("NFC", text))]


def _word(word: str) -> str:
    if word.isdecimal():
        return str(int(word)) if len(word) < 20 else word
    if _ROMAN.fullmatch(word):
        return str(_from_roman(word))
    decomposed = unicodedata.normalize("NFD", word.casefold())
    letters = "".join(char for char in decomposed if char not in _TONES)
    tones = "".join(char for char in decomposed if char in _TONES)
    if _Y_OR_I.match(letters):
        letters = f"{letters[:-1]}i"
    return letters + tones


def _from_roman(word: str) -> int:
    values = [_ROMAN_VALUES[char] for char in word]
    return sum(-value if value < after else value for value, after in pairwise([*values, 0]))


def _text(question: QuestionDraft) -> _Text:
    found = words(question.text)
    pairs = (f"{one} {other}" for one, other in pairwise(found))
    return _Text(
        key=" ".join(found) or same(question.text),
        features=frozenset([*found, *pairs]),
        numbers=frozenset(word for word in found if word.isdecimal()),
        options=frozenset(same(option.text) for option in question.options),
        rights=frozenset(" ".join(words(option.text)) for option in question.options if option.right),
    )


def _same(texts: Sequence[_Text], looked_at: int) -> Iterator[Twin]:
    places: dict[str, list[int]] = defaultdict(list)
    for place, text in enumerate(texts):
        for other in places[text.key]:
            if other < looked_at:
                kind = Kind.SAME if texts[other].options == text.options else Kind.SAME_TEXT
                yield Twin(other, place, kind, 1.0)
        places[text.key].append(place)


def _near(texts: Sequence[_Text], looked_at: int) -> Iterator[Twin]:
    """Only texts that share a rare feature are compared.

    If two sets have a Jaccard index of t or more, they share at least one of the |x| - ceil(t |x|) + 1 features of x
    that come first in any fixed order. With the rarest first, few others have them.
    """
    counts = Counter(feature for text in texts for feature in text.features)
    holders: dict[str, list[int]] = defaultdict(list)
    for place, text in enumerate(texts):
        ordered = sorted(text.features, key=lambda feature: (counts[feature], feature))
        prefix = ordered[: len(ordered) - math.ceil(NEARLY_WITH_THE_SAME_ANSWER * len(ordered)) + 1]
        for other in sorted({other for feature in prefix for other in holders[feature]}):
            if likeness := _likeness(texts[other], text):
                yield Twin(other, place, Kind.NEAR, likeness)
        if place < looked_at:
            for feature in prefix:
                holders[feature].append(place)


def _likeness(one: _Text, other: _Text) -> float:
    """How much of two texts is alike; 0 if it is not enough, or they ask for different numbers, or are the same."""
    if one.key == other.key or (one.numbers - other.numbers and other.numbers - one.numbers):
        return 0.0
    common = len(one.features & other.features)
    likeness = common / (len(one.features) + len(other.features) - common or 1)
    enough = NEARLY_WITH_THE_SAME_ANSWER if one.rights == other.rights else NEARLY
    return likeness if likeness >= enough else 0.0
