"""Codes of the kernels: classes of promises, kinds of events, states of verdicts."""

from enum import IntEnum


class PromiseClass(IntEnum):
    """How a promise is measured."""

    FLOW = 1  # acknowledge, arrive, resolve, answer, replace: START … STOP, pauses, reopenings
    UPDATE = 2  # the next client-visible update: every interval is a part of its own
    DUE = 3  # shift start, checkpoint, report: START is the due time, STOP may precede it
    COVER = 4  # staffed share of a plan: START and STOP are its bounds, known before they come
    POINT = 5  # survey rating, presence, audit score: every MEASURE is a part of its own


class EventKind(IntEnum):
    """Kind of an event; a kind without a role in the promise's class is ignored."""

    START = 1
    STOP = 2
    PAUSE = 3
    RESUME = 4
    REOPEN = 5  # FLOW, UPDATE: open again; DUE: what stopped or cancelled it no longer counts
    UPDATE = 6
    PRIORITY = 7  # the event's priority is in force from this time on
    STAFFED = 8
    UNSTAFFED = 9
    MEASURE = 10  # carries a value
    CANCEL = (
        11  # FLOW, DUE, COVER: no longer needed; what is open and not late ends without a verdict
    )
    RESTORE = 12  # FLOW, DUE, COVER: reverses a CANCEL; a part that was stopped stays stopped


class ClockState(IntEnum):
    """State of a measured part at the evaluation time."""

    RUNNING = 1  # undecided, time counts
    PAUSED = 2  # undecided, time does not count; COVER: nobody is there
    LATE_OPEN = 3
    LATE_CLOSED = 4
    KEPT = 5
    CANCELLED = 6  # ended without a verdict: no longer needed before it was late
