"""Simulate proposed terms on real history before they are promised, and sign off their risk."""

from domain.simulation.actions import amend, outcomes_of, sign, sign_off, simulate
from domain.simulation.model import Simulation

__all__ = ["Simulation", "amend", "outcomes_of", "sign", "sign_off", "simulate"]
