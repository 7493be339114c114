"""A synthetic log as the archive loads the log of an account: one unit a ticket under a term, twenty sites."""

from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from domain.agreements.limits import MOST_SPECIFIC, PromiseLimits
from domain.agreements.model import PromiseKind
from domain.agreements.reads import Term
from domain.archive.rules import EventLog as AccountLog
from domain.evaluator.kernels.layout import Sealed
from tests.bench.log import Log

SITES = 20
_KINDS = (PromiseKind.RESOLUTION, PromiseKind.ARRIVAL, PromiseKind.FIRST_RESPONSE)


def account_log(log: Log, sealed: Sealed) -> AccountLog:
    """Number the units through and say whose they are."""
    new = np.ones(sealed.unit.size, np.bool_)
    new[1:] = sealed.unit[1:] != sealed.unit[:-1]
    new[sealed.first[:-1][sealed.first[:-1] < sealed.unit.size]] = True
    begins = np.flatnonzero(new)
    unit = np.arange(begins.size)
    return AccountLog(
        terms=[_term(log, row) for row in range(log.promises.cls.size)],
        sealed=sealed._replace(unit=np.cumsum(new, dtype=np.int32) - 1),
        promises=log.promises,
        calendars=log.calendars,
        first_event=np.append(begins, sealed.unit.size).astype(np.int64),
        incidents=_ids(unit),
        term_of=(np.searchsorted(sealed.first, begins, side="right") - 1).astype(np.int32),
        site_of=(unit % SITES).astype(np.int32),
        sites=_ids(np.arange(SITES)),
    )


def _ids(numbers: NDArray[np.int64]) -> NDArray[np.uint64]:
    return np.stack([np.zeros(numbers.size, ">u8"), numbers.astype(">u8")], 1)


def _term(log: Log, row: int) -> Term:
    nobody = UUID(int=0)
    return Term(
        id=UUID(int=row + 1),
        tenant_id=nobody,
        account_id=nobody,
        agreement_id=nobody,
        terms_id=nobody,
        name=f"{row:05}",
        kind=_KINDS[row % len(_KINDS)],
        calendar_version_id=UUID(int=int(log.promises.calendar[row]) + 1),
        limits=PromiseLimits(),
        rule=MOST_SPECIFIC,
        objective_ppm=int(log.promises.objective_ppm[row]),
        pausable=True,
        internal=False,
        targets={},
    )
