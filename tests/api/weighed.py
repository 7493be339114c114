"""An API process as in production that says four times a second what it weighs: `python -m tests.api.weighed`.

Its first line on standard output is its port. Each line after it has the resident bytes of the process, how many
sockets it holds, and the most bytes that it keeps for one of them. It ends with SIGTERM.
"""

import json
import sys
import threading
import time
from typing import Any

import psutil

from api.process import serve
from api.state import AppState
from domain.core.settings import Settings
from tests import facts

EVERY_S = 0.25
KINDS = facts.Noted.kind, facts.Rung.kind  # a process refuses to follow kinds that it does not know


def _weigh() -> None:
    """Look from outside the loop, so that a loop that is held up is weighed, too."""
    from api.app import app

    process = psutil.Process()
    while True:
        time.sleep(EVERY_S)
        state: AppState | None = getattr(app.state, "waarborg", None)
        guests: list[Any] = [] if state is None else list(state.audience._connections)
        kept = [
            guest._wire.transport.get_write_buffer_size() + guest._wire._bytes for guest in guests
        ]
        weight = {
            "resident": process.memory_info().rss, "sockets": len(kept), "kept": max(kept, default=0)
        }  # fmt: skip
        sys.stdout.write(json.dumps(weight) + "\n")
        sys.stdout.flush()


def main() -> None:
    """Serve on a free port of this machine until SIGTERM."""
    listener = serve.listen("127.0.0.1", 0)
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    threading.Thread(target=_weigh, daemon=True).start()
    serve.serve(Settings(), listener)


if __name__ == "__main__":
    main()
