"""Cursors give back what was put in, to whom it was given, and to nobody else."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.core import cursor
from domain.core.errors import Code, Refused

SECRET, TENANT, OTHER = b"s" * 32, UUID(int=1), UUID(int=2)
VALUES = st.lists(
    st.none() | st.text(max_size=30) | st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=4
)


def refused(token: str, *, tenant: UUID = TENANT, secret: bytes = SECRET) -> bool:
    with pytest.raises(Refused) as raised:
        cursor.decode(secret, tenant, token)
    return raised.value.refusal.code is Code.CURSOR_INVALID


@given(values=VALUES)
def test_a_cursor_gives_back_what_was_put_in(values: list[str | int | None]) -> None:
    assert cursor.decode(SECRET, TENANT, cursor.encode(SECRET, TENANT, values)) == values


@given(values=VALUES)
def test_it_is_nobody_elses(values: list[str | int | None]) -> None:
    token = cursor.encode(SECRET, TENANT, values)
    assert refused(token, tenant=OTHER)
    assert refused(token, secret=b"t" * 32)


@given(values=VALUES, at=st.integers(0, 10_000), other=st.characters())
def test_a_changed_character_is_noticed(
    values: list[str | int | None], at: int, other: str
) -> None:
    token = cursor.encode(SECRET, TENANT, values)
    at %= len(token) - 1  # the last character of base64 has bits that mean nothing
    if token[at] != other:
        assert refused(token[:at] + other + token[at + 1 :])


@given(token=st.text(max_size=200) | st.binary(max_size=600).map(bytes.hex))
def test_nonsense_is_refused(token: str) -> None:
    assert refused(token)


def test_neighbouring_numbers_look_nothing_alike() -> None:
    tokens = [cursor.of_seq(SECRET, TENANT, seq) for seq in (1000, 1001)]
    same = sum(a == b for a, b in zip(*tokens, strict=True))
    assert same < len(tokens[0]) / 3, "the number counts all companies' facts and is not to be read"


def test_a_page_cursor_is_no_place_in_the_ledger() -> None:
    with pytest.raises(Refused):
        cursor.seq_of(SECRET, TENANT, cursor.encode(SECRET, TENANT, ["incident.opened_at", 5]))


@pytest.mark.parametrize("length", range(8))
def test_a_cursor_has_one_spelling(length: int) -> None:
    secret, tenant_id = b"secret", UUID(int=1)
    own = cursor.encode(secret, tenant_id, ["x" * length, 1])
    assert cursor.decode(secret, tenant_id, own) == ["x" * length, 1]
    last = own[-1]
    others = {
        own[:-1] + each for each in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef0123456789-_" if each != last
    }
    near = {
        f" {own}",
        f"{own} ",
        f"{own}\n",
        f"{own}=",
        f"{own[:9]}!{own[9:]}",
        own + "A",
        own[:-1],
    }
    for token in near | others:
        with pytest.raises(Refused):
            cursor.decode(secret, tenant_id, token)
