"""Names as people in Vietnam have them: family names by their frequency, middle and given names by sex and age."""

from __future__ import annotations

import random

_FAMILIES = {
    "Nguyễn": 315, "Trần": 108, "Lê": 95, "Phạm": 70, "Hoàng": 40, "Huỳnh": 30, "Phan": 45, "Vũ": 32, "Võ": 28,
    "Đặng": 28, "Bùi": 26, "Đỗ": 22, "Hồ": 17, "Ngô": 16, "Dương": 14, "Lý": 8, "Đinh": 12, "Đoàn": 11, "Lương": 9,
    "Trịnh": 11, "Mai": 9, "Trương": 16, "Đào": 10, "Cao": 9, "Hà": 9, "Lưu": 7, "Phùng": 6, "Tạ": 5, "Thái": 5,
    "Châu": 4, "Tô": 4, "Quách": 3, "Nghiêm": 2, "Kiều": 3, "Chu": 4, "Tống": 3, "Vương": 4, "La": 2, "Lâm": 7,
}  # fmt: skip
_HIGHLAND_FAMILIES = {
    "Lò": 16, "Vàng": 9, "Giàng": 9, "Thào": 8, "Sùng": 7, "Lù": 3, "Cà": 4, "Quàng": 5, "Lường": 6, "Tòng": 3,
    "Nông": 12, "Hoàng": 16, "Triệu": 7, "Bàn": 4, "Đặng": 5, "Phàn": 3, "Ma": 4, "Hứa": 3, "Bế": 2, "Vi": 6,
    "Hà": 7, "Lục": 2, "Mùa": 4, "Chảo": 2, "Nguyễn": 30, "Trần": 9, "Lê": 7, "Phạm": 5,
}  # fmt: skip
HIGHLAND_PROVINCES = frozenset({"04", "08", "11", "12", "14", "15", "19", "20"})

_WOMEN_MIDDLE = {
    "Thị": 30, "Thị Thu": 5, "Thị Kim": 4, "Thị Ngọc": 6, "Thị Thanh": 5, "Thị Minh": 3, "Thị Hồng": 5, "Thị Bích": 3,
    "Thị Mỹ": 2, "Ngọc": 9, "Thanh": 6, "Thu": 4, "Phương": 6, "Minh": 5, "Khánh": 4, "Bảo": 3, "Quỳnh": 4, "Hoài": 2,
    "Mai": 3, "Thảo": 3, "Diễm": 1, "Như": 2, "Hà": 2, "Gia": 1, "Tường": 1,
}  # fmt: skip
_WOMEN_GIVEN = (
    "An Anh Ánh Bình Chi Châu Diệp Dung Duyên Dương Đào Giang Hà Hạnh Hân Hằng Hiền Hoa Hòa Hoài Hồng Huệ Huyền Hương "
    "Khanh Khuê Lam Lan Lê Liên Linh Loan Ly Mai Mơ My Mỹ Nga Ngân Ngọc Nguyệt Nhàn Nhi Nhung Như Oanh Phúc Phương "
    "Phượng Quyên Quỳnh Sương Tâm Thanh Thảo Thắm Thơ Thơm Thu Thúy Thùy Thư Thương Tiên Trà Trang Trâm Trinh Trúc Tú "
    "Tuyền Tuyết Uyên Vân Vi Vy Xuân Yên Yến"
)
_MEN_MIDDLE = {
    "Văn": 24, "Đức": 9, "Minh": 9, "Quang": 8, "Hữu": 6, "Công": 5, "Xuân": 5, "Ngọc": 5, "Anh": 4, "Tuấn": 4,
    "Đình": 5, "Quốc": 6, "Thành": 5, "Hoàng": 5, "Gia": 4, "Trung": 4, "Bá": 2, "Duy": 4, "Thế": 3, "Trọng": 3,
    "Mạnh": 4, "Việt": 3, "Bảo": 3, "Tiến": 3, "Nhật": 3, "Khắc": 1, "Viết": 2, "Phúc": 2, "Thanh": 3, "Chí": 2,
}  # fmt: skip
_MEN_GIVEN = (
    "An Anh Bách Bảo Bắc Bình Chiến Chính Công Cường Danh Duy Dũng Dương Đại Đạt Điệp Đông Đức Giang Hải Hào Hậu Hiếu "
    "Hiệp Hòa Hoàn Hoàng Huy Hùng Hưng Kha Khang Khánh Khải Khoa Khôi Kiên Kiệt Lâm Linh Long Lộc Lực Minh Nam Nghĩa "
    "Ngọc Nguyên Nhân Nhật Phát Phong Phú Phúc Phước Quân Quang Quốc Quyền Quyết Sang Sơn Tài Tâm Tân Thái Thành Thắng "
    "Thiện Thịnh Thông Thuận Tiến Tín Toàn Trí Triều Trọng Trung Trường Tú Tuấn Tùng Vinh Việt Vũ Vương"
)


def full_name(dice: random.Random, province_code: str | None) -> str:
    """A name of somebody at home in this province (None: in a central union)."""
    highland = province_code in HIGHLAND_PROVINCES and dice.random() < 0.6
    family = _pick(dice, _HIGHLAND_FAMILIES if highland else _FAMILIES)
    woman = dice.random() < 0.53
    middle = _pick(dice, _WOMEN_MIDDLE if woman else _MEN_MIDDLE)
    given = dice.choice((_WOMEN_GIVEN if woman else _MEN_GIVEN).split())
    words = [*family.split(), *middle.split(), *given.split()]
    if len(set(words)) < len(words):
        # Nobody is called Minh Minh.
        return full_name(dice, province_code)
    return f"{family} {middle} {given}"


def _pick(dice: random.Random, choices: dict[str, int]) -> str:
    return dice.choices(list(choices), list(choices.values()))[0]
