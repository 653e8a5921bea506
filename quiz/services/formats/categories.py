"""Moodle's categories, in its XML and in GIFT, as topics and back."""

from __future__ import annotations

import re

ROOT = "$course$/top"
_CONTEXT = re.compile(r"^(?:\$\w+\$(?:/|$))?(?:top(?:/|$))?")
_DEFAULT = ("Default for ", "Mặc định cho ")
_BETWEEN = " / "


def topic_of(path: str) -> str:
    """`$course$/top/Lịch sử/Khóa I` → `Lịch sử / Khóa I`. A slash inside a name is written twice."""
    inner = _CONTEXT.sub("", path.strip())
    names = [name.strip().replace("//", "/") for name in re.split(r"(?<!/)/(?!/)", inner)]
    while len(names) > 1 and names[0].startswith(_DEFAULT):
        names = names[1:]
    return _BETWEEN.join(filter(None, names))


def path_of(topic: str) -> str:
    """A category directly under the course's top one."""
    return f"{ROOT}/{topic.replace('/', '//')}" if topic else ROOT
