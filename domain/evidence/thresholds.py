"""Thresholds of the grades of evidence."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EvidenceThresholds:
    """How good a measurement must be for each grade: the numbers are for A, then B, then C.

    Metres and seconds. A position from a clock that is wrong by more than the last of `skew_s` proves nothing.
    """

    accuracy_m: tuple[float, float] = (25.0, 50.0)
    delay_s: tuple[float, float] = (60.0, 900.0)  # between measurement and receipt
    skew_s: tuple[float, float] = (10.0, 120.0)  # of a clock that is known to be wrong
    dwell_s: tuple[float, float, float] = (60.0, 5.0, 5.0)  # of fixes in a row
    gap_s: tuple[float, float, float] = (60.0, 180.0, 300.0)  # between fixes in a row
    position_age_s: tuple[float, float, float] = (60.0, 300.0, 900.0)  # of one stated position
    photo_delay_s: tuple[float, float, float] = (60.0, 900.0, 86_400.0)  # taken until received
    photo_outside_m: float = 100.0  # nearer to the geofence may be the receiver: B


DEFAULT_THRESHOLDS = EvidenceThresholds()
