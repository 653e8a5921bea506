"""`python -m bench [PART…]`: run parts of the benchmark, write bench/results/latest.json, print the table."""

from __future__ import annotations

import argparse
import importlib
import sys

from bench import results
from deploy.errors import SetupError

PARTS = {
    "drain": "one drain from stream to commit",
    "submit": "handing in and drawing papers, against a bare Flask endpoint",
    "boards": "the boards as JSON, whole and unchanged, against a bare Flask endpoint",
    "million": "a million entries drawn, handed in, scored and on the boards",
    "catch-up": "after PostgreSQL was away at full intake: until nothing waits",
    "flat": "the same with a whole contest stored; my rank, recount, scoring again",
    "pages": "the pages of the boards with a whole contest stored",
    "corrections": "a key corrected in a round of a million entries, by the job that the pages ask for",
    "signals": "a round of a million entries looked through for what is odd",
    "start": "journeys as phones make them, all at once",
    "cost": "processor time and calls of the system for each kind of request",
    "waiting": "ten times as many as can be served, in front of the door",
    "accounts": "registrations and sign-ins, and handing in beside a storm of them",
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="; ".join(f"{n}: {w}" for n, w in PARTS.items()))
    wanted = parser.parse_args().parts or [part for part in PARTS if part != "pages"]  # flat measures them, too
    try:
        for part in wanted:
            print(f"\n== {part}: {PARTS[part]}", flush=True)
            figures = importlib.import_module(f"bench.{part.replace('-', '_')}").run()
            results.keep(figures)
            results.print_table(figures)
    except SetupError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
