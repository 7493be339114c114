"""Detectors of unusual days, bursts of rare events, falls of scores and shifts of level in daily series."""

from domain.detection.comparisons import ComparedScore, Fall, ScoredWindow, falls
from domain.detection.daily import (
    EPISODE_GAP,
    Reading,
    continues,
    read_day,
    read_days,
    unusual_days,
)
from domain.detection.episodes import DayStanding, Detector, Direction, Episode, Scan
from domain.detection.levels import level_shifts
from domain.detection.profile import DetectionProfile, load_profile, shipped_profiles
from domain.detection.rare import expected_in_week, is_silent, rare_bursts, read_week, tail
from domain.detection.selection import find_on, scan_counts
from domain.detection.series import DailySeries
from domain.detection.table import SeriesFile, read_series

__all__ = [
    "EPISODE_GAP",
    "ComparedScore",
    "DailySeries",
    "DayStanding",
    "DetectionProfile",
    "Detector",
    "Direction",
    "Episode",
    "Fall",
    "Reading",
    "Scan",
    "ScoredWindow",
    "SeriesFile",
    "continues",
    "expected_in_week",
    "falls",
    "find_on",
    "is_silent",
    "level_shifts",
    "load_profile",
    "rare_bursts",
    "read_day",
    "read_days",
    "read_series",
    "read_week",
    "scan_counts",
    "shipped_profiles",
    "tail",
    "unusual_days",
]
