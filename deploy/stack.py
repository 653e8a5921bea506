"""What one `make run` consists of, read once from the environment."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy import embedded, processes, secret_file
from deploy.errors import SetupError

ROOT = Path(__file__).resolve().parent.parent
GIVEN = ("DATABASE_URL", "REDIS_URL")
SECRETS = ("SECRET_KEY", "QUIZ80_SIGNING_KEYS")


@dataclass(frozen=True)
class Part:
    """One supervised process."""

    name: str
    command: list[str]
    stop_signal: str = "TERM"
    stop_seconds: int = 10
    # Signal the whole process group on a stop, not the first process alone.
    stop_group: bool = False


@dataclass(frozen=True)
class Stack:
    var: Path
    host: str
    port: int
    workers: int
    environment: dict[str, str] = field(repr=False)  # holds secrets
    servers: embedded.Servers | None = None

    @property
    def address(self) -> str:
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host  # noqa: S104 - compared, not bound
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def log(self) -> Path:
        return self.var / "log"

    def server_parts(self) -> list[Part]:
        if self.servers is None:
            return []
        servers = self.servers
        return [
            Part("postgres", servers.postgres.command(), stop_signal="INT", stop_seconds=60),
            Part("redis", servers.redis.command(), stop_seconds=20),
            Part("cache", servers.cache.command(), stop_seconds=20),
        ]

    def application_parts(self) -> list[Part]:
        python = sys.executable
        workers = (f"worker-{number}" for number in range(1, self.workers + 1))
        return [
            Part("web", [python, "-m", "gunicorn", "--config", "gunicorn.conf.py", "wsgi:app"]),
            *(Part(name, [python, "-m", "scoring.worker", "--name", name]) for name in workers),
            Part("scheduler", [python, "-m", "scoring.schedule"]),
        ]


def var_folder(given: Mapping[str, str]) -> Path:
    return (ROOT / (given.get("VAR") or "var")).resolve()


def build(given: Mapping[str, str]) -> Stack:
    """Settings, and in embedded mode the files of the servers. Starts nothing."""
    var = var_folder(given)
    for folder in (var, var / "run", var / "log"):
        folder.mkdir(parents=True, exist_ok=True)
    embedded.make_socket_folder(embedded.socket_folder(var))
    own, servers = _servers(given, var)
    port = _number(given, "PORT", 8000, 65535)
    host = given.get("HOST") or "127.0.0.1"
    processes_of_web = _number(given, "WEB_CONCURRENCY", 2, 64)
    environment = {
        **given,
        **own,
        "VAR": str(var),
        "HOST": host,
        "PORT": str(port),
        "WEB_CONCURRENCY": str(processes_of_web),
        processes.STACK: str(var),
        # Logs are read while things happen, also through a pipe.
        "PYTHONUNBUFFERED": "1",
    }
    return Stack(var, host, port, _number(given, "WORKERS", 2, 64), environment, servers)


def port_of(given: Mapping[str, str]) -> int:
    return _number(given, "PORT", 8000, 65535)


def _servers(given: Mapping[str, str], var: Path) -> tuple[dict[str, str], embedded.Servers | None]:
    named = [name for name in GIVEN if _given(given, name)]
    if not named:
        return _embedded(given, var)
    if len(named) < len(GIVEN):
        other = next(name for name in GIVEN if name not in named)
        raise SetupError(f"{named[0]} is set but {other} is not. Set both, or neither for the embedded servers.")
    missing = [name for name in SECRETS if not _given(given, name)]
    if missing:
        raise SetupError(
            f"With your own servers the secrets must be yours too: set {' and '.join(missing)}. "
            "SECRET_KEY is any long random text; QUIZ80_SIGNING_KEYS is k1:<64 hexadecimal digits>."
        )
    # Demo logins belong to the embedded servers alone, whatever the shell still has set.
    return {"QUIZ80_EMBEDDED": "0"}, None


def _given(given: Mapping[str, str], name: str) -> bool:
    """Directly or, the way containers hand over secrets, as a file. Whether the value is good the application says."""
    return bool(given.get(name) or given.get(f"{name}_FILE"))


def _embedded(given: Mapping[str, str], var: Path) -> tuple[dict[str, str], embedded.Servers]:
    servers = embedded.of(var)
    known = secret_file.load_or_create(var / "secrets.env")
    return {
        "DATABASE_URL": servers.database_url,
        "REDIS_URL": servers.redis_url,
        "INTAKE_REDIS_URL": servers.redis_url,
        "QUEUE_REDIS_URL": servers.redis_url,
        "CACHE_REDIS_URL": servers.cache_url,
        **{name: known[name] for name in SECRETS if not _given(given, name)},
        "QUIZ80_EMBEDDED": "1",
        "QUIZ80_POSTGRES_SOCKETS": str(servers.postgres.sockets),
    }, servers


def _number(given: Mapping[str, str], name: str, default: int, largest: int) -> int:
    text = given.get(name) or str(default)
    if not text.isdecimal() or not 1 <= int(text) <= largest:
        raise SetupError(f"{name} must be a number from 1 to {largest}, not {text!r}.")
    return int(text)


# ---------------------------------------------------------------- supervisord


def supervisor_socket(stack: Stack) -> Path:
    return embedded.socket_folder(stack.var) / "supervisor"


def write_supervisor_settings(stack: Stack) -> Path:
    run = stack.var / "run"
    sections = [
        _section(
            "supervisord",
            nodaemon="true",
            silent="true",
            logfile=stack.log / "supervisord.log",
            logfile_maxbytes="5MB",
            logfile_backups=3,
            loglevel="info",
            pidfile=run / "supervisord.pid",
            childlogdir=stack.log,
            directory=ROOT,
            strip_ansi="true",
            minfds=4096,
            # The launcher's environment is this process's own, secrets included: nothing of it goes into this file.
            **({"user": "root"} if os.geteuid() == 0 else {}),
        ),
        _section("unix_http_server", file=supervisor_socket(stack), chmod="0700"),
        _section("rpcinterface:supervisor", **{"supervisor.rpcinterface_factory": RPC_FACTORY}),
    ]
    # A higher priority stops first: the application before the servers it needs.
    for group, priority, autostart, parts in (
        ("servers", 100, True, stack.server_parts()),
        ("application", 200, False, stack.application_parts()),
    ):
        if parts:
            sections.append(_section(f"group:{group}", programs=",".join(p.name for p in parts), priority=priority))
            sections.extend(_program(stack, part, autostart=autostart) for part in parts)
    path = run / "supervisord.conf"
    path.write_text("\n".join(sections), encoding="utf-8")
    return path


RPC_FACTORY = "supervisor.rpcinterface:make_main_rpcinterface"


def _program(stack: Stack, part: Part, *, autostart: bool) -> str:
    command = [sys.executable, "-S", "-m", "deploy.part", part.name, *part.command]
    return _section(
        f"program:{part.name}",
        command=shlex.join(command),
        directory=ROOT,
        autostart="true" if autostart else "false",
        autorestart="true",
        # 0: a part counts as started at once, so it is started again at once and forever; deploy.part holds back one
        # that dies young. With a positive number the back-off would grow past the 10 s a part may be away.
        startsecs=0,
        stopsignal=part.stop_signal,
        stopwaitsecs=part.stop_seconds,
        stopasgroup="true" if part.stop_group else "false",
        # Past its time nothing of it may stay.
        killasgroup="true",
        redirect_stderr="true",
        # The supervisor expands this one value twice.
        stdout_logfile=str(stack.log / f"{part.name}.log").replace("%", "%%"),
        stdout_logfile_maxbytes="20MB",
        stdout_logfile_backups=5,
    )


def _section(name: str, **settings: object) -> str:
    lines = (f"{key} = {str(value).replace('%', '%%')}\n" for key, value in settings.items())
    return f"[{name}]\n" + "".join(lines)
