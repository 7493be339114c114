"""Many large photos at little cost, and an API that may be killed while they come in."""

import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from random import Random
from subprocess import DEVNULL, PIPE, Popen

import psutil
from PIL import Image

from domain.core.settings import Settings
from tests.servers import free_cluster_ports

CHUNK = 256 * 1024
ROOT = Path(__file__).parents[1]


def noise() -> bytes:
    """A photo of 5 MB that compresses as badly as a real one of that size."""
    side = 1640
    image = Image.frombytes("RGB", (side, side), Random(7).randbytes(3 * side * side))
    out = BytesIO()
    image.save(out, "JPEG", quality=90, subsampling=0)
    return out.getvalue()


TABLE = b"\xff\xdb\x00\x43\x00"
"""How the table of a JPEG begins that says what its numbers of brightness are multiplied by."""


@dataclass(frozen=True)
class Numbered:
    """The photo with a table of its own, so that no two have the same bytes or show the same; they share the others."""

    photo: bytes
    number: int

    @property
    def head(self) -> bytes:
        begin = self.photo.index(TABLE) + len(TABLE)
        table = bytearray(self.photo[begin : begin + 64])
        place, more = self.number % 10, self.number // 10
        table[1 + place] = min(255, table[1 + place] + 1 + more)
        return self.photo[:begin] + bytes(table)

    def __len__(self) -> int:
        return len(self.photo)

    def sha256(self) -> str:
        digest = sha256(self.head)
        digest.update(memoryview(self.photo)[len(self.head) :])
        return digest.hexdigest()

    async def chunks(self, until: int | None = None) -> AsyncIterator[bytes]:
        head = self.head
        yield head
        for first in range(len(head), until or len(self.photo), CHUNK):
            yield self.photo[first : min(first + CHUNK, until or len(self.photo))]


@dataclass
class Program:
    """The API in a process of its own, which may be killed and started again on the same port."""

    settings: Settings
    port: int = field(default_factory=lambda: free_cluster_ports(1)[0])
    process: Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        names = ("database_url", "system_database_url", "redis_url", "data")
        told = {f"WAARBORG_{name.upper()}": str(getattr(self.settings, name)) for name in names}
        self.process = Popen(
            [sys.executable, "-m", "api.cli", "api", "--port", str(self.port)],
            cwd=ROOT,
            env=os.environ | told | {"WAARBORG_DEVELOPMENT": "1"},
            stdin=PIPE,
            stdout=DEVNULL,
            stderr=DEVNULL,
        )

    def kill(self) -> None:
        """End it and its children without a word."""
        assert self.process is not None
        family = [psutil.Process(self.process.pid)]
        family += family[0].children(recursive=True)
        for each in family:
            each.kill()
        self.process.communicate()

    def resident(self) -> int:
        """Bytes of memory of the process that answers, without those of its decoders: each lives for one file."""
        return sum(int(each.memory_info().rss) for each in self._answering())

    def cpu_s(self) -> float:
        """Seconds of CPU that the process that answers has used."""
        spent = [each.cpu_times() for each in self._answering()]
        return float(sum(each.user + each.system for each in spent))

    def _answering(self) -> list[psutil.Process]:
        assert self.process is not None
        return list(filter(_answers, psutil.Process(self.process.pid).children(recursive=True)))


def _answers(process: psutil.Process) -> bool:
    try:
        command = process.cmdline()
    except psutil.Error:  # it has ended
        return False
    return "api.process.child" in command and command[-2:-1] == ["api"]
