"""Lists and numbers count the rows that the page about visibility promises, for everybody inside a company."""

import pytest

from tests.api.asking import Api
from tests.gate.findings import must_be_harmless, must_find_each, must_find_nothing
from tests.gate.mistakes import Mistake, harmless_counted, mistakes_counted
from tests.gate.roles_counting import Counting
from tests.gate.test_roles import api, everything

__all__ = ["api"]
LEAST = 9
ARMED = 0.9


@pytest.mark.slow
async def test_lists_and_numbers_count_what_the_page_says(api: Api) -> None:
    roles, everybody = await everything(api)
    found = await Counting(roles).run(everybody)
    must_find_nothing(found, share=ARMED, probes=2_000)


@pytest.mark.slow
async def test_each_mistake_in_what_is_counted_is_found(api: Api) -> None:
    roles, everybody = await everything(api)
    by_name = {asker.name: asker for asker in everybody}

    async def found_by(mistake: Mistake) -> list[str]:
        only = frozenset({mistake.only})
        return (await Counting(roles).run([by_name[mistake.asker]], only=only)).found

    await must_find_each(mistakes_counted(), roles.schema, found_by, least=LEAST)
    await must_be_harmless(harmless_counted(), roles.schema, found_by)
