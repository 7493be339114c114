"""The small codes of the kernels: what a promise is, what an event says, what a verdict is."""

from enum import IntEnum


class PromiseClass(IntEnum):
    """How a promise is measured."""

    FLOW = 1  # acknowledge, arrive, resolve, answer, replace: START … STOP, pauses, reopenings
    UPDATE = 2  # the next client-visible update: every interval is a part of its own
    DUE = 3  # shift start, checkpoint, report: START is the due instant, STOP may precede it
    COVER = 4  # staffed share of a planned shift: START and STOP are the edges of the plan
    POINT = 5  # survey rating, presence, audit score: every MEASURE is a part of its own


class EventKind(IntEnum):
    """What happened; a kind without a role in the promise's class is ignored."""

    START = 1
    STOP = 2
    PAUSE = 3
    RESUME = 4
    REOPEN = 5
    UPDATE = 6
    PRIORITY = 7  # the event's priority is in force from here on
    STAFFED = 8
    UNSTAFFED = 9
    MEASURE = 10  # carries a value
    CANCEL = (
        11  # FLOW, DUE: no longer needed; a part that is open and not late ends without a verdict
    )
    RESTORE = 12  # FLOW, DUE: takes a CANCEL back; a part that was stopped stays stopped


class State(IntEnum):
    """Where a measured part stands at the evaluation instant."""

    RUNNING = 1  # undecided, time counts
    PAUSED = 2  # undecided, time does not count
    LATE_OPEN = 3
    LATE_CLOSED = 4
    KEPT = 5
    CANCELLED = 6  # ended without a verdict: not needed any more before it was late
