"""A bad network: a TCP proxy that refuses, delays, stalls and cuts connections, also in the middle of a frame."""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

CHUNK = 16_384


@dataclass(frozen=True)
class Weather:
    """How bad it is. Shares are of connections, times in seconds, lengths in bytes towards the client."""

    refused: float = 0.08
    delayed: float = 0.25
    delay_s: float = 0.02
    lifetime_s: float = 10.0
    """Mean time until something happens to a connection on which little is said."""
    length: int = 4_000
    """Mean length after which something happens to a connection on which much is said."""
    stalled: float = 0.3
    """Of what happens, how much is a stall; the rest is cuts, half of them in the middle of a frame."""
    stall_s: float = 2.0


FINE = Weather(refused=0, delayed=0, lifetime_s=0, length=0, stalled=0)


class Proxy:
    """Listens on a port of its own, passes on to one of `ports`; what befalls whom is drawn from `seed`."""

    def __init__(self, ports: Sequence[int], *, seed: int, weather: Weather) -> None:
        self._ports = ports
        self._dice = random.Random(seed)
        self._weather = weather
        self._passing: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.port = 0
        self.done: Counter[str] = Counter()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, backlog=512)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_exc: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._passing:
            task.cancel()
        await asyncio.gather(*self._passing, return_exceptions=True)

    def clear_up(self) -> None:
        """From now on nothing happens to new connections."""
        self._weather = FINE

    def cut(self) -> None:
        """Cut every connection, and refuse new ones until `clear_up`."""
        self._weather = replace(FINE, refused=1.0)
        for task in self._passing:
            task.cancel()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.done["connections"] += 1
        if self._dice.random() < self._weather.refused:
            self.done["refused"] += 1
            writer.transport.abort()
            return
        task = asyncio.current_task()
        assert task is not None
        self._passing.add(task)
        far: asyncio.StreamWriter | None = None
        try:
            answers, far = await asyncio.open_connection(
                "127.0.0.1", self._dice.choice(self._ports)
            )
            delay_s = self._weather.delay_s if self._dice.random() < self._weather.delayed else 0.0
            self.done["delayed"] += delay_s > 0
            ways = [
                asyncio.create_task(_pass_on(reader, far)),
                asyncio.create_task(self._trouble(answers, writer, delay_s)),
            ]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._passing.discard(task)
            for end in (writer, far):
                if end is not None:
                    end.transport.abort()

    async def _trouble(
        self, answers: asyncio.StreamReader, client: asyncio.StreamWriter, delay_s: float
    ) -> None:
        """Pass answers on to the client until something happens, and again after a stall."""
        while True:
            weather, length, until = self._weather, 0, None
            if weather.length:
                length = int(self._dice.expovariate(1 / weather.length))
                until = asyncio.get_running_loop().time() + self._dice.expovariate(
                    1 / weather.lifetime_s
                )
            rest = await _pass_on(answers, client, delay_s=delay_s, length=length, until=until)
            if rest is None:
                return
            if (
                not rest
            ):  # what happens to a quiet line happens to the next thing said, if that comes soon
                rest = await _next(answers)
            if self._dice.random() < weather.stalled:
                self.done["stalled"] += 1
                await asyncio.sleep(self._dice.uniform(0.2, weather.stall_s))
                client.write(rest)
            elif rest and self._dice.random() < 0.5:
                self.done["cut in a frame"] += 1
                client.write(rest[: max(1, len(rest) // 2)])
                await asyncio.sleep(0.001)  # let it reach the client before the cut does
                return
            else:
                self.done["cut"] += 1
                return


class Slow:
    """Passes on to one port and holds back each answer for `delay_s`, which may be changed at any time."""

    def __init__(self, port: int) -> None:
        self._far = port
        self._passing: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.port = 0
        self.delay_s = 0.0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_exc: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._passing:
            task.cancel()
        await asyncio.gather(*self._passing, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._passing.add(task)
        far: asyncio.StreamWriter | None = None
        try:
            answers, far = await asyncio.open_connection("127.0.0.1", self._far)
            asking = asyncio.create_task(_pass_on(reader, far))
            try:
                while chunk := await answers.read(CHUNK):
                    await asyncio.sleep(self.delay_s)
                    writer.write(chunk)
            finally:
                asking.cancel()
                await asyncio.gather(asking, return_exceptions=True)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._passing.discard(task)
            for end in (writer, far):
                if end is not None:
                    end.transport.abort()


async def _next(source: asyncio.StreamReader) -> bytes:
    """What comes next, within a second."""
    try:
        async with asyncio.timeout(1):
            return await source.read(CHUNK)
    except TimeoutError:
        return b""


async def _pass_on(
    source: asyncio.StreamReader,
    target: asyncio.StreamWriter,
    *,
    delay_s: float = 0.0,
    length: int = 0,
    until: float | None = None,
) -> bytes | None:
    """Pass bytes on; None when the source ended, else what is held back at `length` or at the instant `until`."""
    passed = 0
    while True:
        try:
            async with asyncio.timeout_at(until):
                chunk = await source.read(CHUNK)
        except TimeoutError:
            return b""
        if not chunk:
            return None
        passed += len(chunk)
        if length and passed > length:
            return chunk
        if delay_s:
            await asyncio.sleep(delay_s)
        target.write(chunk)
        await target.drain()
