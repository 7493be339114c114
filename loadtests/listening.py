"""Subscribers: many who watch a client, a few who watch all breaches, and a crowd that loses the line at once."""

import random

from locust import between, constant, task

from loadtests.asking import Asker


class Watcher(Asker):
    """A client's people watching; now and then one drives through a tunnel."""

    weight = 10
    role = "CLIENT_USER"
    wait_time = between(20, 40)

    def on_start(self) -> None:
        """Listen; one in five from now on, the others from where the run began."""
        super().on_start()
        self.watch = self.run_of.watch(self.company, self.eyes(), from_now=random.random() < 0.2)

    @task
    def tunnel(self) -> None:
        """The line breaks, and is back in a moment."""
        self.watch.cut()


class Crowd(Watcher):
    """All of a company's screens behind one router, which is restarted."""

    weight = 6
    wait_time = constant(3600)

    def on_start(self) -> None:
        """Listen, and be one of those who lose the line together."""
        super().on_start()
        self.run_of.crowd.append(self.watch)

    @task
    def tunnel(self) -> None:
        """The line is lost with everybody else's (`Run.drop_the_crowd`)."""


class BreachDesk(Asker):
    """Ops tooling: all breaches of a company, across clients."""

    weight = 1
    role = "DISPATCHER"
    limited = False
    wait_time = between(20, 40)

    def on_start(self) -> None:
        """Listen from where the run began."""
        super().on_start()
        self.watch = self.run_of.watch(self.company, self.eyes("promise.breached"))

    @task
    def tunnel(self) -> None:
        """The line breaks, and is back in a moment."""
        self.watch.cut()
