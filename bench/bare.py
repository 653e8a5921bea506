"""What everything is compared with: one Flask route, a constant body, no hooks, under the same gunicorn settings."""

from __future__ import annotations

from flask import Flask

app = Flask(__name__)


@app.get("/")
def constant() -> str:
    return "ok"
