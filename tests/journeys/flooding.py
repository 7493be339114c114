"""A flood of requests from a process of its own: `python -m tests.journeys.flooding PORT TOKEN CONNECTIONS BODY…`.

Each connection sends one body after the other and waits for each answer; `#N` in a body becomes a number that no other
request has. It ends when standard input closes, and prints how many answers of each status it had.
"""

import asyncio
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

HOME = Path(__file__).parents[2]
_NUMBERS = count()
say = sys.stdout.write


async def connection(port: int, token: str, bodies: list[str], statuses: Counter[str]) -> None:
    """Ask until cancelled, on one connection that is opened again when it ends."""
    while True:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            while True:
                number = next(_NUMBERS)
                body = bodies[number % len(bodies)].replace("#N", str(number)).encode()
                writer.write(
                    b"POST /graphql HTTP/1.1\r\nhost: flood\r\ncontent-type: application/json\r\n"
                    b"authorization: Bearer %s\r\ncontent-length: %d\r\n\r\n"
                    % (token.encode(), len(body))
                    + body
                )
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                length = int(head.partition("content-length: ")[2].partition("\r")[0])
                answer = json.loads(await reader.readexactly(length))
                [first, *_] = answer.get("errors") or [{}]
                code = (first.get("extensions") or {}).get(
                    "code", "refused" if first else "answered"
                )
                statuses[f"{head.split()[1]} {code}"] += 1
        except (OSError, asyncio.IncompleteReadError):
            statuses["cut"] += 1
            await asyncio.sleep(0.1)


async def flood(port: int, token: str, connections: int, bodies: list[str]) -> Counter[str]:
    """Ask on so many connections until standard input closes."""
    statuses: Counter[str] = Counter()
    asking = [
        asyncio.create_task(connection(port, token, bodies, statuses)) for _ in range(connections)
    ]
    while not statuses:  # noqa: ASYNC110 - connections tell nobody
        await asyncio.sleep(0.01)
    say("begun\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    for task in asking:
        task.cancel()
    await asyncio.gather(*asking, return_exceptions=True)
    return statuses


@contextmanager
def flooded(port: int, token: str, *bodies: str, connections: int = 20) -> Iterator[Counter[str]]:
    """A flood for the length of a block; the answers it had are counted when it ends."""
    statuses: Counter[str] = Counter()
    words = [str(port), token, str(connections), *bodies]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.journeys.flooding", *words],
        cwd=HOME,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"begun\n"
        yield statuses
    finally:
        said, _ = process.communicate(b"")
        statuses.update(json.loads(said))


if __name__ == "__main__":
    port, token, connections, *bodies = sys.argv[1:]
    say(json.dumps(asyncio.run(flood(int(port), token, int(connections), bodies))))
