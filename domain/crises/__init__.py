"""Crises of clients: while one lasts, the client gets no surveys, requests for testimonials or check-ins."""

from domain.crises.actions import begin, end
from domain.crises.model import Crisis, in_crisis

__all__ = ["Crisis", "begin", "end", "in_crisis"]
