"""Values that never change are cached up to a number, by all threads of a process."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from domain.agreements import reads
from domain.agreements.model import PromiseTerm
from domain.core.constants_cache import ConstantsCache
from domain.core.db import Sessions
from tests import build


def test_the_oldest_value_makes_room() -> None:
    cache: ConstantsCache[int, str] = ConstantsCache(2)
    cache.add({1: "one", 2: "two"})
    cache.add({3: "three"})
    assert cache.known([1, 2, 3]) == {2: "two", 3: "three"}
    assert (cache.get(1), cache.get(3)) == (None, "three")


def test_threads_share_a_cache_that_is_full() -> None:
    cache: ConstantsCache[int, int] = ConstantsCache(3)

    def use(start: int) -> None:
        for key in range(start, start + 3_000):
            cache.add({key % 7: key % 7})
            found = cache.known(range(7))
            assert len(found) <= 3
            assert all(key == value for key, value in found.items())
            assert cache.get(key % 7) in {None, key % 7}

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(use, range(4)))


@pytest.mark.anyio
async def test_more_terms_than_are_cached_are_found_all_the_same(
    make: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    await build.client(make)
    monkeypatch.setattr(reads, "_cache", ConstantsCache(1))
    async with make() as session:
        ids = set(await session.scalars(select(PromiseTerm.id)))
        assert len(ids) > 1
        for _ in range(2):
            assert (await reads.terms_by_id(session, ids)).keys() == ids
