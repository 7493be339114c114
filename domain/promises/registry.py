"""Registry of units under promise: a capability declares the clocks of its units in `domain/<capability>/clocks.py`.

`domain.promises` imports no capability that has units, so the declarations are collected when they are first needed.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules

import domain
from domain.agreements.model import PromiseKind
from domain.evaluator.kernels.codes import PromiseClass
from domain.promises.roles import ClockRule, FactRole, UnitClocks

_added: list[UnitClocks] = []
_DATED = (PromiseClass.DUE, PromiseClass.COVER)


@contextmanager
def including(clocks: UnitClocks) -> Iterator[None]:
    """Add the clocks of one kind of unit for a while. A kind of unit or of promise is declared once."""
    if clocks.unit_kind in units():
        raise ValueError(f"the clocks of {clocks.unit_kind} are declared twice")
    for kind in clocks.rules:
        if kind in _rules():
            raise ValueError(f"promises of kind {kind} are declared twice")
    _added.append(clocks)
    _forget()
    try:
        yield
    finally:
        _added.remove(clocks)
        _forget()


def _forget() -> None:
    for derived in (_declared, _rules, occurrence_kinds, clock_event_kinds, dated_roles):
        derived.cache_clear()


@cache
def _declared() -> dict[str, UnitClocks]:
    packages = sorted(each.name for each in iter_modules(domain.__path__, "domain.") if each.ispkg)
    found: list[UnitClocks] = []
    for name in packages:
        if find_spec(f"{name}.clocks"):
            clocks = import_module(f"{name}.clocks").CLOCKS  # of one kind of unit, or of several
            found += [clocks] if isinstance(clocks, UnitClocks) else clocks
    return {clocks.unit_kind: clocks for clocks in [*found, *_added]}


def units() -> dict[str, UnitClocks]:
    """Return the kinds of units with their clocks."""
    return _declared()


@cache
def _rules() -> dict[PromiseKind, tuple[str, ClockRule]]:
    return {
        kind: (clocks.unit_kind, rule)
        for clocks in units().values()
        for kind, rule in clocks.rules.items()
    }


def rule_of(kind: PromiseKind) -> ClockRule:
    """Return how a kind of promise is measured."""
    return _rules()[kind][1]


def roles_of(kind: PromiseKind) -> dict[str, FactRole]:
    """Return the facts that run the clock of a kind of promise."""
    return dict(rule_of(kind).roles)


def is_about(kind: PromiseKind, unit_kind: str) -> bool:
    """Return whether a kind of promise is about a kind of unit."""
    return _rules()[kind][0] == unit_kind


@cache
def occurrence_kinds() -> frozenset[str]:
    """Return the kinds of facts that state when a unit happened."""
    return frozenset(each.occurrence for each in units().values() if each.occurrence is not None)


@cache
def clock_event_kinds() -> frozenset[str]:
    """Return every kind of fact that runs a clock."""
    found = frozenset(
        fact for _, rule in _rules().values() for fact in (*rule.roles, *(rule.evidence or ()))
    )
    return found | occurrence_kinds()


@cache
def dated_roles() -> dict[str, list[tuple[PromiseKind, FactRole]]]:
    """Return the roles of facts in promises that begin at a known date (DUE, COVER), by kind of fact."""
    found: dict[str, list[tuple[PromiseKind, FactRole]]] = {}
    for kind, (_, rule) in _rules().items():
        for fact, role in rule.roles.items() if rule.cls in _DATED else ():
            found.setdefault(fact, []).append((kind, role))
    return found
