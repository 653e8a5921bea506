#!/usr/bin/env python3
"""Check a lot of the contest by yourself: python3 lot_check.py LIST_FILE SHA256 SEED [PLACES]

LIST_FILE  the list of ids, as it is offered for download on the page of the lot
SHA256     the hash that stood on that page before the seed was known
SEED       the public number that was drawn afterwards
PLACES     how many of the first to print; all of them without it

Nothing but Python itself is needed. The order is that of SHA-256(SEED + id), the smallest first.
"""

import hashlib
import sys


def main(path: str, published: str, seed: str, places: str = "0") -> int:
    with open(path, "rb") as file:
        content = file.read()
    found = hashlib.sha256(content).hexdigest()
    if found != published.strip().lower():
        print(f"The list is NOT the one that was published: its SHA-256 is {found}.", file=sys.stderr)
        return 1
    ids = content.decode("ascii").split()
    ids.sort(key=lambda one: hashlib.sha256((seed + one).encode()).hexdigest())
    for place, one in enumerate(ids[: int(places) or None], 1):
        print(place, one)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) if 4 <= len(sys.argv) <= 5 else __doc__)
