"""Every usual spelling of a Vietnamese mobile number is one number; what is none is said to be none."""

import pytest

from quiz.services.phones import InvalidPhone, normalize, shown

SPELLINGS = [
    "0912345678",
    "0912 345 678",
    "091 234 5678",
    "0912.345.678",
    "0912-345-678",
    "0912–345–678",
    "(0912) 345 678",
    "912345678",
    "+84912345678",
    "+84 912 345 678",
    "+84 0912 345 678",
    "+84 (0) 912 345 678",
    "(+84) 912.345.678",
    "84912345678",
    "84 912 345 678",
    "0084912345678",
    "0084 912 345 678",
    "  0912 345 678\n",
    "０９１２３４５６７８",
    "0912\u00a0345\u00a0678",
]


@pytest.mark.parametrize("typed", SPELLINGS)
def test_every_spelling_is_stored_one_way(typed: str) -> None:
    assert normalize(typed) == "+84912345678"


@pytest.mark.parametrize("start", ["032", "039", "052", "056", "059", "070", "079", "081", "086", "088", "089", "099"])
def test_all_mobile_prefixes(start: str) -> None:
    assert normalize(f"{start}1234567") == f"+84{start[1:]}1234567"


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "0",
        "abc",
        "091234567",
        "09123456789",
        "0241234567",
        "02412345678",
        "0123456789",
        "113",
        "19001234",
        "+1 202 555 0123",
        "+85512345678",
        "0912-HOTLINE",
        "0912345678x5",
        "0912345678;ext=5",
        "0912345678,0987654321",
        "\u0660\u0669\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668",
        "9" * 5000,
        "84 84 912 345 678",
    ],
)
def test_what_is_no_mobile_number_is_refused(typed: str) -> None:
    with pytest.raises(InvalidPhone):
        normalize(typed)


def test_an_old_number_is_refused_with_the_new_one() -> None:
    with pytest.raises(InvalidPhone) as refused:
        normalize("0166 234 5678")
    assert refused.value.message._kwargs == {"number": "0362345678"}


def test_shown_as_people_read_it() -> None:
    assert shown("+84912345678") == "0912 345 678"
