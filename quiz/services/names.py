"""Names as others may see them."""

from __future__ import annotations


def shortened(full_name: str) -> str:
    """The given name, which stands last, and initials: Nguyễn Thị Hoa is N. T. Hoa. A single word keeps one letter."""
    words = full_name.split()
    if len(words) < 2:
        return f"{full_name[:1]}."
    return " ".join([*(f"{word[:1]}." for word in words[:-1]), words[-1]])
