"""Parameters that are pinned when a unit begins, so that its verdicts stay the same whatever is set later."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.evaluator.kernels.batch import WARN_PPM
from domain.parameters import ParameterDefinition, ParameterScope, Quantity, load_values
from domain.promises.model import PromiseWatch
from domain.promises.parameters import DEFAULT_WARNINGS, PAUSES, PPM_A_PERCENT, WARNINGS
from domain.promises.pause_limit import PAUSE_ALLOWANCE


class PinnedColumns(Protocol):
    """The columns of a watch that hold pinned parameters; None for the default."""

    @property
    def pause_allowance_s(self) -> int | None:
        """The total duration of pauses, in seconds."""

    @property
    def warn_percents(self) -> list[int] | None:
        """The shares of a promise's time at which it warns."""


class PinnedParameters(NamedTuple):
    """What a watch pins, as its columns hold it."""

    pause_allowance_s: int | None = None
    warn_percents: list[int] | None = None


async def pin(session: AsyncSession, scope: ParameterScope, *, at: datetime) -> PinnedParameters:
    """Return the values that apply to a unit that begins at `at`, None for each default."""
    values = await load_values(session, (scope,), (PAUSES, WARNINGS), until=at)
    if not values.rows:
        return PinnedParameters()

    def set_value(definition: ParameterDefinition) -> Quantity | None:
        found = values.effective(definition, scope, at=at)
        return None if found.row is None else found.quantity

    pauses, warnings = set_value(PAUSES), set_value(WARNINGS)
    return PinnedParameters(
        None if pauses is None else int(pauses.duration.total_seconds()),
        None if warnings is None else list(warnings.numbers),
    )


def allowance_of(watch: PinnedColumns) -> timedelta:
    """Return how long the clocks of a unit may be paused in total."""
    if watch.pause_allowance_s is None:
        return PAUSE_ALLOWANCE
    return timedelta(seconds=watch.pause_allowance_s)


def warn_ppm_of(watch: PinnedColumns) -> tuple[int, ...]:
    """Return the shares of a promise's time at which it warns, in ppm."""
    if watch.warn_percents is None:
        return WARN_PPM
    return tuple(percent * PPM_A_PERCENT for percent in watch.warn_percents)


async def pause_allowance(session: AsyncSession, unit_id: UUID) -> timedelta:
    """Return how long the clocks of a unit may be paused in total, as pinned when it began."""
    seconds = await session.scalar(
        select(PromiseWatch.pause_allowance_s).where(PromiseWatch.unit_id == unit_id)
    )
    return PAUSE_ALLOWANCE if seconds is None else timedelta(seconds=seconds)


async def warnings_of(session: AsyncSession, unit_id: UUID) -> Sequence[int]:
    """Return the percentages of a promise's time at which it warns, as pinned when its unit began."""
    percents = await session.scalar(
        select(PromiseWatch.warn_percents).where(PromiseWatch.unit_id == unit_id)
    )
    return DEFAULT_WARNINGS if percents is None else percents
