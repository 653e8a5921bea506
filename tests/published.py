"""What comparable contests published about their rounds, as calendars and rules documents.

Only what they stated is set; what they left open has the default. An essay (20 + 1 in 2023) is marked by people and
is no part of these rules.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from quiz.clock import CONTEST_ZONE

ALL_RIGHT = {"kind": "all_correct", "text": "Bao nhiêu người trả lời đúng tất cả các câu hỏi?", "min": 0, "max": 10**7}
TAKE_PART = {"kind": "participants", "text": "Bao nhiêu người dự thi?", "min": 0, "max": 10**7}
WEEK = timedelta(days=7)
TO_THE_NEXT_MORNING = WEEK - timedelta(hours=1)
"""Monday 10:00 to the next Monday 9:00."""


@dataclass(frozen=True)
class Published:
    title: str
    start: datetime
    rounds: int
    rules: dict[str, Any] = field(default_factory=dict)
    length: timedelta = WEEK
    every_days: int = 7
    options: int = 4
    """Options of a question."""
    windows: Callable[[datetime], list[tuple[datetime, datetime]]] | None = None
    """Of a round, from its opening; None: open all through."""


def at(year: int, month: int, day: int, hour: int = 0) -> datetime:
    return datetime(year, month, day, hour, tzinfo=CONTEST_ZONE)


BY_PREDICTION_TO_THE_SECOND = ["score", "prediction_gap", "received_second"]

CONTESTS = {
    "bau-cu-2026": Published(
        "Tìm hiểu bầu cử Quốc hội và Hội đồng nhân dân 2026",
        at(2026, 1, 5),
        2,
        {"questions": 10, "seconds": 600, "cap": 7, "prediction": TAKE_PART},
    ),
    "dai-hoi-dang-2025": Published("Tìm hiểu các kỳ Đại hội Đảng 2025", at(2025, 9, 1), 3, {"seconds": 600, "cap": 7}),
    "cong-dan-2026": Published(
        "Công dân với bầu cử 2026",
        at(2026, 2, 2, 8),
        6,
        {"questions": 10, "cap": 1, "prediction": ALL_RIGHT, "ranking": ["score", "prediction_gap"]},
        length=timedelta(days=4, hours=9, minutes=59),
    ),
    "lich-su-dang-2019": Published(
        "90 năm lịch sử Đảng 2019",
        at(2019, 9, 2, 10),
        20,
        {"questions": 5, "cap": None, "prediction": ALL_RIGHT, "ranking": BY_PREDICTION_TO_THE_SECOND},
        length=TO_THE_NEXT_MORNING,
        options=3,
    ),
    "tuyen-giao-2020": Published(
        "90 năm ngành Tuyên giáo 2020",
        at(2020, 4, 6, 10),
        16,
        {
            "questions": 10,
            "cap": None,
            "prediction": ALL_RIGHT,
            "ranking": BY_PREDICTION_TO_THE_SECOND,
            "min_age": 14,
        },
        length=TO_THE_NEXT_MORNING,
    ),
    "viet-lao-2022": Published(
        "Lịch sử quan hệ Việt–Lào 2022",
        at(2022, 5, 9, 16),
        12,
        {"questions": 10, "cap": None},
        length=TO_THE_NEXT_MORNING,
    ),
    "phap-luat-2021": Published(
        "Pháp luật về bầu cử 2021",
        at(2021, 4, 1),
        1,
        {"questions": 19, "seconds": 1200, "cap": None, "prediction": TAKE_PART},
        length=timedelta(days=30),
        every_days=30,
    ),
    "quang-nam-2014": Published(
        "Tỉnh Đoàn Quảng Nam 2014",
        at(2014, 3, 3),
        3,
        {"questions": 15, "cap": 1, "prediction": ALL_RIGHT, "ranking": ["score", "prediction_gap", "duration"]},
        length=timedelta(days=14),
        every_days=14,
    ),
    "cong-doan-2023": Published(
        "Công đoàn XIII 2023",
        at(2023, 10, 2),
        3,
        {"questions": 20, "seconds": 1200, "cap": 2, "ranking": ["score"]},
    ),
}


def weekday_mornings(opens: datetime) -> list[tuple[datetime, datetime]]:
    """Monday to Friday, 8:00 to 11:00."""
    first = opens.replace(hour=8)
    return [(first + timedelta(days=day), first + timedelta(days=day, hours=3)) for day in range(5)]


INVENTED = Published(
    "Everything that no published contest used",
    at(2026, 6, 1),
    4,
    {
        "questions": 6,
        "draw": [{"count": 2, "topic": "chẵn", "difficulty": 1}, {"count": 1, "difficulty": 2}, {"count": 3}],
        "cap": 3,
        "seconds": 120,
        "which": "last",
        "points": 10,
        "complete_only": True,
        "ranking": ["correct", "attempts", "lot"],
        "late": {"accept_minutes": 10, "counts": "participation"},
        "release": {"score": "at_once", "key": "after_publish"},
        "min_age": 16,
        "max_age": 36,
    },
    length=timedelta(days=5),
    windows=weekday_mornings,
)
