"""How the web server runs. The launcher sets HOST, PORT and WEB_CONCURRENCY; a container may set the same."""

import os
from typing import Any

from gevent import sleep
from gunicorn import glogging
from gunicorn.workers.base_async import ALREADY_HANDLED

bind = f"{os.environ.get('HOST') or '127.0.0.1'}:{os.environ.get('PORT') or '8000'}"
if ":" in (os.environ.get("HOST") or ""):
    bind = f"[{os.environ['HOST']}]:{os.environ.get('PORT') or '8000'}"

# Requests wait for Redis or PostgreSQL most of the time; psycopg and redis-py give way to others once patched.
worker_class = "gevent"
workers = int(os.environ.get("WEB_CONCURRENCY") or "2")
worker_connections = 2000
# A round opens for everybody in the same second: let the kernel hold who comes faster than we accept.
backlog = 4096

# A worker whose loop stands still this long is replaced.
timeout = 30
# After it the open requests are cut. Shorter than the supervisor's patience, so that a stop stays orderly.
graceful_timeout = 8
# Phones come back within a page's reading; a proxy keeps its own pool.
keepalive = 20

# The heartbeat file: in memory, or a busy disk would look like a dead worker.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108 - that is the memory folder's name

limit_request_line = 4094
limit_request_fields = 60
limit_request_field_size = 8190

# One line an answer would cost more than the answer; the application counts and logs what matters.
accesslog = None
errorlog = "-"
loglevel = "info"


class Logger(glogging.Logger):
    """Gunicorn's own, except that it makes no access line: it would be put together for each answer, then dropped."""

    def access(self, *_given: Any, **_named: Any) -> None:
        return


logger_class = Logger
# The same JSON lines as everybody's.
logconfig_dict = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"stderr": {"()": "quiz.logs.StandardError"}},
    "loggers": {"gunicorn.error": {"level": "INFO", "handlers": ["stderr"], "propagate": False}},
    "root": {"level": "WARNING", "handlers": ["stderr"]},
}

# One path for each user by default, so two stacks would fight over it. Signals do all that it could.
control_socket_disable = True


def post_worker_init(worker: Any) -> None:
    """In each web process, once its application stands: it publishes its figures, and what it holds is settled."""
    from quiz import direct, door, memory, observe, pages, server
    from quiz.services import passwords

    held = worker.wsgi.extensions.get("quiz80")
    # The benchmark serves a bare application under these settings, to compare with: it has no figures.
    if held is not None:
        worker.beat = observe.start_beat(held.cache)
        passwords.prepare()
        pages.prepare(worker.wsgi)
        worker.door = door.watch(worker.wsgi, worker.sockets)
        worker.wsgi = direct.Direct(worker.wsgi, ALREADY_HANDLED, lambda: worker.alive)
    server.settle(worker)
    memory.settle()


def worker_exit(_server: Any, worker: Any) -> None:
    """The last second's lines and figures are not lost at an orderly end."""
    beat = getattr(worker, "beat", None)
    if beat is not None:
        beat.stop()


def post_request(_worker: Any, request: Any, _environ: Any, _response: Any) -> None:
    """Who waits gets a turn: a connection whose next request is there at once would be served again and again.

    Only after what may not have waited for anything on its way. A form or a call that changes something has.
    """
    if request.method in ("GET", "HEAD"):
        sleep(0)
