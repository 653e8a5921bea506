"""The servers out of the wheels: what a receipt and a count stand on must survive being killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from deploy import embedded, processes
from deploy.errors import SetupError


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[embedded.Servers]:
    with embedded.servers(tmp_path_factory.mktemp("embedded")) as both:
        yield both


@pytest.fixture
def own_folder(tmp_path: Path) -> Path:
    return tmp_path / "var"


def query(servers: embedded.Servers, text: str) -> str:
    url = servers.database_url.replace("postgresql+psycopg://", "postgresql://")
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(text.encode())
        row = cursor.fetchone() if cursor.description else None
        return str(row[0]) if row else ""


def client(servers: embedded.Servers) -> redis.Redis:
    return redis.Redis.from_url(servers.redis_url, decode_responses=True)


@pytest.mark.parametrize(
    ("setting", "value"),
    [("fsync", "on"), ("synchronous_commit", "on"), ("full_page_writes", "on"), ("listen_addresses", "")],
)
def test_postgres_is_durable_and_private(servers: embedded.Servers, setting: str, value: str) -> None:
    assert query(servers, f"SHOW {setting}") == value


def test_postgres_knows_vietnamese_letters(servers: embedded.Servers) -> None:
    assert query(servers, "SHOW server_encoding") == "UTF8"
    assert query(servers, "SELECT upper('đoàn viên, thanh niên')") == "ĐOÀN VIÊN, THANH NIÊN"


@pytest.mark.parametrize(
    ("setting", "value"),
    [("appendonly", "yes"), ("appendfsync", "always"), ("maxmemory-policy", "noeviction"), ("port", "0")],
)
def test_redis_is_durable_and_private(servers: embedded.Servers, setting: str, value: str) -> None:
    assert client(servers).config_get(setting) == {setting: value}


def test_both_ask_for_the_password(servers: embedded.Servers) -> None:
    with pytest.raises(redis.AuthenticationError):
        redis.Redis(unix_socket_path=str(servers.redis.socket), retry=Retry(NoBackoff(), 0)).ping()
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(host=str(servers.postgres.sockets), user=embedded.USER, password="wrong", dbname="quiz80")


def test_secrets_are_their_owners_alone(servers: embedded.Servers) -> None:
    for file in (servers.postgres.var / "secrets.env", servers.redis.settings):
        assert file.stat().st_mode & 0o077 == 0, file


def test_the_database_log_names_nobody(servers: embedded.Servers) -> None:
    query(servers, "CREATE TABLE IF NOT EXISTS once (phone text PRIMARY KEY)")
    url = servers.database_url.replace("postgresql+psycopg://", "postgresql://")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET log_min_duration_statement = 0")
        connection.execute("INSERT INTO once VALUES (%s) ON CONFLICT DO NOTHING", ["0912345678"])
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO once VALUES (%s)", ["0912345678"])
    log = servers.postgres.log.read_text(encoding="utf-8")
    assert "duplicate key" in log
    assert "INSERT INTO once" in log
    assert "0912345678" not in log


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user runs it as himself")
def test_postgres_does_not_run_as_root(servers: embedded.Servers) -> None:
    assert Path(f"/proc/{servers.postgres.pid}").stat().st_uid != 0


@pytest.mark.faults
def test_what_was_committed_survives_kill_9(servers: embedded.Servers) -> None:
    query(servers, "CREATE TABLE IF NOT EXISTS kept (word text)")
    query(servers, "INSERT INTO kept VALUES ('postgres')")
    client(servers).set("kept", "redis")

    for server in servers.each():
        server.kill9()
    for server in servers.each():
        server.start()

    assert query(servers, "SELECT word FROM kept") == "postgres"
    assert client(servers).get("kept") == "redis"


@pytest.mark.faults
def test_postgres_starts_although_its_old_pid_is_taken(servers: embedded.Servers) -> None:
    """In a container pids come again soon; PostgreSQL alone would refuse for good."""
    lock = servers.postgres.data / "postmaster.pid"
    left = lock.read_text(encoding="utf-8").split("\n", 1)
    servers.postgres.kill9()
    lock.write_text(f"{os.getpid()}\n{left[1]}", encoding="utf-8")

    servers.postgres.start()

    assert query(servers, "SELECT 1") == "1"


@pytest.mark.faults
def test_servers_restart_singly(servers: embedded.Servers) -> None:
    servers.redis.stop()
    assert query(servers, "SELECT 1") == "1"
    with pytest.raises(redis.ConnectionError):
        client(servers).ping()
    servers.redis.start()
    assert client(servers).ping() is True


def test_a_folder_has_one_owner(servers: embedded.Servers) -> None:
    script = "import sys, pathlib; from deploy import embedded\nwith embedded.servers(pathlib.Path(sys.argv[1])): pass"
    second = subprocess.run(
        [sys.executable, "-c", script, servers.redis.var],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
    )
    assert second.returncode != 0
    assert f"in use by pid {os.getpid()}" in second.stderr


@pytest.mark.faults
def test_a_killed_owner_leaves_no_server(own_folder: Path) -> None:
    script = (
        "import sys, pathlib, signal; from deploy import embedded\n"
        "with embedded.servers(pathlib.Path(sys.argv[1])) as s:\n"
        "    print(s.postgres.pid, s.redis.pid, s.cache.pid, flush=True); signal.pause()"
    )
    owner = subprocess.Popen(
        [sys.executable, "-c", script, own_folder],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
    )
    assert owner.stdout is not None
    pids = [int(pid) for pid in owner.stdout.readline().split()]
    found = [process for pid in pids if (process := processes.look_up(pid))]
    assert [process.part for process in found] == ["postgres", "redis", "cache"]

    owner.kill()
    owner.communicate()

    assert processes.await_end(found, 10) == []
    with embedded.servers(own_folder) as again:
        assert query(again, "SELECT 1") == "1"


@pytest.mark.faults
def test_a_killed_first_start_is_begun_anew(own_folder: Path) -> None:
    """Half a cluster must not be taken for a whole one."""
    began = own_folder / "postgres.new"
    owner = subprocess.Popen(
        [sys.executable, "-m", "deploy.embedded", own_folder], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    assert processes.await_true((began / "base").exists, 10)
    owner.kill()
    owner.wait()

    with embedded.servers(own_folder) as again:
        assert query(again, "SELECT current_database()") == embedded.DATABASE


def test_they_start_quickly(own_folder: Path) -> None:
    began = time.monotonic()
    with embedded.servers(own_folder, durable=False) as both:
        assert query(both, "SHOW fsync") == "off"
        assert client(both).config_get("appendfsync") == {"appendfsync": "always"}
    assert time.monotonic() - began < 15  # 1 s on an idle machine


def test_a_path_too_long_for_a_socket_gets_a_short_one(tmp_path: Path) -> None:
    far = tmp_path / ("a" * 60) / ("b" * 60)
    assert embedded.socket_folder(tmp_path / "var") == tmp_path / "var" / "sockets"
    short = embedded.socket_folder(far)
    assert len(os.fsencode(short)) + embedded.LONGEST_SOCKET <= embedded.SOCKET_PATH_LIMIT
    assert short != embedded.socket_folder(far / "c")


def test_lost_secrets_are_said_not_replaced(own_folder: Path) -> None:
    own_folder.mkdir()
    (own_folder / "secrets.env").write_text("SECRET_KEY=x\n", encoding="ascii")
    with pytest.raises(SetupError, match="POSTGRES_PASSWORD"), embedded.servers(own_folder):
        pass


def test_data_without_its_secrets_is_refused(own_folder: Path) -> None:
    (own_folder / "postgres").mkdir(parents=True)
    with pytest.raises(SetupError, match="Put it back"), embedded.servers(own_folder):
        pass
    assert not (own_folder / "secrets.env").exists()


def test_signals_of_the_stop_are_the_orderly_ones(servers: embedded.Servers) -> None:
    assert servers.postgres.stop_signal == signal.SIGINT
    assert servers.redis.stop_signal == signal.SIGTERM
