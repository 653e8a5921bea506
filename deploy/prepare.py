"""One interpreter for all that needs the application before and after its parts start.

Loading the application takes a second or two, so the launcher starts this beside the servers and then asks, one line
each: `load`, `migrate`, `demo`, `logins`. Each is answered by one JSON line.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import traceback

COMMANDS: dict[str, list[str]] = {
    "load": [],
    "migrate": ["db", "upgrade"],
    "demo": ["demo", "load"],
    "logins": ["demo", "logins"],
}


def main() -> None:
    # Answers go out on a descriptor of their own: whatever the commands print belongs into the log.
    answers = os.fdopen(int(sys.argv[1]), "w", encoding="utf-8")
    for line in sys.stdin:
        try:
            answer = {"ok": True, "text": _run(COMMANDS[line.strip()])}
        except (Exception, SystemExit) as error:  # noqa: BLE001 - reported to the launcher, which stops everything
            traceback.print_exc()
            answer = {"ok": False, "text": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)


def _run(arguments: list[str]) -> str:
    # Loaded within the first command, so that an application that fails to load is answered too.
    from flask.cli import ScriptInfo

    from wsgi import app

    said = io.StringIO()
    if arguments:
        with contextlib.redirect_stdout(said):
            code = app.cli.main(
                args=arguments, prog_name="flask", obj=ScriptInfo(create_app=lambda: app), standalone_mode=False
            )
        print(said.getvalue(), end="", flush=True)
        if isinstance(code, int) and code != 0:
            raise RuntimeError(f"flask {' '.join(arguments)} ended with {code}")
    return said.getvalue()


if __name__ == "__main__":
    main()
