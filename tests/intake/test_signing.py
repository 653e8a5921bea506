"""What we signed comes back; what anybody else made, or changed by one bit, does not."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quiz.config import SigningKey
from quiz.intake.errors import InvalidPaper
from quiz.intake.signing import EntryName, Signer
from tests.making import OPENS, paper

K1, K2 = SigningKey("k1", b"\x01" * 32), SigningKey("k2", b"\x02" * 32)
SHEET = b"answers and prediction"
BASE64 = string.ascii_letters + string.digits + "-_"


@pytest.fixture
def signer() -> Signer:
    return Signer([K1])


names = st.builds(
    EntryName,
    round_id=st.integers(1, 2**24 - 1),
    participant=st.integers(1, 2**40 - 1),
    issuer=st.integers(0, 255),
    attempt=st.integers(1, 32_767),
)


def test_a_paper_comes_back_as_it_was_signed(signer: Signer) -> None:
    for made in (paper(), paper(session=9, device="ab", channel="qr")):
        token, signed = signer.sign_paper(made)
        assert signer.verify_paper(token) == signed
        assert signed.paper == made


def test_a_token_has_no_character_that_a_form_or_an_address_would_change(signer: Signer) -> None:
    token, _ = signer.sign_paper(paper())
    assert set(token) <= set(BASE64 + ".")
    assert len(token) < 150


def test_no_character_of_a_token_can_be_another(signer: Signer) -> None:
    """Base64's spare bits included: a paper has exactly one spelling, or it could be handed in under two."""
    for made in (paper(), paper(unit=1), paper(unit=300), paper(channel="x")):  # other lengths, other spare bits
        token, _ = signer.sign_paper(made)
        for place, right in enumerate(token):
            for other in {"A", "B", "_", "+", "=", "é", ".", chr(ord(right) ^ 1), chr(ord(right) ^ 4)} - {right}:
                with pytest.raises(InvalidPaper):
                    signer.verify_paper(token[:place] + other + token[place + 1 :])


def test_nor_can_it_be_longer_or_shorter(signer: Signer) -> None:
    token, _ = signer.sign_paper(paper())
    for wrong in (token[:-1], token + "A", token + "=", f" {token}", f"{token}\n", token + ".", "1" + token):
        with pytest.raises(InvalidPaper):
            signer.verify_paper(wrong)


@pytest.mark.parametrize("spelling", range(len(BASE64)))
def test_the_last_character_has_one_spelling(signer: Signer, spelling: int) -> None:
    token, _ = signer.sign_paper(paper())
    other = token[:-1] + BASE64[spelling]
    if other != token:
        with pytest.raises(InvalidPaper):
            signer.verify_paper(other)


@given(st.text(max_size=200))
def test_garbage_is_no_paper(text: str) -> None:
    signer = Signer([K1])
    for token in (text, f"1.k1.{text}"):
        with pytest.raises(InvalidPaper):
            signer.verify_paper(token)


def test_another_installations_paper_is_none_of_ours(signer: Signer) -> None:
    forger = Signer([SigningKey("k1", b"\x09" * 32)])
    with pytest.raises(InvalidPaper):
        signer.verify_paper(forger.sign_paper(paper())[0])


def test_keys_rotate_without_a_paper_being_lost() -> None:
    old_token, _ = Signer([K1]).sign_paper(paper())
    both = Signer([K2, K1])
    assert both.verify_paper(old_token).key_id == "k1"
    assert both.sign_paper(paper())[1].key_id == "k2"
    with pytest.raises(InvalidPaper):
        Signer([K2]).verify_paper(old_token)


def test_a_key_cannot_be_swapped_for_another(signer: Signer) -> None:
    token, _ = signer.sign_paper(paper())
    with pytest.raises(InvalidPaper):
        Signer([K2, K1]).verify_paper(token.replace(".k1.", ".k2."))


def test_purposes_never_share_a_mac(signer: Signer) -> None:
    sealed = signer.seal(b"bearer", b"payload")
    assert signer.unseal(b"bearer", sealed) == b"payload"
    assert signer.unseal(b"paper", sealed) is None
    with pytest.raises(InvalidPaper):
        signer.verify_paper(f"1.{sealed}")


@given(st.text(max_size=80))
def test_garbage_is_no_sealed_payload(text: str) -> None:
    signer = Signer([K1])
    for sealed in (text, f"k1.{text}"):
        assert signer.unseal(b"bearer", sealed) is None


@given(st.binary(max_size=40))
def test_a_sealed_payload_has_one_spelling(payload: bytes) -> None:
    signer = Signer([K1])
    sealed = signer.seal(b"bearer", payload)
    assert signer.unseal(b"bearer", sealed) == payload
    spellings = {sealed[:-1] + other for other in BASE64} | {sealed + "=", sealed + "=="}
    assert [s for s in spellings if signer.unseal(b"bearer", s) is not None] == [sealed]


# Receipts


@given(names)
def test_a_receipt_names_its_entry(name: EntryName) -> None:
    signer = Signer([K2, K1])
    assert signer.read_receipt(signer.identity_of(name)) == name
    # Given under the old key before it was rotated.
    assert signer.read_receipt(Signer([K1]).identity_of(name)) == name


def test_a_receipt_is_the_same_for_each_hand_in_but_its_proof_is_not(signer: Signer) -> None:
    _, signed = signer.sign_paper(paper())
    assert signer.identity(signed) == signer.identity(signer.verify_paper(signer.sign_paper(paper())[0]))
    assert signer.proof(signed, SHEET, OPENS) != signer.proof(signed, SHEET, OPENS + 1)
    assert signer.proof(signed, SHEET, OPENS) != signer.proof(signed, b"other answers", OPENS)


def test_a_receipt_survives_being_copied_by_hand(signer: Signer) -> None:
    _, signed = signer.sign_paper(paper())
    receipt = f"{signer.identity(signed)}-{signer.proof(signed, SHEET, OPENS)}"
    assert len(receipt) == 49
    for copied in (receipt.lower(), f"  {receipt}\n", receipt[:24]):
        name = signer.read_receipt(copied)
        assert name == EntryName(round_id=7, participant=123_456, issuer=0, attempt=2)
    assert signer.proven_time(signed, SHEET, f" {receipt.lower()} ") == OPENS


@given(st.text(max_size=60) | st.text(alphabet="ABCDEFGHIJKLMNOPQRSTUVWXYZ234567é١", min_size=24, max_size=24))
def test_garbage_is_no_receipt(text: str) -> None:
    signer = Signer([K1])
    assert signer.read_receipt(text) is None
    assert signer.proven_time(signer.sign_paper(paper())[1], SHEET, text) is None


def test_no_character_of_a_receipt_can_be_another(signer: Signer) -> None:
    """32 bits guard an identity besides who may look it up; a neighbour's receipt isn't found by counting up."""
    identity = signer.identity_of(EntryName(7, 123_456, 0, 2))
    for place, right in enumerate(identity):
        for other in set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") - {right}:
            assert signer.read_receipt(identity[:place] + other + identity[place + 1 :]) is None


def test_neighbours_have_receipts_that_look_unlike(signer: Signer) -> None:
    receipts = [signer.identity_of(EntryName(7, participant, 0, 1)) for participant in range(1, 201)]
    assert len({receipt[:4] for receipt in receipts}) > 190
    assert len({receipt[-4:] for receipt in receipts}) > 190


def test_a_proof_proves_this_paper_sheet_and_time_only(signer: Signer) -> None:
    _, signed = signer.sign_paper(paper())
    identity, proof = signer.identity(signed), signer.proof(signed, SHEET, OPENS)
    assert signer.proven_time(signed, SHEET, f"{identity}-{proof}") == OPENS

    _, other = signer.sign_paper(paper(attempt=3))
    assert signer.proven_time(other, SHEET, f"{identity}-{proof}") is None
    assert signer.proven_time(other, SHEET, f"{signer.identity(other)}-{proof}") is None
    assert signer.proven_time(signed, b"better answers", f"{identity}-{proof}") is None
    for place, right in enumerate(proof):  # among them every earlier time
        for wrong in set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") - {right}:
            changed = proof[:place] + wrong + proof[place + 1 :]
            assert signer.proven_time(signed, SHEET, f"{identity}-{changed}") is None
