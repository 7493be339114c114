"""Anomalies: what detectors find in a company's own daily series, raised once and acknowledged by people."""

from domain.anomalies.actions import acknowledge, reject
from domain.anomalies.model import Anomaly, AnomalyScan, AnomalySeries, AnomalyState
from domain.anomalies.scanning import PART, accounts_to_scan, scan_account

__all__ = [
    "PART",
    "Anomaly",
    "AnomalyScan",
    "AnomalySeries",
    "AnomalyState",
    "accounts_to_scan",
    "acknowledge",
    "reject",
    "scan_account",
]
