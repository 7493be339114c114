"""Scopes of a key in combination grant what each grants alone, and nothing that comes of having both."""

from itertools import combinations

import pytest

from domain.access.rights import DEFAULT_SCOPES, RIGHTS, SCOPES, Role, rights_of_scopes

PAIRS = list(combinations(sorted(SCOPES), 2))


@pytest.mark.parametrize("scope", sorted(SCOPES))
def test_a_scope_grants_no_right_that_the_role_of_partners_lacks(scope: str) -> None:
    assert rights_of_scopes([scope]) <= RIGHTS[Role.PARTNER]


def test_two_scopes_grant_what_each_of_them_grants() -> None:
    assert len(PAIRS) > 100
    for pair in PAIRS:
        alone = [rights_of_scopes([scope]) for scope in pair]
        assert rights_of_scopes(pair) == alone[0] | alone[1], pair


def test_reading_scopes_together_change_nothing() -> None:
    reading = [scope for scope in SCOPES if scope.endswith(":read")]
    granted = {right.value for right in rights_of_scopes(reading)}
    assert {right for right in granted if not right.startswith("read_")} <= {"locate"}
    assert set(DEFAULT_SCOPES) <= SCOPES.keys()
