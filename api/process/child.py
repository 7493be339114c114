"""Child process that runs one part of Waarborg and ends when its parent process ends.

Run as `python -m api.process.child api|worker|live|evaluator [descriptor] [--for-people]`; the last option selects
readable logs for a terminal instead of JSON. Standard input is a pipe from the parent. When the parent ends for any
reason, the pipe closes, and this process shuts down, at the latest after ten seconds.
"""

import os
import signal
import socket
import sys
import threading
import time

GRACE_S = 10.0
FOR_PEOPLE = "--for-people"


def follow_parent() -> None:
    """End this process when standard input closes."""

    def watch() -> None:
        while os.read(0, 1024):
            pass
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(GRACE_S)
        os._exit(1)

    threading.Thread(target=watch, name="parent", daemon=True).start()


def main() -> None:
    """Run the part that the first argument names, with the settings of the environment."""
    follow_parent()
    from api.support.logs import configure_logs
    from domain.core.settings import Settings

    settings = Settings()
    what, for_people = sys.argv[1:], sys.argv[-1] == FOR_PEOPLE
    if for_people:
        what.pop()
    configure_logs(settings.log_level, part=what[0] if for_people else None)
    match what:
        case ["api", descriptor]:
            from api.process.serve import serve

            serve(settings, socket.socket(fileno=int(descriptor)))
        case ["worker"]:
            from api.execution.webhook_documents import teller
            from workers.main import run

            run(settings, teller)
        case ["live"]:
            from api.demo.traffic import run as simulate

            simulate(settings)
        case ["evaluator"]:
            from domain import positions, promises

            promises.warm()
            positions.warm()
        case unknown:
            raise SystemExit(f"unknown child process: {unknown}")


if __name__ == "__main__":
    main()
