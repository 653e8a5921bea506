"""Password rules and the bounded, constant work behind them."""

import threading
import unicodedata

import pytest

from quiz.errors import Refusal
from quiz.services import passwords


@pytest.mark.parametrize(
    "weak",
    [
        "",
        "ngắn",
        "1234567",
        "12345678",
        "87654321",
        "aaaaaaaa",
        "aabbaabb",
        "abcdefgh",
        "Password",
        "matkhau123",
        "0912345678",
        "+84912345678",
        "x1y2" * 50,
    ],
)
def test_weak_passwords_are_told_what_they_lack(weak: str) -> None:
    assert passwords.complaint(weak, "+84912345678") is not None


@pytest.mark.parametrize("good", ["mùa xuân 1946", "tre-xanh-2025", "correct horse", "Quốc hội 80", "0987654322"])
def test_good_passwords_pass(good: str) -> None:
    assert passwords.complaint(good, "+84912345678") is None


def test_a_hash_fits_its_password_alone() -> None:
    stored = passwords.hash_password("mùa xuân 1946")
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert passwords.verify(stored, "mùa xuân 1946")
    assert not passwords.verify(stored, "mùa xuân 1947")
    assert stored != passwords.hash_password("mùa xuân 1946")


def test_composed_and_decomposed_letters_are_the_same_password() -> None:
    stored = passwords.hash_password(unicodedata.normalize("NFD", "mùa xuân 1946"))
    assert passwords.verify(stored, unicodedata.normalize("NFC", "mùa xuân 1946"))


@pytest.mark.parametrize("stored", [None, "", "no hash", "$argon2id$v=19$broken"])
def test_without_a_hash_nothing_fits(stored: str | None) -> None:
    assert not passwords.verify(stored, "nobody's password")


def test_a_flood_is_refused_before_anything_is_hashed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "WAITING_LIMIT", 3)
    inside, release = threading.Semaphore(0), threading.Event()
    hashed = []

    class Slow:
        def hash(self, password: str) -> str:
            inside.release()
            assert release.wait(30)
            hashed.append(password)
            return "hash"

    monkeypatch.setattr(passwords, "_hasher", Slow())
    threads = [threading.Thread(target=passwords.hash_password, args=(f"mùa xuân {n}",)) for n in range(3)]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert inside.acquire(timeout=30)
    with pytest.raises(Refusal, match="too_many_requests") as refused:
        passwords.hash_password("one too many")
    assert refused.value.retry_after == passwords.RETRY_AFTER
    release.set()
    for thread in threads:
        thread.join(30)
    assert len(hashed) == 3
    assert passwords.hash_password("there is room again") == "hash"


def test_under_gevent_the_loop_goes_on_while_passwords_are_hashed() -> None:
    """In a process of its own, because patching can't be undone."""
    import subprocess
    import sys

    script = """
from gevent import monkey; monkey.patch_all()
import gevent, time
from quiz.services import passwords
ticks = 0
def tick():
    global ticks
    while True:
        ticks += 1
        gevent.sleep(0.001)
gevent.spawn(tick)
jobs = [gevent.spawn(passwords.hash_password, "mua xuan 1946") for _ in range(8)]
gevent.joinall(jobs)
assert all(job.value.startswith("$argon2id$") for job in jobs)
assert ticks >= 10, ticks
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
