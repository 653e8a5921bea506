"""The description held against the running application by generated requests: bounded, and the same each run."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from tests.api.conftest import Caller, World

SECONDS = 300
# All checks, on all calls, but for one: a schema can't say which papers were signed, which units exist or which
# passwords are guessed first, so well-formed requests to these are rightly refused with 400 and 422.
CONFIG = """
[[operations]]
include-name = ["POST /participants", "POST /entries", "PUT /papers/draft", "POST /papers/step"]
checks.positive_data_acceptance.enabled = false
"""


class _Quiet(WSGIRequestHandler):
    def log(self, *_args: object, **_kwargs: object) -> None: ...


@pytest.fixture
def address(app: Flask, world: World) -> Iterator[str]:
    world.write_boards()
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, name="api")
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join(30)
    server.server_close()


def test_the_application_keeps_what_its_description_says(address: str, hoa: Caller, tmp_path: Path) -> None:
    config = tmp_path / "schemathesis.toml"
    config.write_text(CONFIG, encoding="utf-8")
    command = [
        sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run", f"{address}/api/v1/openapi.json",
        "--mode", "all", "--max-examples", "20", "--seed", "80", "--workers", "1",
        "--header", f"Authorization: Bearer {hoa.token}",
    ]  # fmt: skip
    environment = {**os.environ, "NO_COLOR": "1", "PYTHONHASHSEED": "0"}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
    assert "Tested: 18" in done.stdout
