"""Secrets of the embedded installation: made once, kept in one file that only its owner reads."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from deploy.errors import SetupError


def _generate() -> dict[str, str]:
    return {
        "SECRET_KEY": secrets.token_hex(32),
        "QUIZ80_SIGNING_KEYS": f"k1:{secrets.token_hex(32)}",
        "POSTGRES_PASSWORD": secrets.token_hex(24),
        "REDIS_PASSWORD": secrets.token_hex(24),
    }


def load_or_create(path: Path) -> dict[str, str]:
    if not path.exists():
        _write(path, _generate())
    return _read(path)


def _read(path: Path) -> dict[str, str]:
    lines = path.read_text(encoding="ascii").splitlines()
    found = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    missing = sorted(set(_generate()) - set(found))
    if missing:
        raise SetupError(f"{path} lacks {', '.join(missing)}. Put it back, or remove the whole folder.")
    return found


def _write(path: Path, values: dict[str, str]) -> None:
    """Whole or not at all, and on disk before anything is locked with it."""
    new = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write("# Made once by the launcher. Without it the data beside it cannot be opened.\n")
        file.writelines(f"{key}={value}\n" for key, value in values.items())
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
