"""Styles, scripts and pictures: held in memory, compressed once, and named by what is in them.

The version stands in the path, not behind a question mark: a module's relative imports then carry it too, every file
may be kept by phones for a year, and a new release is fetched at once.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from flask import Flask, Response, request
from werkzeug.exceptions import NotFound

_YEAR = 365 * 24 * 3600
_SQUEEZED = {".css", ".js", ".svg", ".webmanifest"}
mimetypes.add_type("application/manifest+json", ".webmanifest")
mimetypes.add_type("text/javascript", ".js")


@dataclass(frozen=True, slots=True)
class Asset:
    body: bytes
    squeezed: bytes | None
    kind: str


def read_assets(folder: Path) -> dict[str, Asset]:
    """Every file below `folder` by its path; there are few and they are small."""
    assets = {}
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            body = file.read_bytes()
            squeezed = gzip.compress(body, mtime=0) if file.suffix in _SQUEEZED else None
            kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
            assets[file.relative_to(folder).as_posix()] = Asset(body, squeezed, kind)
    return assets


def version_of(assets: dict[str, Asset]) -> str:
    digest = hashlib.blake2b(digest_size=6)
    for name, asset in assets.items():
        digest.update(name.encode() + b"\0" + asset.body + b"\0")
    return digest.hexdigest()


def init_assets(app: Flask) -> None:
    """Serve the files at /assets/VERSION/NAME and give templates `asset(name)`."""
    assets = read_assets(Path(app.root_path) / "static")
    version = version_of(assets)

    def asset(name: str) -> str:
        if name not in assets:
            raise LookupError(f"no file static/{name}")
        return f"/assets/{version}/{name}"

    def serve(seen: str, name: str) -> Response:
        found = assets.get(name)
        if found is None:
            raise NotFound
        response = Response(found.body, mimetype=found.kind)
        if found.squeezed is not None:
            response.vary.add("Accept-Encoding")
            if request.accept_encodings["gzip"]:
                response.set_data(found.squeezed)
                response.content_encoding = "gzip"
        # A page of the old release may ask a process of the new one: that answer must not be kept under the old name.
        response.cache_control.public = True
        response.cache_control.max_age = _YEAR if seen == version else 0
        response.cache_control.immutable = seen == version
        return response

    def favicon() -> Response:
        """Pages without a head of their own, such as a browser's view of JSON, ask here."""
        return serve("", "img/icon.svg")

    def service_worker() -> Response:
        """At the root, because a worker rules only what lies below its own address."""
        return serve("", "js/sw.js")

    app.add_url_rule("/sw.js", "service_worker", service_worker)
    app.add_url_rule("/assets/<seen>/<path:name>", "asset", serve)
    app.add_url_rule("/favicon.ico", "favicon", favicon)
    app.jinja_env.globals["asset"] = asset
