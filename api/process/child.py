"""A process of ours that another one started: it does one thing, and does not outlive who started it.

Run as `python -m api.process.child api|worker|live|evaluator [descriptor] [--for-people]`; the last word asks
for logs that people read at a terminal, instead of JSON. The parent holds the other end of standard
input; when the parent ends, however it ends, the pipe closes and this process ends too: politely, and after ten
seconds anyway.
"""

import gc
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
    """Do what the first argument says, with the settings of the environment."""
    follow_parent()
    # What is imported lives as long as the process: looking through it again and again while it grows took a quarter
    # of the time that importing takes.
    gc.disable()
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

            gc.freeze()
            gc.enable()
            run(settings, teller)
        case ["live"]:
            from api.demo.traffic import run as simulate

            gc.enable()
            simulate(settings)
        case ["evaluator"]:
            from domain import positions, promises
            from domain.evaluator.kernels.machine_code import note_compiled

            promises.warm()
            positions.warm()
            note_compiled()
        case unknown:
            raise SystemExit(f"not a child: {unknown}")


if __name__ == "__main__":
    main()
