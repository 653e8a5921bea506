"""The kinds of member and the functions in a contest, as people read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

KINDS: Mapping[str, Any] = {
    "union_member": _l("member of the Youth Union"),
    "association_member": _l("member of the Youth Federation"),
    "pupil": _l("pupil"),
    "student": _l("student"),
    "worker": _l("worker"),
    "civil_servant": _l("civil servant"),
    "soldier": _l("soldier or police officer"),
    "other": _l("other"),
}
FUNCTIONS: Mapping[str, Any] = {
    "committee": _l("member of the organizing committee"),
    "expert": _l("member of the expert group"),
    "secretary": _l("member of the secretariat"),
}
ALL: Mapping[str, Any] = {**FUNCTIONS, **KINDS}
