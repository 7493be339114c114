"""Measure a log: verdicts grouped by promise, site and account, summarized by the window kernels."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from domain.agreements.model import PromiseKind
from domain.archive import NOWHERE, EventLog, is_measured, judged, packed_ids, uuid_of
from domain.evaluator.kernels.batch import columns_of
from domain.evaluator.kernels.codes import ClockState, PromiseClass
from domain.evaluator.kernels.columns import PromiseInput, promise_columns
from domain.evaluator.kernels.scores import (
    Component,
    Measured,
    Quality,
    changed_since,
    quality_score,
)
from domain.evaluator.kernels.windows import (
    PPM,
    Decided,
    Spans,
    WindowRows,
    decided,
    decided_rows,
    window_rows,
)
from domain.quality.windows import Local, WindowSpan, before, span_columns

COMPONENT: Mapping[PromiseKind, Component] = {
    PromiseKind.ARRIVAL: Component.PUNCTUALITY,
    PromiseKind.FIRST_RESPONSE: Component.INCIDENTS,
    PromiseKind.RESOLUTION: Component.INCIDENTS,
    PromiseKind.CLOSURE: Component.INCIDENTS,
    PromiseKind.AGREED_DATE: Component.INCIDENTS,
    PromiseKind.NEXT_UPDATE: Component.REPORTS,
    PromiseKind.REPORT_DELIVERED: Component.REPORTS,
    PromiseKind.SHIFT_STARTED: Component.PUNCTUALITY,
    PromiseKind.SHIFT_COVERED: Component.COVERAGE,
    PromiseKind.PATROL_COMPLETED: Component.PATROL,
    PromiseKind.POINT_VISITED: Component.PATROL,
    PromiseKind.INCIDENT_TOLD: Component.REPORTS,
    PromiseKind.COMMITMENT_KEPT: Component.REPORTS,
    PromiseKind.CLIENT_SATISFIED: Component.RATING,
    PromiseKind.REPLACEMENT_ON_POST: Component.PUNCTUALITY,
    PromiseKind.ALARM_ATTENDED: Component.PUNCTUALITY,
    PromiseKind.REVIEW_ANSWERED: Component.REPORTS,
    PromiseKind.SHIFT_REPORTED: Component.REPORTS,
}
"""Component of quality that a kind of promise contributes to."""
_COMPONENTS = tuple(Component)


@dataclass(frozen=True, slots=True)
class Scope:
    """What is measured: one promise term, one site, or (neither) the whole account."""

    site_id: UUID | None = None
    term_id: UUID | None = None


ACCOUNT = Scope()


@dataclass(frozen=True, slots=True)
class ScopeFigures:
    """Summary of one scope's verdicts in one window."""

    scope: Scope
    span: WindowSpan
    internal: bool
    n: int
    kept: int
    p50_us: int | None  # None where durations of different promises would mix
    p90_us: int | None
    p95_us: int | None
    ratio: float
    wilson: float
    budget: float
    misses_left: int
    score: float
    quality: Quality | None  # for sites and accounts
    terms: Sequence[int]  # rows of the log's promise dimension that count
    input_sha256: bytes


class PartVerdict(StrEnum):
    """Verdict about one part of a promise."""

    KEPT = "kept"
    LATE = "late"


class _Windows(NamedTuple):
    """Decided parts by group, and what they come to per window."""

    done: Decided
    rows: WindowRows


class Measuring:
    """One account's verdicts as of one time, ready for any scope and window."""

    def __init__(
        self, log: EventLog, at_us: int, local: Local, weights: Mapping[Component, int]
    ) -> None:
        """Evaluate the log; `local` and `weights` are the account's."""
        self.log, self.local, self.weights = log, local, weights
        self.records = judged(log, at_us)
        self.verdicts = columns_of(self.records)
        self._events_of = np.diff(log.first_event)
        self._decided = decided_rows(self.records)
        self._objective = log.promises.objective_ppm
        promise = self.verdicts.promise[self._decided]
        internal = np.array([term.internal for term in log.terms], np.bool_)
        self._shown = self._decided[~internal[promise]] if internal.any() else self._decided
        self.by_term = decided(self.records, self._decided, promise, len(log.terms))
        """Decided parts of each promise."""

    def found(self, spans: Sequence[WindowSpan]) -> Iterator[ScopeFigures]:
        """Return every promise, site and account for every span in which something was decided."""
        wanted = set(spans)
        ordered, columns = span_columns([*spans, *(before(span, self.local) for span in spans)])
        by_term = _Windows(self.by_term, self.of_terms(columns))
        for row in range(by_term.rows.n.size):
            span = ordered[by_term.rows.span[row]]
            if span in wanted:
                yield self._of_term(by_term, row, span)
        unit = self.verdicts.unit[self._shown]
        for scopes, group in (
            ([Scope(site_id=uuid_of(site)) for site in self.log.sites], self.log.site_of[unit]),
            ([ACCOUNT], np.zeros(unit.size, np.int32)),
        ):
            grouped = self._grouped(group, len(scopes), columns)
            quality = self._quality(scopes, group, ordered, columns)
            for row in range(grouped.rows.n.size):
                span = ordered[grouped.rows.span[row]]
                scope = int(grouped.rows.promise[row])
                if span in wanted and scopes[scope].site_id != NOWHERE:
                    yield self._of_many(grouped, row, span, scopes[scope], quality[scope, span])

    def of_terms(self, columns: Spans) -> WindowRows:
        """Return the window rows of every promise; `promise` is the row of the log's dimension."""
        return window_rows(self.by_term, self.log.promises, columns, 0, len(self.log.terms))

    def _grouped(self, group: NDArray[np.int32], groups: int, columns: Spans) -> _Windows:
        """Return the window rows of visible promises, by groups that have no objective of their own."""
        done = decided(self.records, self._shown, group, groups)
        without = promise_columns([PromiseInput(PromiseClass.FLOW, objective_ppm=0)] * groups)
        return _Windows(done, window_rows(done, without, columns, 0, groups))

    @staticmethod
    def _parts(grouped: _Windows, row: int, span: WindowSpan) -> NDArray[np.int64]:
        """Return the verdict rows of a window row."""
        done, group = grouped.done, grouped.rows.promise[row]
        a, b = done.first[group], done.first[group + 1]
        low, high = np.searchsorted(done.tau[a:b], (span.from_us, span.until_us))
        return done.row[a + low : a + high]

    def _of_term(self, grouped: _Windows, row: int, span: WindowSpan) -> ScopeFigures:
        term = int(grouped.rows.promise[row])
        columns = _as_numbers(grouped.rows, row)
        return ScopeFigures(
            scope=Scope(term_id=self.log.terms[term].id),
            span=span,
            internal=self.log.terms[term].internal,
            quality=None,
            terms=(term,),
            input_sha256=self._digest(self._parts(grouped, row, span)),
            **columns,
        )

    def _of_many(
        self, grouped: _Windows, row: int, span: WindowSpan, scope: Scope, quality: Quality
    ) -> ScopeFigures:
        parts = self._parts(grouped, row, span)
        n = np.bincount(self.verdicts.promise[parts], minlength=len(self.log.terms))
        columns = _as_numbers(grouped.rows, row)
        late = int(columns["n"]) - int(columns["kept"])
        allowed = int((n * (PPM - self._objective)).sum())  # each promise brings its own budget
        columns |= {
            "p50_us": None,
            "p90_us": None,
            "p95_us": None,
            "misses_left": allowed // PPM - late,
            "budget": _budget(allowed, late),
        }
        return ScopeFigures(
            scope=scope,
            span=span,
            internal=False,
            quality=quality,
            terms=tuple(np.flatnonzero(n).tolist()),
            input_sha256=self._digest(parts),
            **columns,
        )

    def _quality(
        self,
        scopes: Sequence[Scope],
        group: NDArray[np.int32],
        ordered: Sequence[WindowSpan],
        columns: Spans,
    ) -> Mapping[tuple[int, WindowSpan], Quality]:
        """Return the quality score of every scope and span, with its change since the span before."""
        k = len(_COMPONENTS)
        component = np.array(
            [_COMPONENTS.index(COMPONENT[term.kind]) for term in self.log.terms], np.int32
        )
        promise = self.verdicts.promise[self._shown]
        by_component = group.astype(np.int32) * k + component[promise]
        rows = self._grouped(by_component, len(scopes) * k, columns).rows
        measured: dict[tuple[int, WindowSpan], dict[Component, Measured]] = defaultdict(dict)
        for row in range(rows.n.size):
            scope, part = divmod(int(rows.promise[row]), k)
            score = min(
                1.0, max(0.0, float(rows.score[row]))
            )  # a ratio of sums may end at 1 + 2e-16
            at = (scope, ordered[rows.span[row]])
            measured[at][_COMPONENTS[part]] = Measured(score, int(rows.n[row]))
        found = {at: quality_score(parts, self.weights) for at, parts in measured.items()}
        return {
            (scope, span): changed_since(quality, found.get((scope, before(span, self.local))))
            for (scope, span), quality in found.items()
        }

    def _digest(self, parts: NDArray[np.int64]) -> bytes:
        """Hash with SHA-256 the clock events of every incident and term that counts, in the log's order.

        Per unit: term id, incident id; then the number of events of each unit (i64), their times (i64 µs) and their
        codes (u8), and of terms that measure values the values (f32), all little-endian.
        """
        log = self.log
        units = np.unique(self.verdicts.unit[parts])
        first, counts = log.first_event[units], self._events_of[units]
        ends = np.cumsum(counts)
        events = np.repeat(first - (ends - counts), counts) + np.arange(ends[-1])
        digest = hashlib.sha256()
        term_of = log.term_of[units]  # ascending, as units are
        edges = [0, *(np.flatnonzero(np.diff(term_of)) + 1).tolist(), units.size]
        for a, b in pairwise(edges):
            term = log.terms[term_of[a]]
            digest.update(term.id.bytes + packed_ids(log.incidents[units[a:b]]))
        digest.update(counts.astype("<i8").tobytes())
        digest.update(log.sealed.ts[events].astype("<i8").tobytes())
        digest.update(log.sealed.code[events].tobytes())
        if log.sealed.value.size:
            measured = np.array([is_measured(term) for term in log.terms])
            own = events[np.repeat(measured[term_of], counts)]
            digest.update(log.sealed.value[own].astype("<f4").tobytes())
        return digest.digest()

    def verdicts_in(
        self, scope: Scope, span: WindowSpan
    ) -> Mapping[tuple[UUID, UUID, int], PartVerdict]:
        """Return incident, term and part → verdict, of everything of a scope that was decided in a span."""
        log, rows = self.log, self.verdicts
        parts = self._decided if scope.term_id else self._shown
        tau = rows.decided_us[parts]
        parts = parts[(span.from_us <= tau) & (tau < span.until_us)]
        found = {}
        for part in parts.tolist():
            unit, term = rows.unit[part], log.terms[rows.promise[part]]
            site_id = uuid_of(log.sites[log.site_of[unit]])
            if scope.term_id in {None, term.id} and scope.site_id in {None, site_id}:
                key = (uuid_of(log.incidents[unit]), term.id, int(rows.part[part]))
                found[key] = (
                    PartVerdict.KEPT if rows.state[part] == ClockState.KEPT else PartVerdict.LATE
                )
        return found


def _budget(allowed: int, late: int) -> float:
    """Return the share of the error budget that is left; `allowed` in millionths of a part."""
    if allowed == 0:
        return 1.0 if late == 0 else float("-inf")
    return (allowed - late * PPM) / allowed


def _as_numbers(rows: WindowRows, row: int) -> dict[str, Any]:
    """Return a window row as Python numbers, without its keys."""
    return {
        name: column[row].item() for name, column in zip(rows._fields[2:], rows[2:], strict=True)
    }
