"""What the launcher makes of the environment, before it starts anything."""

from __future__ import annotations

import configparser
import os
from pathlib import Path

import pytest

from deploy import embedded, stack
from deploy.errors import SetupError

SECRETS = {"SECRET_KEY": "s" * 32, "QUIZ80_SIGNING_KEYS": f"k1:{'0' * 64}"}
OWN = {"DATABASE_URL": "postgresql+psycopg://somewhere/quiz", "REDIS_URL": "redis://somewhere"}


@pytest.fixture
def var(tmp_path: Path) -> dict[str, str]:
    return {"VAR": str(tmp_path / "var")}


@pytest.mark.parametrize("alone", OWN)
def test_one_server_without_the_other_is_refused(var: dict[str, str], alone: str) -> None:
    with pytest.raises(SetupError, match="Set both"):
        stack.build({**var, **SECRETS, alone: OWN[alone]})


@pytest.mark.parametrize("missing", SECRETS)
def test_own_servers_demand_own_secrets(var: dict[str, str], missing: str) -> None:
    given = {name: value for name, value in SECRETS.items() if name != missing}
    with pytest.raises(SetupError, match=missing):
        stack.build({**var, **OWN, **given})


def test_own_servers_get_nothing_embedded(var: dict[str, str]) -> None:
    built = stack.build({**var, **OWN, **SECRETS, "QUIZ80_EMBEDDED": "1"})
    assert built.servers is None
    assert built.environment["QUIZ80_EMBEDDED"] == "0"
    assert built.environment["DATABASE_URL"] == OWN["DATABASE_URL"]
    assert built.server_parts() == []
    assert not (built.var / "secrets.env").exists()
    assert not (built.var / "postgres").exists()
    assert stack.supervisor_socket(built).parent.is_dir()


def test_secrets_may_come_as_files(var: dict[str, str]) -> None:
    given = {f"{name}_FILE": "/run/secrets/one" for name in SECRETS}
    assert stack.build({**var, **OWN, **given}).servers is None


@pytest.mark.parametrize(
    ("name", "value"), [("PORT", "0"), ("PORT", "65536"), ("PORT", "http"), ("WORKERS", "-1"), ("WEB_CONCURRENCY", "x")]
)
def test_numbers_out_of_range_are_named(var: dict[str, str], name: str, value: str) -> None:
    with pytest.raises(SetupError, match=f"{name} must be a number"):
        stack.build({**var, **OWN, **SECRETS, name: value})


def test_the_parts_are_those_promised(var: dict[str, str]) -> None:
    built = stack.build({**var, **OWN, **SECRETS, "WORKERS": "3"})
    names = [part.name for part in built.application_parts()]
    assert names == ["web", "worker-1", "worker-2", "worker-3", "scheduler"]


def test_the_supervisor_gives_nobody_up_and_reads_no_secret(var: dict[str, str]) -> None:
    odd = {"VAR": f"{var['VAR']} 100%"}  # a supervisor's own special character
    built = stack.build({**odd, **OWN, **SECRETS})
    path = stack.write_supervisor_settings(built)
    read = configparser.RawConfigParser()
    read.read(path)
    programs = [name for name in read.sections() if name.startswith("program:")]
    assert len(programs) == len(built.application_parts())
    for program in programs:
        assert read[program]["autorestart"] == "true"
        assert read[program]["startsecs"] == "0"  # anything else lets the back-off grow without end
    text = path.read_text(encoding="utf-8")
    assert not any(value in text for value in (*SECRETS.values(), *OWN.values()))


def test_embedded_secrets_are_made_once(var: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded.Postgres, "prepare", lambda _self: None)  # its files are tested elsewhere
    first, second = (stack.build(var).environment for _ in range(2))
    for name in SECRETS:
        assert first[name] == second[name]
    assert first["QUIZ80_EMBEDDED"] == "1"
    assert first["QUIZ80_SIGNING_KEYS"].startswith("k1:")
    other = stack.build({"VAR": f"{var['VAR']}-2"}).environment
    assert other["SECRET_KEY"] != first["SECRET_KEY"]


def test_the_address_can_be_opened(var: dict[str, str]) -> None:
    everywhere = stack.build({**var, **OWN, **SECRETS, "HOST": "0.0.0.0", "PORT": "9000"})  # noqa: S104
    assert everywhere.address == "http://127.0.0.1:9000"


def test_a_relative_var_lies_in_the_checkout() -> None:
    assert stack.var_folder({"VAR": "var-x"}) == stack.ROOT / "var-x"
    assert stack.var_folder({}) == stack.ROOT / "var"
    assert os.path.isabs(stack.var_folder({"VAR": "../x"}))
