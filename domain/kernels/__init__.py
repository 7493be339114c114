"""Numba kernels: clocks, windows, scores. NumPy in, NumPy out, one semantics for one and for all.

Names are loaded on first use: NumPy costs 0.1 s and numba 0.4 s, and most commands need neither.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from domain.kernels.kinds import EventKind, PromiseClass, State

if TYPE_CHECKING:
    from domain.kernels.batch import HorizonTooShort, verdicts
    from domain.kernels.columns import (
        Calendars,
        Event,
        Events,
        Promise,
        Promises,
        Verdicts,
        event_columns,
        promise_columns,
    )

__all__ = [
    "Calendars",
    "Event",
    "EventKind",
    "Events",
    "HorizonTooShort",
    "Promise",
    "PromiseClass",
    "Promises",
    "State",
    "Verdicts",
    "event_columns",
    "promise_columns",
    "verdicts",
]

_HOME = dict.fromkeys(("HorizonTooShort", "verdicts"), "batch")


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_HOME.get(name, 'columns')}"), name)
    globals()[name] = found
    return found
