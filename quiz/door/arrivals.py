"""Those who were called and came in, each counted once: a ticket is good as often as it is needed."""

from __future__ import annotations

REMEMBERED = 5_000
"""So many of those who came last are known by their place."""


class Arrivals:
    """Of one process and one line."""

    def __init__(self) -> None:
        self.last = 0
        """The highest place that came."""
        self._recent: set[int] = set()
        self._before: set[int] = set()

    def is_new(self, number: int, returning_below: float) -> bool:
        """Whether the holder of a place comes for the first time.

        Args:
            returning_below: a lower place was called so long ago that its holder has signed in meanwhile, perhaps at
                another process, and now goes on to the start.
        """
        if number < returning_below or number in self._recent or number in self._before:
            return False
        self.last = max(self.last, number)
        self._recent.add(number)
        if len(self._recent) >= REMEMBERED:
            self._before, self._recent = self._recent, set()
        return True
