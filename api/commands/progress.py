"""Progress of a command: a bar for each thing that is being done, drawn on a terminal only."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Progress = Callable[[str, float], None]
"""Takes what is being done, and the share that is done."""


@contextmanager
def bars() -> Iterator[Progress]:
    """Draw a bar for each thing that is being done, on a terminal; elsewhere nothing."""
    if not sys.stderr.isatty():
        yield lambda _what, _share: None
        return
    from rich.console import Console
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    with Bars(console=Console(stderr=True), transient=True) as drawn:
        known: dict[str, TaskID] = {}

        def progress(what: str, share: float) -> None:
            if what not in known:
                known[what] = drawn.add_task(what, total=1.0)
            drawn.update(known[what], completed=share)

        yield progress
