"""The demo's dice: the same throws each time it is loaded, whatever is loaded around them."""

from __future__ import annotations

import random

_SEED = "quiz80"


def dice(*purpose: object) -> random.Random:
    """Dice for one purpose; what another part throws does not move them."""
    return random.Random(":".join((_SEED, *map(str, purpose))))  # noqa: S311 - made-up people, not secrets


def allocate(total: int, weights: list[float], floors: list[int]) -> list[int]:
    """Split `total` in whole numbers by weight, nobody below the own floor (largest remainders)."""
    spare = total - sum(floors)
    if spare < 0:
        raise ValueError(f"{total} does not cover the floors, {sum(floors)}")
    whole = sum(weights)
    shares = [spare * weight / whole for weight in weights]
    given = [floor + int(share) for floor, share in zip(floors, shares, strict=True)]
    by_remainder = sorted(range(len(weights)), key=lambda place: (int(shares[place]) - shares[place], place))
    for place in by_remainder[: total - sum(given)]:
        given[place] += 1
    return given
