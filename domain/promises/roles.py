"""Roles of facts: which facts run the clock of a kind of promise, declared by the capability that owns the unit."""

from collections.abc import Mapping
from dataclasses import dataclass

from domain.agreements.model import PromiseKind
from domain.evaluator.kernels.codes import EventKind, PromiseClass
from domain.evidence import EvidenceFacts


@dataclass(frozen=True, slots=True)
class FactRole:
    """Effect of a kind of fact on a clock.

    It takes effect at the fact's own time, or at the one that its body holds in `time_field`. With `flags`, it takes
    effect only when all of these fields of the body are true. `value_field` holds the measured value of a MEASURE.
    With `at_occurrence`, it takes effect at the time at which the unit happened, and not at all if nobody stated that.
    """

    event: EventKind
    time_field: str | None = None
    imported_time_field: str | None = None  # the time before an import moved it, where there is one
    flags: tuple[str, ...] = ()
    value_field: str | None = None
    at_occurrence: bool = False


@dataclass(frozen=True, slots=True)
class ClockRule:
    """How one kind of promise is measured; facts without a role have no effect on it."""

    cls: PromiseClass
    roles: Mapping[str, FactRole]
    prioritised: bool = True  # whether its units have a priority, which selects the target
    pass_mark: float = 7.0  # POINT: a measured value is kept from here on
    full_mark: float = 10.0  # POINT: the value that counts as quality 1
    evidence: EvidenceFacts | None = None  # of what stops the clock, where that is graded

    @property
    def without_evidence(self) -> Mapping[str, FactRole]:
        """The roles of facts whose effect does not depend on a grade."""
        graded = self.evidence or ()
        return {fact: role for fact, role in self.roles.items() if fact not in graded}


@dataclass(frozen=True, slots=True)
class UnitClocks:
    """The kinds of promises about one kind of unit.

    `occurrence` is the kind of fact that states in `occurred_at` when the unit happened; the last one counts. A promise
    with `ClockStart.OCCURRED` starts then.
    """

    unit_kind: str
    subject_type: str  # the type of the API that shows the unit
    rules: Mapping[PromiseKind, ClockRule]
    occurrence: str | None = None
