"""Lists and numbers count the rows that the page about visibility promises, for everybody inside a company."""

import sys

import pytest

from tests.api.asking import Api
from tests.gate.mistakes import Mistake, mistakes_counted
from tests.gate.roles_counting import Counting
from tests.gate.test_roles import api, everything

__all__ = ["api"]
LEAST = 7
ARMED = 0.5
"""Most values of an enum are the state of no row."""


@pytest.mark.slow
async def test_lists_and_numbers_count_what_the_page_says(api: Api) -> None:
    roles, everybody = await everything(api)
    found = await Counting(roles).run(everybody)
    sys.stdout.write(f"{found}\n")
    assert found.found == [], "\n".join(found.found)
    assert found.share >= ARMED
    assert len(found.probes) > 2_000


@pytest.mark.slow
async def test_each_mistake_in_what_is_counted_is_found(api: Api) -> None:
    roles, everybody = await everything(api)
    by_name = {asker.name: asker for asker in everybody}

    async def found_by(mistake: Mistake) -> list[str]:
        only = frozenset({mistake.only})
        return (await Counting(roles).run([by_name[mistake.asker]], only=only)).found

    missed, made = [], mistakes_counted()
    for mistake in made:
        without = await found_by(mistake)
        with mistake.make(roles.schema):
            if without or not await found_by(mistake):
                missed.append(f"{mistake.name} ({mistake.only}): {without[:2]}")
    sys.stdout.write(f"{len(made)} mistakes, {len(missed)} missed: {missed}\n")
    assert missed == []
    assert len(made) >= LEAST
