"""Vietnamese text where the database has neither ICU nor unaccent: searching without accents, and sorting."""

from __future__ import annotations

import unicodedata

_APOSTROPHES = "'’ʼ`´"
"""The several signs that people type for one."""
_ALPHABET = "aăâbcdđeêfghijklmnoôơpqrstuưvwxyz"
_LETTERS = {unicodedata.normalize("NFD", letter): f"{place}" for place, letter in enumerate(_ALPHABET, start=20)}
_TONES = {"\u0300": "1", "\u0309": "2", "\u0303": "3", "\u0301": "4", "\u0323": "5"}
"""Dictionary order: level (no mark, 0), huyền, hỏi, ngã, sắc, nặng."""
_SHAPES = "\u0302\u0306\u031b"
"""Circumflex, breve and horn make another letter; whatever other mark there is changes nothing here."""


def fold(text: str) -> str:
    """Text as people type it in a hurry: lower case, no accents, đ as d, single spaces, no signs.

    >>> fold("  Phường  Ba Đình ")
    'phuong ba dinh'
    """
    plain = unicodedata.normalize("NFKD", text.casefold().replace("đ", "d"))
    kept = "".join(char if char.isalnum() else " " for char in plain if not _silent(char))
    return " ".join(kept.split())


def sort_key(text: str) -> str:
    """A key that orders as a Vietnamese dictionary does: syllable by syllable, letters before tones.

    It has nothing but digits in it, two for each letter and tone, so any collation, plain bytes too, orders it alike.
    """
    words = _words(unicodedata.normalize("NFD", text.casefold()))
    return "".join(_number(word) if word.isdigit() else _syllable(word) for word in words)


def _silent(char: str) -> bool:
    return char in _APOSTROPHES or unicodedata.combining(char) != 0


def _words(decomposed: str) -> list[str]:
    kept = (
        char if char.isalnum() or unicodedata.combining(char) else " "
        for char in decomposed
        if char not in _APOSTROPHES
    )
    return "".join(kept).split()


def _syllable(word: str) -> str:
    """Two digits a letter (20 and up), then the tone (00 to 05), which so also ends the shorter word first."""
    letters: list[str] = []
    tone = "0"
    for char in word:
        if char in _TONES:
            tone = _TONES[char]
        elif char in _SHAPES and letters:
            letters[-1] += char
        elif not unicodedata.combining(char):
            letters.append(char)
    # A letter that Vietnamese does not have comes after those it has.
    return "".join(_LETTERS.get(letter) or _LETTERS.get(letter[0], "99") for letter in letters) + "0" + tone


def _number(word: str) -> str:
    """Numbers come before letters, and Phường 2 before Phường 10."""
    return f"10{int(word) % 10**9:09d}0"
