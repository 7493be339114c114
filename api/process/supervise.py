"""Supervise child processes: start them, restart those that end, and stop them in order at a signal."""

import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
HEALTHY_AFTER_S = 30.0
GRACE_S = 12.0


@dataclass
class Child:
    """One process, and when to start it again. It must end when its standard input closes."""

    name: str
    command: Sequence[str]
    descriptors: Sequence[int] = ()
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause_s: float = FIRST_PAUSE_S
    due: float = field(default=0.0)

    def start(self, environment: Mapping[str, str]) -> None:
        """Start it in a process group of its own: Ctrl-C reaches only us, and we stop it in order."""
        self.process = subprocess.Popen(  # noqa: S603 - ourselves
            self.command,
            stdin=subprocess.PIPE,  # its leash: closes when we end, however we end
            pass_fds=tuple(self.descriptors),
            process_group=0,
            env=dict(environment),
        )
        self.started = time.monotonic()

    def stop(self) -> None:
        """Ask it to end; insist after the grace."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        finally:
            if self.process.stdin is not None:
                self.process.stdin.close()


def supervise(
    children: Sequence[Child],
    environment: Mapping[str, str],
    *,
    say: Callable[[str], None],
    ready: Callable[[], bool] = lambda: False,
    look: Callable[[], None] = lambda: None,
) -> None:
    """Keep `children` running until SIGINT or SIGTERM, then stop them in the order given.

    A child that dies is started again after half a second, then one, two, four … up to thirty; after half a
    minute of health the count begins anew. `ready` is called ten times a second until it answers True, `look` once
    a second as long as we run.
    """
    stopping: list[int] = []
    before = {
        number: signal.signal(number, lambda caught, _frame: stopping.append(caught))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    is_ready, looked = False, time.monotonic()
    try:
        while not stopping:
            for child in children:
                _look_after(child, environment, say)
            is_ready = is_ready or ready()
            if time.monotonic() - looked > 1:
                looked = time.monotonic()
                look()
            time.sleep(0.1)
        say("Stopping")
    finally:
        for child in children:
            child.stop()
        for number, handler in before.items():
            signal.signal(number, handler)


def _look_after(child: Child, environment: Mapping[str, str], say: Callable[[str], None]) -> None:
    now = time.monotonic()
    if child.process is None:
        if now >= child.due:
            child.start(environment)
        return
    code = child.process.poll()
    if code is None:
        return
    if now - child.started > HEALTHY_AFTER_S:
        child.pause_s = FIRST_PAUSE_S
    reason = (
        f"was killed by {signal.Signals(-code).name}"
        if code < 0
        else f"ended with exit code {code}"
    )
    say(f"{child.name} {reason}; starting it again in {child.pause_s:g} s")
    if child.process.stdin is not None:
        child.process.stdin.close()
    child.process, child.due = None, now + child.pause_s
    child.pause_s = min(2 * child.pause_s, LONGEST_PAUSE_S)
