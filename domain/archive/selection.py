"""Which facts a statement about the ledger reads: a condition with parameters of its own, wherever it is placed."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class FactSelection:
    """A condition on watches `w` and facts `l`, whose parameters are written `{0}`, `{1}` …; none selects all."""

    condition: str = ""
    values: tuple[Any, ...] = ()

    def placed(self, own: int, *, fact: str = "l") -> str:
        """Return the condition for a statement with `own` parameters before these, and another name of facts."""
        numbers = (f"${own + 1 + n}" for n in range(len(self.values)))
        return self.condition.replace("l.", f"{fact}.").format(*numbers)
