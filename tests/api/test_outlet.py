"""What is held back for a client that does not read: in order, bounded, and only the latest of what has a latest."""

import asyncio
from collections.abc import Sequence

from api.live.backpressure import ROOM_BYTES, OutboundBuffer
from realtime.source import SourceEvent


class Pipe(OutboundBuffer):
    """A way out whose far end is a list."""

    def __init__(self) -> None:
        super().__init__()
        self.out: list[bytes] = []
        self.write = self.out.append
        self.gave_up = False

    def give_up(self) -> None:
        """Note it."""
        self.gave_up = True


class Listener:
    """An operation that notes when it was too slow."""

    def __init__(self) -> None:
        self.reached = 0
        self.too_slow = False

    def framed(self, payloads: Sequence[bytes]) -> bytes:
        """As they are."""
        return b"".join(payloads)

    def on_overflow(self) -> None:
        """Note it."""
        self.too_slow = True


def test_what_was_held_back_leaves_in_order_before_anything_new() -> None:
    pipe, facts = Pipe(), Listener()
    pipe.pause_writing()
    pipe.hold(facts, [SourceEvent(1, None), SourceEvent(2, None)], [b"1", b"2"])
    pipe.say(b"pong")
    pipe.hold(facts, [SourceEvent(3, None)], [b"3"])
    assert (pipe.flowing, pipe.out) == (False, [])
    pipe.resume_writing()
    assert (pipe.flowing, pipe.out, facts.reached) == (True, [b"1", b"2", b"pong", b"3"], 3)


def test_of_a_position_only_the_latest_is_told_and_there_is_no_end_to_that() -> None:
    pipe, map_ = Pipe(), Listener()
    pipe.pause_writing()
    for tick in range(2_000):
        events = [SourceEvent(None, None, latest=guard) for guard in range(3)]
        pipe.hold(map_, events, [b"%d@%d " % (guard, tick) * 20 for guard in range(3)])
    pipe.resume_writing()
    assert pipe.out == [b"%d@1999 " % guard * 20 for guard in range(3)]
    assert not map_.too_slow


def test_facts_beyond_the_room_end_their_own_operation_only() -> None:
    pipe, slow, quiet, map_ = Pipe(), Listener(), Listener(), Listener()
    pipe.pause_writing()
    pipe.hold(quiet, [SourceEvent(1, None)], [b"quiet"])
    pipe.hold(map_, [SourceEvent(None, None, latest=1)], [b"map"])
    payload = b"x" * 1000
    for seq in range(1, ROOM_BYTES // 1000 + 2):
        pipe.hold(slow, [SourceEvent(seq, None)], [payload])
    assert (slow.too_slow, quiet.too_slow, map_.too_slow) == (True, False, False)
    pipe.resume_writing()
    assert pipe.out == [b"quiet", b"map"]


def test_a_client_that_asks_and_asks_and_takes_nothing_is_given_up() -> None:
    pipe = Pipe()
    pipe.pause_writing()
    for _ in range(ROOM_BYTES // 50):
        pipe.say(b"x" * 101)
    assert pipe.gave_up


async def test_who_waits_for_room_waits_until_all_that_was_held_back_is_gone() -> None:
    pipe, facts = Pipe(), Listener()
    pipe.pause_writing()
    pipe.hold(facts, [SourceEvent(1, None)], [b"1"])
    waiting = asyncio.create_task(pipe.room())
    await asyncio.sleep(0)
    assert not waiting.done()
    pipe.resume_writing()
    await asyncio.wait_for(waiting, 1)
    assert pipe.out == [b"1"]
