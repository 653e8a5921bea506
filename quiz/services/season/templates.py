"""Rules and rhythms of contests that were held, to begin a new one from; each of them can be changed afterwards.

Only what the contests published is set; what they left open has the default. An essay (2023) is marked by people and is
no part of these rules. Source: the announcements of the contests, 2014 to 2026, see docs/rules.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from flask_babel import lazy_gettext as _l


@dataclass(frozen=True, slots=True)
class Template:
    name: Any
    rules: Mapping[str, Any]
    rounds: int
    weekday: int
    hour: int
    hours: int
    """How long a round is open."""


def _prediction(kind: str) -> dict[str, Any]:
    question = "đúng tất cả các câu hỏi" if kind == "all_correct" else "tham gia dự thi"
    return {"kind": kind, "text": f"Có bao nhiêu người {question}?", "max": 10_000_000}


def _prizes(*prizes: tuple[str, int, int]) -> list[dict[str, Any]]:
    """Name, count and value of each prize of people."""
    keys = {"Giải Nhất": "nhat", "Giải Nhì": "nhi", "Giải Ba": "ba", "Giải Khuyến khích": "khuyen-khich"}
    return [
        {"key": keys.get(name, "giai-tuan"), "name": name, "kind": "individual", "count": count, "value": value}
        for name, count, value in prizes
    ]


def _collective(key: str, name: str, count: int, by: str, level: str) -> dict[str, Any]:
    return {"key": key, "name": name, "kind": "collective", "count": count, "by": by, "level": level}


def _spreading(count: int, value: int) -> dict[str, Any]:
    return {"key": "lan-toa", "name": "Giải lan tỏa", "kind": "spreading", "count": count, "value": value}


_FIRST, _SECOND, _THIRD, _FOURTH = "Giải Nhất", "Giải Nhì", "Giải Ba", "Giải Khuyến khích"
_WEEK = 7 * 24
_TO_THE_SECOND: Sequence[str] = ["score", "prediction_gap", "received_second"]
_WORKERS: Sequence[str] = ["committee", "expert", "secretary"]

TEMPLATES: Mapping[str, Template] = MappingProxyType(
    {
        "weekly": Template(
            _l("Weekly contest: 10 questions, 7 attempts, 10 minutes, prediction"),
            {"questions": 10, "cap": 7, "seconds": 600, "prediction": _prediction("all_correct")},
            rounds=23, weekday=0, hour=10, hours=_WEEK - 1,
        ),
        "bau-cu-2026": Template(
            "Tìm hiểu bầu cử Quốc hội và Hội đồng nhân dân 2026",
            {
                "questions": 10, "cap": 7, "seconds": 600, "prediction": _prediction("participants"),
                "prizes": [
                    *_prizes((_FIRST, 1, 5_000_000), (_SECOND, 2, 3_000_000), (_THIRD, 3, 2_000_000),
                             (_FOURTH, 10, 1_000_000)),
                    _collective("tap-the", "Giải tập thể", 10, "participants", "province"),
                    _spreading(10, 1_000_000),
                ],
            },
            rounds=2, weekday=0, hour=0, hours=_WEEK,
        ),
        "dai-hoi-dang-2025": Template(
            "Tìm hiểu các kỳ Đại hội Đảng 2025",
            {"seconds": 600, "cap": 7, "barred_kinds": _WORKERS, "prizes": _prizes((_FIRST, 1, 2_000_000))},
            rounds=3, weekday=0, hour=0, hours=_WEEK,
        ),
        "cong-dan-2026": Template(
            "Công dân với bầu cử 2026",
            {"questions": 10, "cap": 1, "prediction": _prediction("all_correct"),
             "ranking": ["score", "prediction_gap"]},
            rounds=6, weekday=0, hour=8, hours=_WEEK - 1,
        ),
        "lich-su-dang-2019": Template(
            "90 năm lịch sử Đảng 2019",
            {
                "questions": 5, "cap": None, "prediction": _prediction("all_correct"), "ranking": _TO_THE_SECOND,
                "prizes": _prizes(("Giải tuần", 11, 0)),
            },
            rounds=20, weekday=0, hour=10, hours=_WEEK - 1,
        ),
        "tuyen-giao-2020": Template(
            "90 năm ngành Tuyên giáo 2020",
            {
                "questions": 10, "cap": None, "prediction": _prediction("all_correct"), "ranking": _TO_THE_SECOND,
                "min_age": 14, "barred_kinds": ["committee"],
                "prizes": _prizes((_FIRST, 1, 4_000_000), (_SECOND, 2, 2_000_000), (_THIRD, 5, 1_500_000),
                                  (_FOURTH, 8, 1_000_000)),
            },
            rounds=16, weekday=0, hour=10, hours=_WEEK - 1,
        ),
        "viet-lao-2022": Template(
            "Lịch sử quan hệ Việt–Lào 2022",
            {
                "questions": 10, "cap": None,
                "prizes": _prizes((_FIRST, 1, 3_000_000), (_SECOND, 2, 2_000_000), (_THIRD, 5, 1_000_000)),
            },
            rounds=12, weekday=0, hour=16, hours=_WEEK - 1,
        ),
        "phap-luat-2021": Template(
            "Pháp luật về bầu cử 2021",
            {
                "questions": 19, "seconds": 1200, "cap": None, "prediction": _prediction("participants"),
                "prizes": _prizes((_FIRST, 1, 6_000_000), (_SECOND, 5, 3_000_000), (_THIRD, 10, 2_000_000),
                                  (_FOURTH, 20, 1_000_000)),
            },
            rounds=1, weekday=0, hour=0, hours=30 * 24,
        ),
        "hoi-quang-nam-2019": Template(
            "Hội LHTN Quảng Nam 2019",
            {
                "prizes": [
                    *_prizes((_FIRST, 1, 500_000), (_SECOND, 2, 300_000), (_THIRD, 3, 200_000)),
                    _collective("dong", "Đơn vị có nhiều người dự thi", 1, "participants", "commune"),
                    _collective("ty-le", "Đơn vị có tỷ lệ dự thi cao", 1, "member_share", "commune"),
                ],
            },
            rounds=3, weekday=0, hour=0, hours=_WEEK,
        ),
        "quang-nam-2014": Template(
            "Tỉnh Đoàn Quảng Nam 2014",
            {"questions": 15, "cap": 1, "prediction": _prediction("all_correct"),
             "ranking": ["score", "prediction_gap", "duration"]},
            rounds=3, weekday=0, hour=0, hours=2 * _WEEK,
        ),
        "tim-hieu-dang-2019": Template(
            "Tìm hiểu về Đảng 2019",
            {
                "prizes": [
                    _collective("dong", "Đơn vị có nhiều người dự thi", 1, "participants", "province"),
                    _collective("ty-le", "Đơn vị có tỷ lệ dự thi cao", 1, "member_share", "province"),
                ],
            },
            rounds=5, weekday=0, hour=0, hours=_WEEK,
        ),
        "cong-doan-2023": Template(
            "Công đoàn XIII 2023",
            {"questions": 20, "seconds": 1200, "cap": 2, "ranking": ["score"]},
            rounds=3, weekday=0, hour=0, hours=_WEEK,
        ),
    }
)  # fmt: skip
