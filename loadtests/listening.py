"""Subscribers: many to one client, a few to all breaches, and a crowd that loses its connections at once."""

import random

from locust import between, constant, task

from loadtests.asking import Asker


class Watcher(Asker):
    """A subscriber of a client, whose connection breaks now and then."""

    weight = 10
    role = "CLIENT_USER"
    wait_time = between(20, 40)

    def on_start(self) -> None:
        """Subscribe; one in five to live events, the others from the start of the run."""
        super().on_start()
        self.watch = self.run_of.watch(self.company, self.eyes(), from_now=random.random() < 0.2)

    @task
    def tunnel(self) -> None:
        """Break the connection; the reader reconnects after a moment."""
        self.watch.cut()


class Crowd(Watcher):
    """Subscribers of a company behind one router that is restarted."""

    weight = 6
    wait_time = constant(3600)

    def on_start(self) -> None:
        """Subscribe, and join the crowd whose connections break together."""
        super().on_start()
        self.run_of.crowd.append(self.watch)

    @task
    def tunnel(self) -> None:
        """Do nothing: `Run.drop_the_crowd` breaks these connections."""


class BreachDesk(Asker):
    """An operations tool: all breaches of a company, across clients."""

    weight = 1
    role = "DISPATCHER"
    limited = False
    wait_time = between(20, 40)

    def on_start(self) -> None:
        """Subscribe from the start of the run."""
        super().on_start()
        self.watch = self.run_of.watch(self.company, self.eyes("promise.breached"))

    @task
    def tunnel(self) -> None:
        """Break the connection; the reader reconnects after a moment."""
        self.watch.cut()
