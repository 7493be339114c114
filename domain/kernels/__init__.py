"""Numba kernels: clocks, windows, scores. NumPy in, NumPy out, one semantics for one and for all.

Names are loaded on first use: NumPy costs 0.1 s and numba 0.4 s, and most commands need neither.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from domain.kernels.kinds import EventKind, PromiseClass, State

if TYPE_CHECKING:
    from domain.kernels.batch import HorizonTooShort, judged, verdicts
    from domain.kernels.burn import burning, limits_for
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
    from domain.kernels.lists import late_list, open_list
    from domain.kernels.live import LiveVerdicts
    from domain.kernels.scores import Component, Measured, Quality, quality_score
    from domain.kernels.spans import Spans, Window, spans_for
    from domain.kernels.windows import decided, window_rows

__all__ = [
    "Calendars",
    "Component",
    "Event",
    "EventKind",
    "Events",
    "HorizonTooShort",
    "LiveVerdicts",
    "Measured",
    "Promise",
    "PromiseClass",
    "Promises",
    "Quality",
    "Spans",
    "State",
    "Verdicts",
    "Window",
    "burning",
    "decided",
    "event_columns",
    "judged",
    "late_list",
    "limits_for",
    "open_list",
    "promise_columns",
    "quality_score",
    "spans_for",
    "verdicts",
    "window_rows",
]

_HOMES = {
    "batch": ("HorizonTooShort", "judged", "verdicts"),
    "burn": ("burning", "limits_for"),
    "lists": ("late_list", "open_list"),
    "live": ("LiveVerdicts",),
    "scores": ("Component", "Measured", "Quality", "quality_score"),
    "spans": ("Spans", "Window", "spans_for"),
    "windows": ("decided", "window_rows"),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_HOME.get(name, 'columns')}"), name)
    globals()[name] = found
    return found
