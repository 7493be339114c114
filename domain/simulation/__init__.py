"""Play proposed terms on real history before promising them, and let a person answer for their risk."""

from domain.simulation.actions import amend, outcomes_of, sign, sign_off, simulate
from domain.simulation.model import Simulation

__all__ = ["Simulation", "amend", "outcomes_of", "sign", "sign_off", "simulate"]
