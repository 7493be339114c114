"""Budgets: limits on the times of operations, relative to the cheapest operation of the run. Pure, without I/O."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from loadtests.audit import Audit, Wrong


@dataclass(frozen=True)
class Measured:
    """Measurements of one operation."""

    name: str
    requests: int
    failures: int
    p95_ms: float


@dataclass(frozen=True)
class Verdict:
    """One budget and whether it was kept."""

    name: str
    said: str
    kept: bool


@dataclass(frozen=True)
class Budgets:
    """The limits of a run."""

    baseline: str
    floor_ms: float
    failures: int
    least_looked_at: int
    p95: Mapping[str, float]

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read budgets from a TOML file. Raises `TypeError` for an unknown key."""
        return cls(**tomllib.loads(path.read_text()))

    def judge(self, operations: Iterable[Measured], audit: Audit) -> list[Verdict]:
        """Evaluate every budget in the order of the file: invariants first, then failures, then times."""
        found = {each.name: each for each in operations}
        return [
            *(self._invariant(what, audit) for what in Wrong),
            self._failures(found.values()),
            *(self._time(name, ratio, found) for name, ratio in self.p95.items()),
        ]

    def _invariant(self, what: Wrong, audit: Audit) -> Verdict:
        wrong, looked_at = audit.wrong[what], audit.looked_at[what]
        kept = wrong == 0 and looked_at >= self.least_looked_at
        return Verdict(f"never {what.value}", f"{wrong} of {looked_at} looked at", kept)

    def _failures(self, operations: Iterable[Measured]) -> Verdict:
        failed = {each.name: each.failures for each in operations if each.failures}
        count = sum(failed.values())
        words = ", ".join(f"{name} {failures}" for name, failures in failed.items())
        return Verdict("failed operations", f"{count} {words}".strip(), count <= self.failures)

    def _time(self, name: str, ratio: float, found: Mapping[str, Measured]) -> Verdict:
        least, measured = found.get(self.baseline), found.get(name)
        if least is None or measured is None or not measured.requests:
            return Verdict(name, "was not measured", kept=False)
        allowed = max(ratio * least.p95_ms, self.floor_ms)
        said = f"p95 {measured.p95_ms:.0f} ms, allowed {allowed:.0f} ms"
        return Verdict(name, said, measured.p95_ms <= allowed)


def as_json(verdicts: Iterable[Verdict]) -> list[dict[str, Any]]:
    """Convert verdicts for the JSON report."""
    return [{"name": each.name, "said": each.said, "kept": each.kept} for each in verdicts]
