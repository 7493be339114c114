"""Competitors: figures of their public pages as they were read, and the share of new reviews that is the company's."""

from domain.competitors.actions import add, change, enter_figure
from domain.competitors.model import Competitor, CompetitorFigure
from domain.competitors.reads import VoiceShare, share_of_voice

__all__ = [
    "Competitor",
    "CompetitorFigure",
    "VoiceShare",
    "add",
    "change",
    "enter_figure",
    "share_of_voice",
]
