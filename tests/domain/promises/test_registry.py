"""The clocks of units: each kind of unit, of promise and of fact is declared once, and nothing is measured without."""

import pytest

from domain import promises
from domain.agreements.model import PromiseKind
from domain.catalogue import subject_type
from domain.promises import registry
from domain.promises.roles import UnitClocks


@pytest.mark.parametrize("kind", PromiseKind)
def test_every_kind_of_promise_is_about_one_kind_of_unit(kind: PromiseKind) -> None:
    about = [unit for unit in promises.units() if promises.is_about(kind, unit)]

    assert len(about) == 1
    assert promises.roles_of(kind)


def test_the_facts_that_run_the_clocks_of_a_unit_are_about_that_unit() -> None:
    for unit in promises.units().values():
        facts = {fact for rule in unit.rules.values() for fact in rule.roles}
        assert {subject_type(fact) for fact in facts} == {unit.subject_type}


def test_a_kind_of_unit_or_of_promise_is_not_declared_twice() -> None:
    rule = promises.rule_of(PromiseKind.ARRIVAL)

    with pytest.raises(ValueError, match="clocks of incident"):
        _add(UnitClocks("incident", "Incident", {}))
    with pytest.raises(ValueError, match="kind arrival"):
        _add(UnitClocks("other", "Site", {PromiseKind.ARRIVAL: rule}))
    assert "other" not in promises.units()


def _add(clocks: UnitClocks) -> None:
    with registry.including(clocks):
        pass
