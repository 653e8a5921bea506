"""Numbers, times and names as people of the page's language write them; the templates' filters.

Patterns differ by language and not by text, so they stand here and not in the catalogue.
"""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache
from typing import Any

from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal
from flask_babel import get_locale, gettext, ngettext

from quiz.clock import CONTEST_ZONE, from_ms, iso

SAID = 16_384
"""So many numbers and durations are remembered as they are written: to write one takes as long as a row of a board, and
everybody looks at the same boards."""

_DAY = {"vi": "dd/MM/yyyy", "en": "d MMM yyyy"}
_SHORT_DAY = {"vi": "d/M", "en": "d MMM"}
_MOMENT = {"vi": "H:mm EEEE d/M", "en": "HH:mm EEE d MMM"}
_CLOCK = {"vi": "HH:mm:ss", "en": "HH:mm:ss"}
_EXACT = {"vi": "HH:mm:ss dd/MM/yyyy", "en": "HH:mm:ss d MMM yyyy"}
_MILLISECOND = {"vi": "HH:mm:ss,SSS dd/MM/yyyy", "en": "HH:mm:ss.SSS d MMM yyyy"}


def language() -> str:
    locale = get_locale()
    return "vi" if locale is None else str(locale.language)


@lru_cache(SAID)
def _decimal(value: float, pattern: str | None, locale: str) -> str:
    return format_decimal(value, format=pattern, locale=locale)


def number(value: float) -> str:
    """1.234.567"""
    return _decimal(value, None, language())


def percent(value: float) -> str:
    """74,3 %: one decimal at most, and a space before the sign only in Vietnamese."""
    said = language()
    text = _decimal(value, "#,##0.#", said)
    return f"{text}\N{NO-BREAK SPACE}%" if said == "vi" else f"{text}%"


def score(value: float) -> str:
    """An average score, with one decimal always."""
    return _decimal(value, "#,##0.0", language())


def day(when: datetime | int) -> str:
    """21/11/2026"""
    return _write(when, _DAY)


def day_of(when: date) -> str:
    """21/11/2026, of a day without a time."""
    return format_date(when, _DAY[language()], locale=language())


def short_day(when: datetime | int) -> str:
    """24/11"""
    return _write(when, _SHORT_DAY)


def moment(when: datetime | int) -> str:
    """0:00 thứ Hai 24/11: close enough in time that nobody asks for the year."""
    text = _write(when, _MOMENT)
    # Babel writes "Thứ Hai", as for the head of a calendar; inside a sentence it is small.
    return text.replace(" Thứ ", " thứ ").replace(" Chủ ", " chủ ")


def clock_time(when: datetime | int) -> str:
    """20:00:05: a deadline of today."""
    return _write(when, _CLOCK)


def exact(when: datetime | int) -> str:
    """20:00:05 21/11/2026: for receipts, where the second counts."""
    return _write(when, _EXACT)


def to_the_millisecond(when: datetime | int) -> str:
    """20:00:05,123 21/11/2026: where two instants are compared."""
    return _write(when, _MILLISECOND)


def seconds(milliseconds: int) -> str:
    """462,125: where two durations are compared."""
    return _decimal(milliseconds / 1000, "#,##0.000", language())


def duration(milliseconds: int) -> str:
    """7 phút 42 giây, or 2 giờ 5 phút: the two greatest units."""
    # By the locale and not by the language: where there is none, nothing is translated.
    return _duration(milliseconds // 1000, str(get_locale()))


@lru_cache(SAID)
def _duration(whole: int, _locale: str) -> str:
    parts = [
        (whole // 86400, _days),
        (whole // 3600 % 24, _hours),
        (whole // 60 % 60, _minutes),
        (whole % 60, _seconds),
    ]
    first = next((place for place, (count, _) in enumerate(parts) if count), len(parts) - 1)
    shown = [say(count) for count, say in parts[first : first + 2] if count or len(parts) - 1 == first]
    return " ".join(shown)


def ago(when: datetime | int, now: datetime) -> str:
    """vừa xong, 3 phút trước, 2 giờ trước; from a day on, the day."""
    passed = int((now - _instant(when)).total_seconds())
    if passed < 60:
        return str(gettext("just now"))
    if passed < 3600:
        return str(ngettext("%(num)d minute ago", "%(num)d minutes ago", passed // 60))
    if passed < 86400:
        return str(ngettext("%(num)d hour ago", "%(num)d hours ago", passed // 3600))
    return day(when)


def receipt_head(receipt: str) -> str:
    """The first characters of a receipt: enough to tell one's own entries apart."""
    return f"{receipt[:8]}…"


def phone(number_e164: str) -> str:
    """0912 345 678, from +84912345678."""
    national = "0" + number_e164.removeprefix("+84")
    return f"{national[:4]} {national[4:7]} {national[7:]}"


def begun(words: Any) -> str:
    """Thành viên Ban Tổ chức: with a capital to begin with, the others as they are."""
    said = str(words)
    return said[:1].upper() + said[1:]


FILTERS = {
    "begun": begun,
    "iso": lambda when: iso(_instant(when)),
    "phone": phone,
    "parsed": datetime.fromisoformat,
    "number": number,
    "percent": percent,
    "average": score,
    "day": day,
    "day_of": day_of,
    "short_day": short_day,
    "moment": moment,
    "clock_time": clock_time,
    "exact": exact,
    "duration": duration,
    "ago": ago,
    "receipt_head": receipt_head,
}


def _instant(when: datetime | int) -> datetime:
    return from_ms(when) if isinstance(when, int) else when


def _write(when: datetime | int, patterns: dict[str, str]) -> str:
    code = language()
    return format_datetime(_instant(when), patterns[code], tzinfo=CONTEST_ZONE, locale=code)


def _days(count: int) -> str:
    return str(ngettext("%(num)d day", "%(num)d days", count))


def _hours(count: int) -> str:
    return str(ngettext("%(num)d hour", "%(num)d hours", count))


def _minutes(count: int) -> str:
    return str(ngettext("%(num)d minute", "%(num)d minutes", count))


def _seconds(count: int) -> str:
    return str(ngettext("%(num)d second", "%(num)d seconds", count))
