"""Followers of shifts: what other capabilities bring to the state of a shift, in the transaction that changed it.

A capability declares `AFTER_SHIFT` in `domain/<capability>/after_shift.py`; this package imports none of them.
"""

from collections.abc import Awaitable, Callable
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules

import domain
from domain.access import Tx
from domain.shifts.model import Shift

Follower = Callable[[Tx, Shift], Awaitable[None]]


async def tell_followers(tx: Tx, shift: Shift) -> None:
    """Let every follower look at a shift that changed; its row is locked."""
    await tx.session.flush()
    for follow in _followers():
        await follow(tx, shift)


@cache
def _followers() -> tuple[Follower, ...]:
    packages = sorted(each.name for each in iter_modules(domain.__path__, "domain.") if each.ispkg)
    return tuple(
        import_module(f"{name}.after_shift").AFTER_SHIFT
        for name in packages
        if find_spec(f"{name}.after_shift")
    )
