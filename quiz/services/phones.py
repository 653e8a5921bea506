"""Vietnamese mobile numbers: every usual spelling in, E.164 stored."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

import phonenumbers
from flask_babel import lazy_gettext as _l

# Letters would be read as a keypad's digits ("0912-HOTLINE"); a person who typed them meant something else.
_SPELLING = re.compile(r"[0-9+()./\-‐-―\s]{6,40}")
# The numbering plan since 2018: nine digits after the country code. Which of these are in use changes by the year.
_MOBILE = re.compile(r"[35789][0-9]{8}")
# Ten-digit national numbers of before September 2018 and the three digits that stand for their first four now.
_OLD = re.compile(r"1(20|21|22|23|24|25|26|27|28|29|62|63|64|65|66|67|68|69|86|88|99)([0-9]{7})")
_REPLACED = """
20:70 21:79 22:77 26:76 28:78 23:83 24:84 25:85 27:81 29:82
62:32 63:33 64:34 65:35 66:36 67:37 68:38 69:39 86:56 88:58 99:59
"""
_NEW_PREFIX = dict(pair.split(":") for pair in _REPLACED.split())


class InvalidPhone(ValueError):
    """No Vietnamese mobile number; `message` is the sentence for the person."""

    def __init__(self, message: Any) -> None:
        super().__init__("no Vietnamese mobile number")
        self.message = message


def normalize(typed: str) -> str:
    """0912 345 678, 912345678, 0912.345.678, +84 912…, 84912…, 0084912…, (+84)0912…: all are +84912345678.

    Numbers of eleven digits (016x, 012x…) ended in 2018. They are refused with the number that replaced them
    rather than converted: after so many years it is more likely a slip than a memory.

    Raises:
        InvalidPhone: with what is wrong.
    """
    national = _national(unicodedata.normalize("NFKC", typed).strip())
    if old := _OLD.fullmatch(national):
        new = f"0{_NEW_PREFIX[old[1]]}{old[2]}"
        raise InvalidPhone(_l("Numbers of 11 digits ended in 2018; this one became %(number)s.", number=new))
    if not _MOBILE.fullmatch(national):
        raise InvalidPhone(_l("Enter a Vietnamese mobile number, for example 0912 345 678."))
    return f"+84{national}"


def _national(text: str) -> str:
    """The national number without its 0, or "" for what is no number of Vietnam."""
    if not _SPELLING.fullmatch(text):
        return ""
    try:
        number = phonenumbers.parse(text, "VN")
    except phonenumbers.NumberParseException:
        return ""
    if number.country_code != 84 or number.extension:
        return ""
    return phonenumbers.national_significant_number(number)


def shown(phone: str) -> str:
    """A stored number as people read it: 0912 345 678."""
    national = "0" + phone.removeprefix("+84")
    return f"{national[:4]} {national[4:7]} {national[7:]}"
