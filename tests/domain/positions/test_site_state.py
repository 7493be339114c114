"""How a site stands, by who is expected there, who is inside and who is absent."""

from uuid import UUID

import pytest

from domain.positions import SiteState, site_state

ANNE, BRAM = UUID(int=1), UUID(int=2)
NOBODY: frozenset[UUID] = frozenset()
A, B, AB = frozenset({ANNE}), frozenset({BRAM}), frozenset({ANNE, BRAM})


@pytest.mark.parametrize(
    ("expected", "inside", "absent", "stands"),
    [
        (NOBODY, NOBODY, NOBODY, SiteState.UNWATCHED),
        (NOBODY, A, NOBODY, SiteState.COVERED),
        (A, A, NOBODY, SiteState.COVERED),
        (A, AB, NOBODY, SiteState.COVERED),
        (AB, AB, NOBODY, SiteState.COVERED),
        (A, NOBODY, NOBODY, SiteState.EXPECTED),
        (A, B, NOBODY, SiteState.EXPECTED),
        (AB, A, NOBODY, SiteState.EXPECTED),
        (A, NOBODY, A, SiteState.ABSENT),
        (A, B, A, SiteState.ABSENT),
        (AB, A, B, SiteState.ABSENT),
        (AB, NOBODY, A, SiteState.ABSENT),
    ],
)
def test_a_fenced_site_stands_by_the_first_that_holds(
    expected: frozenset[UUID],
    inside: frozenset[UUID],
    absent: frozenset[UUID],
    stands: SiteState,
) -> None:
    assert site_state(expected, inside, absent, fenced=True) is stands


@pytest.mark.parametrize("inside", [NOBODY, A])
@pytest.mark.parametrize("absent", [NOBODY, A])
def test_without_a_fence_nothing_is_proven(
    inside: frozenset[UUID], absent: frozenset[UUID]
) -> None:
    assert site_state(A, inside, absent, fenced=False) is SiteState.UNPROVEN
    assert site_state(NOBODY, inside, absent, fenced=False) is SiteState.UNWATCHED
